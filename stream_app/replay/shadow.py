"""The topics that replays write to: like the clean ones, one for each parameter, kept a week."""

from __future__ import annotations

from typing import Final

from schemas.topics import PARAMETERS, Topics, TopicSpec, clean_schema

_KEPT: Final = {"cleanup.policy": "delete", "retention.ms": str(7 * 24 * 3600 * 1000)}


def shadow_topic(topics: Topics, name: str, parameter: str) -> str:
    """Name the topic of a replay and a parameter.

    >>> shadow_topic(Topics(), "july", "wind")
    'weather.shadow.july.clean.wind.v1'
    """
    return topics.named(f"weather.shadow.{name}.clean.{parameter}.v1")


def shadow_group(topics: Topics, name: str) -> str:
    """Name the group whose offsets say how far a replay has come; it never has a member.

    >>> shadow_group(Topics(namespace="lab"), "july")
    'lab.aos-replay-july'
    """
    return topics.named(f"aos-replay-{name}")


def shadow_specs(topics: Topics, name: str) -> list[TopicSpec]:
    """Give the topics of a replay as they are to be made."""
    return [
        TopicSpec(shadow_topic(topics, name, p), topics.partitions, clean_schema(p), dict(_KEPT))
        for p in PARAMETERS
    ]
