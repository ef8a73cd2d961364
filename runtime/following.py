"""Following one reading through the logs: a line from each stage, where somebody asks for them.

A stage's readings have a logger of their own, ``aos.<stage>.readings``, which speaks at the level
DEBUG alone. A stage asks first whether anybody listens, so that a batch costs one question while
nobody does. All lines bear the same names: ``sensor``, ``observed`` and ``source_key`` are found in
every stage, ``raw_topic``, ``raw_partition`` and ``raw_offset`` from the stream on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def readings_of(stage: str) -> logging.Logger:
    """Give the logger of a stage's readings.

    >>> readings_of("sink").name
    'aos.sink.readings'
    """
    return logging.getLogger(f"aos.{stage}.readings")


def tell(
    logger: logging.Logger, message: str, lines: Callable[[], Iterable[Mapping[str, Any]]]
) -> None:
    """Log a line for each reading; ``lines`` is not called where nobody listens."""
    if logger.isEnabledFor(logging.DEBUG):
        for line in lines():
            logger.debug(message, extra=dict(line))


def utc(micros: int) -> str:
    """Write a time in UTC.

    >>> utc(1_383_458_400_000_000)
    '2013-11-03T06:00:00Z'
    """
    return (_EPOCH + timedelta(microseconds=int(micros))).isoformat().replace("+00:00", "Z")


def local(micros: int) -> str:
    """Write a time by the clock of its source.

    >>> local(1_383_440_400_000_000)
    '2013-11-03T01:00:00'
    """
    return utc(micros).removesuffix("Z")
