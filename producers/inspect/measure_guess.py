"""One measure, as a section of the proposed mapping: its column, its unit, its sentinels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from producers.inspect.facts import Facts
from producers.inspect.guesses import Guess, Notes
from producers.inspect.layout import Layout
from producers.inspect.plain import as_number, as_text
from producers.inspect.sentinels import numeric_sentinels, words_for_missing
from producers.inspect.unit_guess import unit_by_value, unit_by_word
from producers.inspect.wind_guess import compare_direction, compare_gust, gust_unit
from schemas.mapping_parts import UNSET
from weather.arrays import Floats

_BEYOND_DOUBT: Final = 0.9
_TOLD_BY_SIZE: Final = {"K", "hPa", "Pa", "kPa", "inHg"}
_ALIKE: Final = {"hPa", "mbar"}


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one measure: the facts of its column, and those rows of it that are meant."""

    facts: Facts
    rows: np.ndarray[Any, np.dtype[np.bool_]]
    signed: bool = True

    @property
    def numbers(self) -> Floats:
        """Numbers of these rows, without what looks like a sentinel."""
        found = self.facts.floats[self.rows]
        found = found[np.isfinite(found)]
        measured: Floats = found[~np.isin(found, list(self.sentinels))]
        return measured

    @property
    def sentinels(self) -> dict[float, int]:
        """Numbers of these rows that look like sentinels."""
        found = self.facts.floats[self.rows]
        return numeric_sentinels(found[np.isfinite(found)], signed=self.signed)

    @property
    def missing_words(self) -> list[str]:
        """Words of these rows that stand for *missing*, as they are written."""
        chosen = [v for v, use in zip(self.facts.values, self.rows, strict=True) if use]
        texts = Counter(
            as_text(v) for v in chosen if isinstance(v, str) and not np.isfinite(as_number(v))
        )
        texts.pop("", None)
        return words_for_missing(dict(texts))


def draft_measures(
    layout: Layout, parameter: str, columns: dict[str, str], of: tuple[Any, Any, Any],
    notes: Notes, place: str,
) -> dict[str, Any]:  # fmt: skip
    """Draft the measures of a reading, by column.

    ``of`` are the rows that are meant and, of a long table, the text of their code and the unit
    that stands beside it; of a wide one None and the system of units of the other columns.
    """
    rows, text, more = of
    system, beside = (more, None) if text is None else (None, more)
    drafted: dict[str, Any] = {}
    for measure, column in columns.items():
        values = Values(layout.facts[column], rows, signed=parameter == "temperature")
        name = text if text is not None and column == _value_of(layout) else column
        said = beside or (unit_beside(layout, rows) if column == _value_of(layout) else None)
        unit = unit_by_word(parameter, measure, name, values.facts.column.comment, said)
        by_value = unit_by_value(parameter, measure, values.numbers, system)
        unit = _believed(unit, by_value) if unit else by_value
        if measure == "gust" and "speed" in drafted:
            unit = gust_unit(drafted["speed"]["unit"], unit, values.numbers)
        sense = None if text is not None else _sense_of(layout, column)
        if sense is not None:
            notes.guess(f"{place}.{measure}.column", Guess(column, sense.confidence, sense.reason))
        drafted[measure] = {"column": column, "unit": _settled(unit, notes, f"{place}.{measure}")}
        if sentinels := _sentinels(values, notes, f"{place}.{measure}"):
            drafted[measure]["sentinels"] = sentinels
    compare_gust(layout, columns, drafted, notes)
    compare_direction(layout, columns, drafted, notes)
    return drafted


def _sense_of(layout: Layout, column: str) -> Guess | None:
    return next((s for m in layout.measures.values() for name, s in m if name == column), None)


def _believed(said: Guess, measured: Guess | None) -> Guess:
    """Believe values that leave no doubt more than a name: hPa in a column ``obs_pa``."""
    sure = measured is not None and measured.confidence >= _BEYOND_DOUBT
    if measured is None or not sure or measured.value not in _TOLD_BY_SIZE:
        return said
    same = {said.value, measured.value} <= _ALIKE or said.value == measured.value
    return said if same else measured.weighed(0.9, f"though {said.reason}: {said.value}")


def _value_of(layout: Layout) -> str | None:
    return layout.value.value if layout.value else None


def _settled(unit: Guess | None, notes: Notes, place: str) -> str:
    if unit is None:
        unit = Guess(UNSET, 0.0, "neither name nor values tell a unit that is known")
    elif unit.confidence < 0.5:
        unit = Guess(UNSET, unit.confidence, f"perhaps {unit.value}: {unit.reason}")
    return str(notes.guess(f"{place}.unit", unit))


def _sentinels(values: Values, notes: Notes, place: str) -> list[float | str]:
    numbers, texts = values.sentinels, values.missing_words
    written = _as_written(values.facts, list(numbers))
    for number, count in numbers.items():
        told = f"{count} times, far from all that is measured"
        notes.guess(f"{place}.sentinels", Guess(number, 0.8, told))
    for word in texts:
        notes.guess(f"{place}.sentinels", Guess(word, 0.85, "stands among numbers"))
    return [*numbers, *written, *texts]


def _as_written(facts: Facts, numbers: list[float]) -> list[str]:
    """Give sentinels as text too where they are stored so: the stream compares text with text."""
    if not facts.numbers_as_text:
        return []
    texts = {as_text(v) for v in facts.present if isinstance(v, str) and as_number(v) in numbers}
    return sorted(texts)


def unit_beside(layout: Layout, rows: Any) -> str | None:
    """Give the unit that most of some rows name in a column of their own, if there is one."""
    column = layout.first("unit")
    if column is None:
        return None
    values = layout.facts[column.value].values
    found = Counter(
        as_text(v) for v, use in zip(values, rows, strict=True) if use and v is not None
    )
    return found.most_common(1)[0][0] if found else None
