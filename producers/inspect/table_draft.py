"""One table of readings, as a section of the proposed mapping."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from producers.inspect.borrowed import heading, with_heading, with_sensor
from producers.inspect.column_choice import Draft
from producers.inspect.cursor_guess import cursor_of, missed_by
from producers.inspect.facts import NO_TIME
from producers.inspect.guesses import Guess, Notes
from producers.inspect.layout import PARAMETERS, Layout, seconds_between
from producers.inspect.metadata_guess import via_sensor
from producers.inspect.plain import as_text
from producers.inspect.reading_guess import long_readings, wide_readings
from producers.inspect.time_guess import is_utc, time_of
from producers.inspect.zone_guess import sun_says, zone_by_delay
from schemas.mapping_parts import UNSET
from weather.arrays import Micros

_STATION: Final = "station_of_source"
_SHARED: Final = 0.01
_MONTH: Final = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])?|\d\d?")
_NUMBERED: Final = re.compile(r"(.*?\D)(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Hints:
    """What only people know: the zone of all tables or of single ones, a station's name."""

    source: str = "aos"
    zone: str | None = None
    zones: Mapping[str, str] = field(default_factory=dict)
    station: str | None = None

    def zone_of(self, table: str) -> str | None:
        """Give the zone that was said for a table."""
        return self.zones.get(table, self.zone)


@dataclass(frozen=True, slots=True)
class Drafted:
    """A section of the mapping, and the table with what its rows borrow."""

    document: dict[str, Any]
    layout: Layout


def looks_like_readings(layout: Layout, others: Sequence[Layout]) -> bool:
    """Say whether a table holds readings: a measure or a coded value, and a time."""
    if not layout.table.columns:
        return False
    if time_of(layout) is None:
        return heading(layout, others) is not None
    if any(sense in PARAMETERS for sense in layout.measures) or "daily rain" in layout.measures:
        return True
    if layout.value is None:
        return False
    return layout.code is not None or via_sensor(layout, others, Notes(), "") is not None


def table_draft(
    layout: Layout, others: Sequence[Layout], hints: Hints, dialect: str, notes: Notes
) -> Drafted | None:
    """Draft the section of one table; None if it holds no reading that can be mapped."""
    name = layout.table.name
    place = f"tables.{name}"
    document: dict[str, Any] = {"shape": "wide", "table": name}
    if layout.table.schema:
        document["db_schema"] = layout.table.schema
    layout = with_heading(layout, others, document, notes, place)
    layout = with_sensor(layout, others, document, notes, place)
    is_long = layout.code is not None and layout.value is not None
    document["shape"] = notes.guess(f"{place}.shape", _shape(layout, is_long=is_long))
    how = _time(layout, hints, notes, place)
    document["key"] = _key(layout, how, notes, place)
    cursor = cursor_of(layout, how, dialect)
    document["cursor"] = notes.guess(f"{place}.cursor", cursor)
    document["station"] = _station(layout, others, hints, document, notes)
    document["time"] = how
    if is_long and layout.code:
        document["code"] = notes.guess(f"{place}.code", layout.code)
        document |= _position(layout, document, notes, place)
    if layout.flag:
        document["flag"] = notes.guess(f"{place}.flag", layout.flag)
    readings = _readings(layout, document, notes, place, is_long=is_long)
    if not readings:
        notes.say(f"{name} holds nothing that can be mapped yet")
        return None
    if missed := missed_by(cursor.value):
        notes.say(f"{name}: {missed}")
    return Drafted({**document, "readings": readings}, layout)


def _readings(
    layout: Layout, document: dict[str, Any], notes: Notes, place: str, *, is_long: bool
) -> list[dict[str, Any]]:
    local = layout.times({k: v for k, v in document["time"].items() if k != "zone"})
    local = local if local is not None else np.full(layout.sample.rows, NO_TIME)
    stations = layout.sample.columns.get(document["station"], [None] * layout.sample.rows)
    names = [document.get(part) for part in ("station", "code", "position")]
    columns = [layout.sample.columns[n] for n in names if n in layout.sample.columns]
    groups = [tuple(map(as_text, row)) for row in zip(*columns, strict=True)] or list(stations)
    _say_if_shared(layout, list(zip(groups, local.tolist(), strict=True)), notes)
    draft = Draft(layout, seconds_between(local, groups), local, list(stations), notes, place)
    return long_readings(draft) if is_long else wide_readings(draft)


def _say_if_shared(layout: Layout, told_apart: list[Any], notes: Notes) -> None:
    """Say so where rows cannot be told apart as readings: of two sensors at one station, say."""
    timed = [reading for reading in told_apart if reading[1] != NO_TIME]
    twice = len(timed) - len(set(timed))
    if timed and twice > _SHARED * len(timed):
        notes.say(
            f"{layout.table.full_name}: {twice} of {len(timed)} sampled rows share station, time "
            "and code with another; of these only one is kept: is there a column for the position?"
        )


def _shape(layout: Layout, *, is_long: bool) -> Guess:
    if is_long and layout.code and layout.value:
        told = f"{layout.code.value} says what {layout.value.value} is"
        return Guess("long", layout.code.confidence, told)
    named = ", ".join(names[0][0] for names in layout.measures.values())
    return Guess("wide", 0.9, f"a column for each of {named}")


def _time(layout: Layout, hints: Hints, notes: Notes, place: str) -> dict[str, Any]:
    found = time_of(layout) or Guess({"column": UNSET}, 0.0, "no column holds times")
    notes.guess(f"{place}.time", found)
    facts = layout.facts.get(str(found.value.get("column")))
    if facts is not None and facts.form is not None and facts.form.doubtful:
        notes.say(f"{facts.name}: no sampled day tells whether day or month stands first")
    zone = _zone(layout, found.value, hints, notes)
    return {**found.value, "zone": notes.guess(f"{place}.time.zone", zone)}


def _zone(layout: Layout, how: dict[str, Any], hints: Hints, notes: Notes) -> Guess:
    if sure := is_utc(layout, how):
        return sure
    if said := hints.zone_of(layout.table.name):
        return Guess(said, 1.0, "as it was said")
    observed = layout.times(how)
    by_delay = _by_change(layout, observed)
    if by_delay is not None:
        return by_delay
    told = "a zone stands in no data: set it, or say --zone"
    if observed is not None and (sun := _sun(layout, observed)):
        notes.say(f"zone of {layout.table.name}: {sun}")
        told = f"{told}; {sun}"
    return Guess(UNSET, 0.0, told)


def _by_change(layout: Layout, observed: Micros | None) -> Guess | None:
    changed = layout.modified
    facts = layout.facts.get(changed.value) if changed else None
    if facts is None or facts.form is None or observed is None:
        return None
    if any(word in (facts.column.default or "").lower() for word in ("getdate", "localtime")):
        return None
    return zone_by_delay(observed, facts.local())


def _sun(layout: Layout, observed: Micros) -> str | None:
    column = next(iter(layout.measures.get("temperature", [])), None)
    if column is None:
        return None
    facts = layout.facts[column[0]]
    numbers = np.where(np.isin(facts.floats, list(facts.sentinels)), np.nan, facts.floats)
    return sun_says(observed, numbers)


def _key(layout: Layout, how: dict[str, Any], notes: Notes, place: str) -> list[str]:
    if layout.key is not None:
        return list(notes.guess(f"{place}.key", layout.key))
    named = [how.get("column"), how.get("date"), how.get("time")]
    flat = [n for part in named for n in ([part] if isinstance(part, str) else part or [])]
    who = [g.value for g in (layout.station, layout.sensor, layout.code) if g]
    own = [n for n in dict.fromkeys([*who, *flat]) if n in layout.sample.columns]
    rows = list(zip(*(map(as_text, layout.sample.columns[n]) for n in own), strict=True))
    twice = len(rows) - len(set(rows))
    told = f"no key is declared; {twice} of {len(rows)} sampled rows share these columns"
    return list(notes.guess(f"{place}.key", Guess(own or [UNSET], 0.3 if twice else 0.6, told)))


def _station(
    layout: Layout, others: Sequence[Layout], hints: Hints, document: dict[str, Any], notes: Notes
) -> str:
    place = f"tables.{layout.table.name}.station"
    if layout.station is not None:
        return str(notes.guess(place, layout.station))
    only = [
        as_text(other.facts[name].present[0])
        for other in others
        if other.table.count and other.table.count.rows == 1 and other.first("latitude")
        if (name := other.station.value if other.station else other.row_id()) in other.facts
        and other.facts[name].present
    ]
    device = layout.first("sensor")
    if device and layout.code and not hints.station and device.value != layout.code.value:
        told = "no column says which station: each of these is taken for one"
        return str(notes.guess(place, Guess(device.value, 0.5, told)))
    if hints.station:
        guess = Guess(hints.station, 1.0, "as it was said")
    elif len(only) == 1:
        guess = Guess(only[0], 0.8, "the only station there is")
    elif number := _number_of_twin(layout, others):
        guess = Guess(number, 0.6, "its name is that of other tables but for this number")
    else:
        guess = Guess(UNSET, 0.0, "no column says which station: name it here, or say --station")
    document["constants"] = {_STATION: notes.guess(f"{place}.constant", guess)}
    return _STATION


def _number_of_twin(layout: Layout, others: Sequence[Layout]) -> str | None:
    """Give the number in a table's name where tables of other numbers have the same columns."""
    columns = {c.name for c in layout.table.columns}
    named = _NUMBERED.fullmatch(layout.table.name)
    twins = [
        other
        for other in others
        if other is not layout
        and named
        and (found := _NUMBERED.fullmatch(other.table.name))
        and found.group(1) == named.group(1)
        and {c.name for c in other.table.columns} == columns
    ]
    is_month = named is not None and _MONTH.fullmatch(named.group(2))
    return named.group(2) if named and twins and not is_month else None


def _position(layout: Layout, document: dict[str, Any], notes: Notes, place: str) -> dict[str, str]:
    taken = {document["station"], document["code"], *document["key"]} - {UNSET}
    found = layout.first(
        "position", "sensor", but=[*taken, layout.value.value if layout.value else None]
    )
    via = document.get("via", {}).get("on")
    if found is None or found.value == via or found.value in document["time"].values():
        return {}
    facts = layout.facts[found.value]
    if not facts.present or facts.distinct > 50 or (facts.is_numeric and facts.numbers.min() < 0):
        return {}
    return {"position": notes.guess(f"{place}.position", found)}
