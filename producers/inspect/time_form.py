"""How a column writes its times: found by reading its values in every way that the source can."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from producers.inspect.catalogue import Column
from producers.inspect.plain import as_number
from producers.reading.clocks import observation
from schemas.mapping_parts import Time

MOSTLY: Final = 0.8
"""The share of values that decides what a column holds."""
_FORMATS: Final = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p",
    "%m/%d/%y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M", "%Y-%m-%d %H", "%Y-%m-%d-%H:%M",
)  # fmt: skip
_HOURS: Final = "%Y%m%d%H"
_EPOCHS: Final = {"s": 1, "ms": 1_000, "us": 1_000_000}
_FROM, _TO = 631_152_000, 2_524_608_000  # 1990 to 2050, in seconds
_OFFSET: Final = re.compile(r".*\d ?(Z|[+-]\d\d:?\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How a column writes times: the keys of the mapping that read them, and what they gave.

    It is ``doubtful`` where day and month may be the other way round.
    """

    keys: dict[str, str] = field(default_factory=dict)
    share: float = 1.0
    with_offset: bool = False
    doubtful: bool = False


def form_of(column: Column, values: Sequence[Any]) -> TimeForm | None:
    """Find how the values of a column write times of date and clock; None if they do not."""
    if column.kind == "time" and not values:
        return TimeForm(with_offset=column.has_zone)
    if not values or column.kind in {"date", "clock", "flag", "other", "version"}:
        return None
    if (offsets := _share_with_offset(values)) >= MOSTLY:
        return TimeForm(share=offsets, with_offset=True)
    plain = _share(values, {})
    if plain >= MOSTLY:
        return TimeForm(share=plain)
    return _counted(values) or _formatted(values)


def _formatted(values: Sequence[Any]) -> TimeForm | None:
    """Read text by the usual ways to write a time with the year last."""
    shares = {form: _share(values, {"format": form}) for form in _FORMATS}
    form = max(shares, key=lambda name: shares[name])
    if shares[form] < MOSTLY:
        return None
    twin = form.replace("%m/%d", "%d/%m") if "%m/%d" in form else form.replace("%d/%m", "%m/%d")
    doubtful = twin != form and _share(values, {"format": twin}) >= shares[form]
    return TimeForm({"format": form}, shares[form], doubtful=doubtful)


def _counted(values: Sequence[Any]) -> TimeForm | None:
    """Read digits: a day and its hour run together, else what has passed since 1970."""
    if (hours := _share(values, {"format": _HOURS})) >= MOSTLY:
        return TimeForm({"format": _HOURS}, hours)
    numbers = [as_number(value) for value in values]
    for epoch, factor in _EPOCHS.items():
        inside = sum(_FROM * factor <= n <= _TO * factor for n in numbers) / len(numbers)
        if inside >= MOSTLY:
            return TimeForm({"epoch": epoch}, inside)
    return None


def _share(values: Sequence[Any], keys: dict[str, str]) -> float:
    how = Time.model_validate({"column": "c", "zone": "UTC", **keys})
    read = observation(how, {"c": 0})
    return sum(_is_likely(read([value])[0]) for value in values) / len(values)


def _is_likely(local: int | None) -> bool:
    return local is not None and -2_208_988_800 <= local / 1e6 <= 4_102_444_800  # 1900 to 2100


def _share_with_offset(values: Sequence[Any]) -> float:
    return sum(
        value.tzinfo is not None
        if isinstance(value, datetime)
        else isinstance(value, str) and bool(_OFFSET.fullmatch(value.strip())) and ":" in value
        for value in values
    ) / len(values)
