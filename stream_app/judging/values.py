"""What a raw record says: its time and its values, or the reason why it cannot be read."""

from __future__ import annotations

import math
from collections.abc import Mapping

from runtime.errors import DataQuality
from schemas.codec import Record
from schemas.mapping import Measure
from weather.time import parse_local


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


def value_of(record: Record, name: str, measure: Measure | None) -> float:
    """Give one measure of a record as a number; NaN where it is missing.

    Missing is what the source left empty, and text that the mapping names as a sentinel. Numeric
    sentinels are left to the science, which notes their removal on the reading.

    Raises:
        DataQuality: the text is neither a number nor a sentinel.
    """
    value = record[name]
    if value is not None:
        return float(value)
    text = (record[f"{name}_text"] or "").strip()
    if not text or (measure is not None and text in measure.sentinels):
        return math.nan
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        problem = f"{name} is {text!r}, not a number"
        raise DataQuality(problem, reason="not_a_number")
    return number


def values_of(record: Record, measures: Mapping[str, Measure | None]) -> list[float]:
    """Give all measures of a record, in the order of ``measures``.

    Raises:
        DataQuality: one of them is not a number; the reading as a whole cannot be used.
    """
    return [value_of(record, name, measure) for name, measure in measures.items()]
