"""The transactional ids of a backfill: one for the job itself, and one for each of its workers."""

from __future__ import annotations

from schemas.topics import Topics


def transactional_id(topics: Topics, source: str, job: str, worker: int | None = None) -> str:
    """Name an identity; all of a source begin alike, so that one rule of access covers them.

    >>> transactional_id(Topics(), "sample", "3f9a1c")
    'aos-backfill-sample-3f9a1c'
    >>> transactional_id(Topics(namespace="lab"), "sample", "3f9a1c", 0)
    'lab.aos-backfill-sample-3f9a1c-0'
    """
    name = f"aos-backfill-{source}-{job}"
    name = name if worker is None else f"{name}-{worker}"
    return topics.named(name)
