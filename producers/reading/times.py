"""Times of a source as whole microseconds, as they travel."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np

from runtime.errors import DataQuality
from weather.time import parse_local, to_utc

_EPOCH_LOCAL: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the wall's own epoch
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DATE: Final = re.compile(r"\d{4}-\d\d?-\d\d?", re.ASCII)
_REMEMBERED: Final = 1 << 16  # a year of hours fits several times over; some 10 MB at most

Observed = tuple[int | None, str | None]


def now_micros() -> int:
    """Give this machine's UTC time in microseconds."""
    return time.time_ns() // 1000


def observed(value: object) -> Observed:
    """Give an observation time as (local microseconds, None), or as (None, text) if it is none.

    A time that brings its own offset is not local: it travels as text, so that nobody takes it for
    the time of the mapping's zone.

    >>> observed("2013-11-03 01:00"), observed("gestern"), observed(None)
    ((1383440400000000, None), (None, 'gestern'), (None, None))
    """
    if value is None:
        return None, None
    if isinstance(value, datetime) and value.tzinfo is None:
        return (value - _EPOCH_LOCAL) // _MICROSECOND, None
    return _parsed(str(value))


@lru_cache(maxsize=_REMEMBERED)
def _parsed(text: str) -> Observed:
    local = parse_local(text)
    return (local, None) if local is not None else (None, text)


@lru_cache(maxsize=_REMEMBERED)
def version_of(modified: str) -> int:
    """Give the time of a change as microseconds; digits beyond are cut.

    Times with and without an offset do not meet in one column, so they need not share an epoch.

    >>> version_of("1970-01-01T00:00:01.2345678"), version_of("1970-01-01 09:00:01+09:00")
    (1234567, 1000000)

    Raises:
        DataQuality: it is no time.
    """
    local = parse_local(modified)
    return _aware(modified) if local is None else local


def _aware(text: str) -> int:
    try:
        return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND
    except (ValueError, TypeError) as error:
        problem = f"{text!r} is no time"
        raise DataQuality(problem, reason="no_time", mend="correct the row") from error


def utc_micros(value: object, zone: str) -> int | None:
    """Give a validity time as UTC microseconds; a date alone is its midnight, NULL is None.

    >>> utc_micros("1970-01-01", "+09:00"), utc_micros(None, "UTC")
    (-32400000000, None)

    Raises:
        DataQuality: it is no time.
    """
    if value is None:
        return None
    text = str(value).strip()
    local, _ = observed(f"{text} 00:00" if _DATE.fullmatch(text) else value)
    if local is None:
        return version_of(text)
    return int(to_utc(np.array([local], dtype=np.int64), zone)[0][0])
