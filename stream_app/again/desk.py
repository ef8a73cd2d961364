"""What a partition lends to whoever judges its readings again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from stream_app.again.index import Range
from stream_app.again.scan import Ranges, Scan
from stream_app.again.task import Window
from stream_app.outputs.delivery import Outputs
from stream_app.outputs.records import Recorder
from stream_app.step import Step
from stream_app.window.state import State


@dataclass(frozen=True, slots=True)
class Desk:
    """What a partition lends for a round; ``positions`` are where its batches have come to."""

    state: State
    step: Step
    recorder: Recorder
    positions: Mapping[str, int]
    commit: Callable[[Outputs], None]
    now: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Ways:
    """How records are found: both work beside the partition's own reading."""

    look: Callable[[int, Mapping[str, Window]], Future[dict[str, list[Range]]]]
    scan: Callable[[int, frozenset[bytes], Ranges, Mapping[str, int]], Scan]
