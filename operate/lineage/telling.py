"""Telling OpenLineage of a run, if ``lineage.transport`` says where to; else nothing is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from operate.settings import Settings

if TYPE_CHECKING:
    from operate.lineage.datasets import Flow


@contextmanager
def lineage_of(
    settings: Settings,
    job: str,
    flow: Callable[[Settings], Flow] | None = None,
    *,
    beats: bool = False,
) -> Iterator[None]:
    """Tell of what is done within as a run of ``job``, if lineage is to be told at all.

    ``flow`` says what the job reads and writes, where it is none of the stages. One that ``beats``
    says now and then that it goes on.
    """
    if settings.lineage.transport == "off":
        yield
        return
    known = import_module("operate.lineage.datasets")
    events = import_module("operate.lineage.openlineage")
    read_and_written = flow(settings) if flow else known.flow_of(job, settings)
    with events.told(settings, job, read_and_written, beats=beats):
        yield
