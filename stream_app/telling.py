"""What the stream says of single readings, where somebody follows them through the logs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final

from runtime.following import readings_of, tell, utc
from schemas.topics import Topics
from stream_app.outputs.records import Finished
from weather.corrections import describe

_READINGS: Final = readings_of("stream")


def is_followed() -> bool:
    """Say whether somebody follows single readings."""
    return _READINGS.isEnabledFor(logging.DEBUG)


def tell_judged(finished: Sequence[Finished], partition: int, topics: Topics) -> None:
    """Tell of each reading that a committed batch has sent, with its verdict and where it lies."""
    tell(_READINGS, "reading judged", lambda: _judged(finished, partition, topics))


def _judged(
    finished: Sequence[Finished], partition: int, topics: Topics
) -> Iterator[dict[str, Any]]:
    for one in finished:
        judged, worth = one.judged, one.worth
        keys, corrections = judged.source_key.bytes(), describe(judged.corrections)
        for row, offset in enumerate(judged.offsets.tolist()):
            yield {
                "sensor": judged.sensor(row),
                "observed": utc(judged.utc[row]),
                "parameter": judged.parameter,
                "raw_topic": topics.raw(judged.parameter),
                "raw_partition": partition,
                "raw_offset": offset,
                "source_key": keys[row].decode(),
                "source_version": int(judged.version[row]),
                "flag": None if worth is None else int(worth.flag[row]),
                "tests": {name: int(column[row]) for name, column in _flags(one).items()},
                "corrections": corrections[row],
            }


def _flags(one: Finished) -> dict[str, Any]:
    return {**one.judged.own_flags, **one.flags}
