"""Tables of stations, sensors and calibrations, and those that explain codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from producers.inspect.guesses import Guess, Notes
from producers.inspect.layout import PARAMETERS, Layout, parameter_of_code
from producers.inspect.names import meaning, unit_of, words
from producers.inspect.place_guess import are_swapped, crs_of, unreadable_position
from producers.inspect.plain import as_text

_MOST_ROWS: Final = 200_000
_LOOKUP_ROWS: Final = 500
_FEET: Final = {"ft", "feet", "foot"}
_LONGEST_UNIT: Final = 10
_STATION: Final = {
    "name": "station name", "wigos_id": "wigos", "elevation": "elevation",
    "valid_from": "valid from", "valid_to": "valid to",
}  # fmt: skip
_SENSOR: Final = {
    "model": "model", "serial": "serial", "height": "height", "valid_from": "valid from",
    "valid_to": "valid to",
}  # fmt: skip


def is_small(layout: Layout) -> bool:
    """Say whether a table may hold metadata: few rows, and no measured columns."""
    count = layout.table.count
    return (count is None or count.rows <= _MOST_ROWS) and len(layout.measures) < 2


def station_table(layout: Layout, notes: Notes) -> dict[str, Any] | None:
    """Draft the section ``metadata.stations``, if this is such a table."""
    lon, lat = layout.first("longitude"), layout.first("latitude")
    if lon and lat and are_swapped(layout.facts[lon.value], layout.facts[lat.value]):
        told = f"{lat.value} holds what only a longitude can be: the two are swapped"
        lon, lat = Guess(lat.value, 0.8, told), Guess(lon.value, 0.8, told)
    station = _own_station(layout)
    if not (lon and lat and station and is_small(layout)) or _has(layout, "scale", "code"):
        return None
    place = "metadata.stations"
    draft: dict[str, Any] = {"table": layout.table.name, **_schema(layout)}
    draft["station"] = notes.guess(f"{place}.station", station)
    others = _found(layout, _STATION, notes, place, but=[station.value, lon.value, lat.value])
    if "name" not in others and (name := layout.first("name", but=[station.value])):
        others["name"] = notes.guess(f"{place}.name", name)
    if "elevation" in others and set(words(others["elevation"])) & _FEET:
        notes.say(f"{others.pop('elevation')} is not mapped: heights are in metres, not in feet")
    if unreadable := unreadable_position(layout.facts[lon.value], layout.facts[lat.value]):
        notes.say(
            f"positions in {layout.table.full_name} such as {unreadable!r} cannot be read, and are "
            "left out: make a view that gives decimal degrees"
        )
        return draft | others
    draft["x"] = notes.guess(f"{place}.x", lon)
    draft["y"] = notes.guess(f"{place}.y", lat)
    draft |= others
    crs = layout.first("crs")
    if crs and layout.facts[crs.value].words:
        draft["crs_column"] = notes.guess(f"{place}.crs_column", crs)
    else:
        draft["crs"] = notes.guess(
            f"{place}.crs", crs_of(layout.facts[lon.value], layout.facts[lat.value])
        )
    return draft


def sensor_table(layout: Layout, notes: Notes) -> dict[str, Any] | None:
    """Draft the section ``metadata.sensors``, if this is such a table."""
    station, code, key = layout.station, layout.code, layout.row_id()
    named = (
        meaning(layout.table.name, ["sensor"]) or _has(layout, "model") or _has(layout, "serial")
    )
    if not (station and code and key and named and is_small(layout)) or layout.value:
        return None
    if station.value == key or layout.measures:
        return None
    place = "metadata.sensors"
    codes = {}
    for value, text in layout.known_codes(code.value).items():
        meant = parameter_of_code(text)
        if meant and meant.value in PARAMETERS:
            told = Guess(PARAMETERS[meant.value], meant.confidence, meant.reason)
            codes[value] = notes.guess(f"{place}.codes.{value}", told)
    draft: dict[str, Any] = {"table": layout.table.name, **_schema(layout), "key": key}
    draft["station"] = notes.guess(f"{place}.station", station)
    draft["code"] = notes.guess(f"{place}.code", code)
    draft["codes"] = codes
    if position := layout.first("position", but=[key, *_texts(draft)]):
        draft["position"] = notes.guess(f"{place}.position", position)
    return draft | _found(layout, _SENSOR, notes, place, but=_texts(draft))


def calibration_table(layout: Layout, sensors: Layout, notes: Notes) -> dict[str, Any] | None:
    """Draft the section ``metadata.calibrations``, if this is such a table of these sensors."""
    scale, offset, key = layout.first("scale"), layout.first("offset"), layout.row_id()
    if not (scale and offset and key):
        return None
    referring = [
        Guess(fk.columns[0], 1.0, f"refers to {fk.table}")
        for fk in layout.table.foreign_keys
        if fk.table == sensors.table.name and len(fk.columns) == 1
    ]
    sensor = next(iter(referring), None) or layout.first("sensor", but=[key])
    if sensor is None:
        return None
    place = "metadata.calibrations"
    draft: dict[str, Any] = {"table": layout.table.name, **_schema(layout), "key": key}
    for name, guess in (("sensor", sensor), ("scale", scale), ("offset", offset)):
        draft[name] = notes.guess(f"{place}.{name}", guess)
    spans = {"valid_from": "valid from", "valid_to": "valid to"}
    return draft | _found(layout, spans, notes, place, but=draft.values())


def explain_codes(layout: Layout, others: Sequence[Layout]) -> None:
    """Look up what a table's codes are called, where a small table beside it says so."""
    for name, other, key in _references(layout, others):
        if layout.facts[name].distinct > _LOOKUP_ROWS or not 0 < other.sample.rows <= _LOOKUP_ROWS:
            continue
        if _has(other, "station") or _has(other, "latitude") or other.measures:
            continue
        texts = [n for n, f in other.facts.items() if n != key and f.words]
        codes, units = _explained(other, key, texts)
        if codes:
            layout.codes |= codes
            layout.units |= units
            layout.__dict__.pop("code", None)


def _explained(other: Layout, key: str, texts: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    codes, units = {}, {}
    for row, value in enumerate(other.facts[key].values):
        told = {n: as_text(other.facts[n].values[row] or "") for n in texts}
        written = [text for text in told.values() if text]
        if text := next(filter(parameter_of_code, written), next(iter(written), None)):
            codes[as_text(value)] = text
        short = [t for t in written if t != text and len(t) <= _LONGEST_UNIT]
        named = [t for name, t in told.items() if meaning(name, ["unit"])]
        if unit := next(filter(unit_of, [*named, *short]), None):
            units[as_text(value)] = unit
    known = any(parameter_of_code(text) for text in codes.values())
    return (codes, units) if known else ({}, {})


def via_sensor(layout: Layout, others: Sequence[Layout], notes: Notes, place: str) -> Layout | None:
    """Draft the section ``via``, and give the layout that its columns would be found in.

    The row's own station or code is missing, but it bears a number of a sensor whose table has
    them, once for each.
    """
    for name, other, key in _references(layout, others):
        if other is layout or not is_small(other) or key not in other.facts:
            continue
        facts = other.facts[key]
        if not other.station or other.station.value == key or facts.distinct < other.sample.rows:
            continue
        notes.guess(f"{place}.via", Guess(name, 0.85, f"it names {other.table.name}.{key}"))
        return other
    return None


def reference(layout: Layout, other: Layout) -> tuple[str, str] | None:
    """Give the column that names a row of another table, and the key that it names there."""
    return next(((n, key) for n, o, key in _references(layout, [other]) if o is other), None)


def _references(layout: Layout, others: Sequence[Layout]) -> list[tuple[str, Layout, str]]:
    """Find columns that refer to other tables: by foreign keys, then by equal names."""
    by_name = {other.table.name: other for other in others if other is not layout}
    found = [
        (fk.columns[0], by_name[fk.table], fk.referred[0] if fk.referred else "")
        for fk in layout.table.foreign_keys
        if len(fk.columns) == 1 and fk.table in by_name and fk.columns[0] in layout.facts
    ]
    for other in by_name.values():
        key = other.row_id()
        if key is None or key == layout.row_id():
            continue
        for name in layout.facts:
            alike = name.lower() == key.lower() or _names(name, other.table.name, key)
            if alike and _covers(layout, name, other, key):
                found.append((name, other, key))
    return [item for item in found if item[2] in item[1].facts]


def _names(column: str, table: str, key: str) -> bool:
    """Say whether a column's name is made of a table's and its key's: sensor_id, sensors.id."""
    plain, stem = column.lower().replace("_", ""), table.lower().replace("_", "").rstrip("s")
    return plain == stem + key.lower().replace("_", "") or (
        plain.startswith(stem) and len(stem) > 2 and meaning(key, ["id"]) is not None
    )


def _covers(layout: Layout, name: str, other: Layout, key: str) -> bool:
    ours = {as_text(v) for v in layout.facts[name].present}
    theirs = {as_text(v) for v in other.facts[key].present} if key in other.facts else set()
    return bool(ours) and len(ours & theirs) >= 0.9 * len(ours)


def _own_station(layout: Layout) -> Guess | None:
    key = layout.row_id()
    if layout.station is not None:
        return layout.station
    if key and meaning(layout.table.name, ["station"]):
        return Guess(key, 0.8, "the key of a table of stations")
    return None


def _found(
    layout: Layout, wanted: dict[str, str], notes: Notes, place: str, but: Any
) -> dict[str, Any]:
    taken = list(but)
    found = {}
    for ours, sense in wanted.items():
        guess = layout.first(sense, but=taken)
        if guess is not None:
            taken.append(guess.value)
            found[ours] = notes.guess(f"{place}.{ours}", guess)
    return found


def _has(layout: Layout, *senses: str) -> bool:
    return any(layout.first(sense) is not None for sense in senses)


def _texts(draft: dict[str, Any]) -> list[str]:
    return [value for value in draft.values() if isinstance(value, str)]


def _schema(layout: Layout) -> dict[str, str]:
    return {"db_schema": layout.table.schema} if layout.table.schema else {}
