"""Which columns hold what is measured, by what is known of their table already."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from producers.inspect.guesses import Notes
from producers.inspect.layout import Layout
from producers.inspect.names import words
from producers.inspect.rain import (
    counter,
    daily_totals,
    grows_within_days,
    never_falls,
    rolling_seconds,
)
from weather.arrays import Floats, Micros

WIND: Final = {"speed": "wind speed", "direction": "wind direction", "gust": "gust"}
"""The measures of wind, and the senses that their columns have."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of a table already, and where its guesses are noted."""

    layout: Layout
    cadence: float
    local: Micros
    stations: list[Any]
    notes: Notes
    place: str

    def is_total(self, column: str, rows: Any) -> bool:
        """Say whether rain in a column is a running total since midnight."""
        return grows_within_days(self.local, self._values(column, rows), self.stations)

    def is_counter(self, column: str, rows: Any) -> bool:
        """Say whether rain in a column is a counter that is never reset."""
        return never_falls(self.local, self._values(column, rows), self.stations)

    def _values(self, column: str, rows: Any) -> Floats:
        facts = self.layout.facts[column]
        values: Floats = np.where(rows, facts.floats, np.nan)
        values[np.isin(values, list(facts.sentinels))] = np.nan
        return values


def columns_for(draft: Draft, sense: str) -> list[str]:
    """Choose the columns of a measure: one, or several of one name that are numbered."""
    layout, notes = draft.layout, draft.notes
    found = layout.measures.get(sense, [])
    if sense == "rain":
        found = [(name, guess) for name, guess in found if _adds(draft, name)]
    if not found:
        return []
    top = max(found, key=lambda item: item[1].confidence)
    stem = _stem(top[0])
    same = sorted((n for n, _ in found if _stem(n) == stem), key=_number)
    if not _counts_sensors(same):
        same = same[:1]
    for name, guess in found:
        if name not in same:
            told = f"{name} looks like {sense}, too ({guess.reason}): {same[0]} was taken"
            stations = "; if each is of another station, make a view with a row for each"
            notes.say(told + (stations if _stem(name) == stem and _number(name)[0] else ""))
    return same


def _counts_sensors(names: list[str]) -> bool:
    """Say whether names are numbered one by one; 1 and 10 are minutes, 2 and 10 are metres."""
    numbers = [_number(name)[0] for name in names]
    begins = numbers[0] in {0, 1}
    return begins and all(b - a == 1 or (a, b) == (0, 2) for a, b in pairwise(numbers))


def _adds(draft: Draft, name: str) -> bool:
    """Say whether rain in a column may be added up, row by row."""
    if draft.is_total(name, np.ones(draft.layout.sample.rows, dtype=np.bool_)):
        draft.notes.say(f"{name} is not mapped: by its values {daily_totals(name)}")
        return False
    if draft.is_counter(name, np.ones(draft.layout.sample.rows, dtype=np.bool_)):
        draft.notes.say(f"{name} is not mapped: {counter(name)}")
        return False
    seconds = rolling_seconds(name)
    if seconds is not None and seconds != round(draft.cadence):
        told = f"it seems to sum the last {seconds} s, whatever the time between rows"
        draft.notes.say(f"{name} is not mapped: {told}")
        return False
    return True


def measures_from(layout: Layout, parameter: str, column: str, number: int) -> dict[str, str]:
    """Name the columns of a reading's measures; wind has up to three."""
    if parameter != "wind":
        return {"value": column}
    found = {"speed": column}
    for part in ("direction", "gust"):
        names = sorted((n for n, _ in layout.measures.get(WIND[part], [])), key=_number)
        fitting = [n for n in names if _number(n)[0] == _number(column)[0]] or names[:1]
        if fitting and (number == 1 or _number(fitting[0])[0] == _number(column)[0]):
            found[part] = fitting[0]
    return found


def _stem(name: str) -> tuple[str, ...]:
    return tuple(word for word in words(name) if not word.isdigit())


def _number(name: str) -> tuple[int, str]:
    digits = [int(word) for word in words(name) if word.isdecimal()]
    return (digits[-1] if digits else 0, name)
