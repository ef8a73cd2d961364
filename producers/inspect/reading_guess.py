"""Which readings the rows of a table hold: parameters, columns, units, sentinels, intervals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from producers.inspect.facts import Facts, as_number, as_text
from producers.inspect.guesses import Guess, Notes
from producers.inspect.layout import PARAMETERS, Layout
from producers.inspect.left_out import say_what_is_left, why_not
from producers.inspect.names import words
from producers.inspect.rain import (
    counter,
    daily_totals,
    grows_within_days,
    never_falls,
    rolling_seconds,
)
from producers.inspect.sentinels import numeric_sentinels, words_for_missing
from producers.inspect.unit_guess import system_of, unit_by_value, unit_by_word
from producers.inspect.wind_guess import compare_direction, compare_gust, gust_unit
from schemas.mapping_parts import UNSET
from weather.arrays import Floats, Micros

_PARTS: Final = {"speed": "wind speed", "direction": "wind direction", "gust": "gust"}
_AVERAGED_SECONDS: Final = 60
_BEYOND_DOUBT: Final = 0.9
_TOLD_BY_SIZE: Final = {"K", "hPa", "Pa", "kPa", "inHg"}
_ALIKE: Final = {"hPa", "mbar"}


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


def wide_readings(draft: Draft) -> list[dict[str, Any]]:
    """Draft the readings of a table whose columns are measures."""
    layout, notes = draft.layout, draft.notes
    every = np.ones(layout.sample.rows, dtype=np.bool_)
    system = _system(layout)
    readings = []
    for sense, parameter in PARAMETERS.items():
        names = _columns(draft, sense)
        for number, name in enumerate(names, start=1):
            at = f"{draft.place}.readings.{parameter}" + (f".{number}" if len(names) > 1 else "")
            columns = _measures(layout, parameter, name, number)
            measures = _drafted(layout, parameter, columns, (every, None, system), notes, at)
            reading = _reading(parameter, measures, draft.cadence)
            readings.append(reading | ({"position": number} if len(names) > 1 else {}))
    say_what_is_left(layout, notes)
    if not any(_is_plausible(measure) for r in readings for measure in r["measures"].values()):
        named = ", ".join(m["column"] for r in readings for m in r["measures"].values())
        if layout.sample.rows and named:
            table = layout.table.full_name
            notes.say(f"{table} is not mapped: no weather is like the values of {named}")
            return []
    return _agreeing(readings)


def _is_plausible(measure: dict[str, Any]) -> bool:
    return bool(measure["unit"] != UNSET)


def long_readings(draft: Draft) -> list[dict[str, Any]]:
    """Draft the readings of a table with a code and a value."""
    layout, notes, value = draft.layout, draft.notes, draft.layout.value
    code = str(layout.code.value if layout.code else "")
    texts = np.array([as_text(v) if v is not None else "" for v in layout.facts[code].values])
    readings = []
    for key, text in layout.known_codes(code).items():
        meant, rows = layout.meant.get(text), texts == key
        parameter = PARAMETERS.get(meant.value) if meant else None
        is_total = parameter == "rainfall" and value and _sums(draft, value.value, rows)
        if parameter is None or meant is None or value is None or is_total:
            notes.say(why_not(layout, key, text, meant))
            continue
        at = f"{draft.place}.readings.{key}"
        notes.guess(f"{at}.parameter", Guess(parameter, *_of(meant)))
        columns = _measures_of_code(layout, parameter, value.value, rows)
        beside = _unit_beside(layout, rows) or layout.units.get(key)
        measures = _drafted(layout, parameter, columns, (rows, text, beside), notes, at)
        reading = _reading(parameter, measures, draft.cadence)
        readings.append({"parameter": parameter, "code": key, **reading})
    return _agreeing(readings)


def _sums(draft: Draft, column: str, rows: Any) -> bool:
    return draft.is_total(column, rows) or draft.is_counter(column, rows)


def _measures_of_code(layout: Layout, parameter: str, value: str, rows: Any) -> dict[str, str]:
    """Name the columns of a code's measures; of wind's, those that its rows fill."""
    found = _measures(layout, parameter, value, 1)
    main = {"value", "speed"}
    return {
        name: column
        for name, column in found.items()
        if name in main or np.isfinite(layout.facts[column].floats[rows]).any()
    }


def _of(guess: Guess) -> tuple[float, str]:
    return guess.confidence, guess.reason


def _columns(draft: Draft, sense: str) -> list[str]:
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


def _stem(name: str) -> tuple[str, ...]:
    return tuple(word for word in words(name) if not word.isdigit())


def _number(name: str) -> tuple[int, str]:
    digits = [int(word) for word in words(name) if word.isdecimal()]
    return (digits[-1] if digits else 0, name)


def _measures(layout: Layout, parameter: str, column: str, number: int) -> dict[str, str]:
    """Name the columns of a reading's measures; wind has up to three."""
    if parameter != "wind":
        return {"value": column}
    found = {"speed": column}
    for part in ("direction", "gust"):
        names = sorted((n for n, _ in layout.measures.get(_PARTS[part], [])), key=_number)
        fitting = [n for n in names if _number(n)[0] == _number(column)[0]] or names[:1]
        if fitting and (number == 1 or _number(fitting[0])[0] == _number(column)[0]):
            found[part] = fitting[0]
    return found


def _drafted(
    layout: Layout, parameter: str, columns: dict[str, str], of: tuple[Any, Any, Any],
    notes: Notes, place: str,
) -> dict[str, Any]:  # fmt: skip
    rows, text, more = of
    system, beside = (more, None) if text is None else (None, more)
    drafted: dict[str, Any] = {}
    for measure, column in columns.items():
        values = Values(layout.facts[column], rows, signed=parameter == "temperature")
        name = text if text is not None and column == _value_of(layout) else column
        said = beside or (_unit_beside(layout, rows) if column == _value_of(layout) else None)
        unit = unit_by_word(parameter, measure, name, values.facts.column.comment, said)
        by_value = unit_by_value(parameter, measure, values.numbers, system)
        unit = _believed(unit, by_value) if unit else by_value
        if measure == "gust" and "speed" in drafted:
            unit = gust_unit(drafted["speed"]["unit"], unit, values.numbers)
        sense = None if text is not None else _sense_of(layout, column)
        if sense is not None:
            notes.guess(f"{place}.{measure}.column", Guess(column, *_of(sense)))
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


def _reading(parameter: str, measures: dict[str, Any], cadence: float) -> dict[str, Any]:
    seconds = round(cadence)
    has_interval = seconds > 0 and (parameter == "rainfall" or seconds <= _AVERAGED_SECONDS)
    interval = {"interval_seconds": seconds} if has_interval else {}
    return {"parameter": parameter, **interval, "measures": measures}


def _agreeing(drafts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the readings of one parameter the same measures' sentinels, as a mapping needs it."""
    for draft in drafts:
        same = [d for d in drafts if d["parameter"] == draft["parameter"]]
        for name, measure in draft["measures"].items():
            union = [s for d in same for s in d["measures"].get(name, {}).get("sentinels", [])]
            if union:
                measure["sentinels"] = list(dict.fromkeys(union))
    return drafts


def _system(layout: Layout) -> str | None:
    """Say which system of units the other columns of a table speak for."""
    units = []
    for sense, found in layout.measures.items():
        parameter = PARAMETERS.get(sense, "wind" if sense in _PARTS.values() else "rainfall")
        measure = next((m for m, s in _PARTS.items() if s == sense), "value")
        for name, _ in found:
            facts = layout.facts[name]
            unit = unit_by_word(parameter, measure, name, facts.column.comment)
            unit = unit or unit_by_value(parameter, measure, facts.measured)
            units += [str(unit.value)] if unit and unit.confidence >= 0.6 else []
    return system_of([u for u in units if u not in {"degC", "mm"}] or units)


def _unit_beside(layout: Layout, rows: Any) -> str | None:
    column = layout.first("unit")
    if column is None:
        return None
    values = layout.facts[column.value].values
    found = Counter(
        as_text(v) for v, use in zip(values, rows, strict=True) if use and v is not None
    )
    return found.most_common(1)[0][0] if found else None
