"""What a raw record says: its time, its values and its version, or why it cannot be read.

Row by row: for the few readings that a whole column at once cannot settle, see :mod:`.reading`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from runtime.errors import DataQuality
from schemas.codec import Record
from schemas.mapping import Measure
from stream_app.judging.versions import version_of
from weather.time import parse_local


class Said(NamedTuple):
    """What one reading says; ``values`` in the order of its measures, NaN where one is missing."""

    local: int
    version: int
    values: list[float]


def said(record: Record, measures: Mapping[str, Measure | None]) -> Said:
    """Read one record.

    Raises:
        DataQuality: it cannot be used.
    """
    values = values_of(record, measures)
    return Said(observed_local(record), version_of(record), values)


def observed_local(record: Record) -> int:
    """Give the observation's local time in microseconds.

    Raises:
        DataQuality: the source gave none, or text that is no time.
    """
    if record["observed_local"] is not None:
        return int(record["observed_local"])
    text = record["observed_text"]
    if text is None:
        problem = "the reading has no observation time"
        raise DataQuality(problem, reason="no_time")
    micros = parse_local(text)
    if micros is None:
        problem = f"the observation time {text!r} is no time"
        raise DataQuality(problem, reason="bad_time")
    return micros


def number_of(text: str, measure: Measure | None) -> float | None:
    """Read a value that came as text: NaN where it is missing, None where it is no number.

    Missing is blank text, and what the mapping names as a sentinel. Numeric sentinels are left to
    the science, which notes their removal on the reading.

    >>> number_of(" 1.5", None), number_of("", None), number_of("warm", None)
    (1.5, nan, None)
    """
    text = text.strip()
    if not text or (measure is not None and text in measure.sentinels):
        return math.nan
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def value_of(record: Record, name: str, measure: Measure | None) -> float:
    """Give one measure of a record as a number; NaN where it is missing.

    Raises:
        DataQuality: the text is neither a number nor a sentinel.
    """
    value = record[name]
    if value is not None:
        return float(value)
    text = record[f"{name}_text"] or ""
    number = number_of(text, measure)
    if number is None:
        problem = f"{name} is {text.strip()!r}, not a number"
        raise DataQuality(problem, reason="not_a_number")
    return number


def values_of(record: Record, measures: Mapping[str, Measure | None]) -> list[float]:
    """Give all measures of a record, in the order of ``measures``.

    Raises:
        DataQuality: one of them is not a number; the reading as a whole cannot be used.
    """
    return [value_of(record, name, measure) for name, measure in measures.items()]
