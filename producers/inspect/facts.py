"""What the values of a column are: numbers, times or words, how many, and which of them recur."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import Any, Final

import numpy as np

from producers.inspect.catalogue import Column
from producers.inspect.plain import as_number, as_text, is_blank
from producers.inspect.sentinels import numeric_sentinels
from producers.inspect.time_form import MOSTLY, TimeForm, form_of
from producers.reading.clocks import observation
from schemas.mapping_parts import Time
from weather.arrays import Floats, Micros

_LOOKED_AT: Final = 400
_DATE: Final = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?|(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-4]):[0-5]\d(:[0-5]\d(\.\d*)?)?")


@dataclass
class Facts:
    """What a sample says of one column."""

    column: Column
    values: Sequence[Any]

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    @cached_property
    def present(self) -> list[Any]:
        """All values but NULL and blank text."""
        return [v for v in self.values if v is not None and not is_blank(v)]

    @property
    def nulls(self) -> int:
        """How many rows have none."""
        return len(self.values) - len(self.present)

    @cached_property
    def floats(self) -> Floats:
        """Every row's number, NaN where there is none; text that reads as a number counts."""
        return np.array([as_number(v) for v in self.values], dtype=np.float64)

    @cached_property
    def numbers(self) -> Floats:
        """The numbers there are."""
        return self.floats[np.isfinite(self.floats)]

    @cached_property
    def words(self) -> Counter[str]:
        """Text that is no number, with how often it stands there."""
        texts = (v.strip() for v in self.present if isinstance(v, str))
        return Counter(text[:80] for text in texts if not math.isfinite(as_number(text)))

    @cached_property
    def numbers_as_text(self) -> int:
        """How many numbers are written as text."""
        return sum(isinstance(v, str) and math.isfinite(as_number(v)) for v in self.present)

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        return len({as_text(value) for value in self.present})

    @cached_property
    def sentinels(self) -> dict[float, int]:
        """Numbers that look as if they stood for *missing*, with how often."""
        return numeric_sentinels(self.numbers)

    @cached_property
    def measured(self) -> Floats:
        """The numbers without those that look like sentinels."""
        return self.numbers[~np.isin(self.numbers, list(self.sentinels))]

    @property
    def is_numeric(self) -> bool:
        """Whether what is there is mostly numbers."""
        return len(self.numbers) > 0.5 * len(self.present)

    @property
    def may_measure(self) -> bool:
        """Whether a measure can stand here: numbers, or nothing yet in a column that takes them."""
        if self.present:
            if self.is_hhmm:
                return False
            return self.is_numeric and self.column.kind in {"number", "text", "any"}
        return self.column.kind in {"number", "any"}

    @cached_property
    def form(self) -> TimeForm | None:
        """How it writes times of date and clock, if it does."""
        return form_of(self.column, self.some)

    @cached_property
    def some(self) -> list[Any]:
        """Values from all over the sample, few enough to be tried in many ways."""
        return self.present[:: max(1, len(self.present) // _LOOKED_AT)][:_LOOKED_AT]

    @property
    def is_date(self) -> bool:
        """Whether it holds days without a clock."""
        return self.column.kind == "date" or self._all(_is_date)

    @property
    def is_clock(self) -> bool:
        """Whether it holds times of the day, with colons."""
        return self.column.kind == "clock" or self._all(
            lambda v: isinstance(v, time) or bool(_CLOCK.fullmatch(as_text(v)))
        )

    @cached_property
    def is_hhmm(self) -> bool:
        """Whether it holds times of the day as text of four digits, such as 0905 and 2400."""
        texts = [as_text(v) for v in self.some if isinstance(v, str)]
        four = bool(texts) and all(len(t) == len("hhmm") and t.isdecimal() for t in texts)
        return four and len(texts) == len(self.some) and self.clock_digits() == "hhmm"

    def clock_digits(self) -> str | None:
        """Say what a time of day without colons counts: an hour, or hour and minute; else None."""
        numbers = self.numbers
        if not len(numbers) or self.words or (numbers != np.floor(numbers)).any():
            return None
        if numbers.min() < 0 or numbers.max() > 2400 or (numbers % 100 >= 60).any():
            return None
        return "hour" if numbers.max() <= 24 else "hhmm"

    def local(self) -> Micros:
        """Give the times of all rows as local microseconds; the least int64 where there is none."""
        form = self.form or TimeForm()
        how = Time.model_validate({"column": self.name, "zone": "UTC", **form.keys})
        return local_times(how, {self.name: self.values})

    def _all(self, holds: Any) -> bool:
        found = sum(bool(holds(value)) for value in self.some)
        return bool(self.some) and found >= MOSTLY * len(self.some)


NO_TIME: Final = np.iinfo(np.int64).min


def local_times(how: Time, columns: Mapping[str, Sequence[Any]]) -> Micros:
    """Read the times of all rows as the source would; ``NO_TIME`` where there is none."""
    names = list(dict.fromkeys(how.columns))
    read = observation(how, {name: i for i, name in enumerate(names)})
    rows = zip(*(columns[name] for name in names), strict=True)
    found = (read(row)[0] for row in rows)
    return np.array([NO_TIME if t is None or abs(t) > 2**61 else t for t in found], dtype=np.int64)


def _is_date(value: Any) -> bool:
    if isinstance(value, datetime):
        return False
    return isinstance(value, date) or bool(_DATE.fullmatch(as_text(value).removesuffix(".0")))
