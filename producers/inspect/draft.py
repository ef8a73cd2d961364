"""The proposed mapping: every table that looks like readings, and the metadata beside them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from producers.inspect.guesses import Guess, Notes
from producers.inspect.layout import Layout
from producers.inspect.left_out import say_values_in_words
from producers.inspect.metadata_guess import (
    calibration_table,
    explain_codes,
    sensor_table,
    station_table,
)
from producers.inspect.names import words
from producers.inspect.plain import as_text
from producers.inspect.table_draft import Hints, looks_like_readings, table_draft
from producers.inspect.time_guess import time_of
from runtime.errors import Configuration
from schemas.mapping import Mapping, parse_mapping

_DERIVED: Final = {
    "daily", "monthly", "yearly", "summary", "stat", "stats", "statistics", "agg", "avg", "bak",
    "backup", "old", "hist", "history", "staging", "stg", "copy",
    "이력", "백업", "tmp", "archive", "test", "log", "audit", "forecast", "일별", "월별",
}  # fmt: skip
_COMPARED: Final = 50


@dataclass(slots=True)
class Proposal:
    """A mapping as it may stand in a file, and what was guessed on the way to it.

    Attributes:
        document: the mapping, as YAML and JSON have it.
        notes: every guess with its confidence and reason, and what is not known.
        layouts: the tables of readings by name, joined with what their rows borrow.
        problem: why the mapping would be refused as it stands; empty if it would not.
    """

    document: dict[str, Any]
    notes: Notes
    layouts: dict[str, Layout] = field(default_factory=dict)
    problem: str = ""

    def mapping(self) -> Mapping | None:
        """Give the mapping, if it is one as it stands."""
        return None if self.problem else Mapping.model_validate(self.document)


def propose(layouts: Sequence[Layout], hints: Hints, dialect: str) -> Proposal:
    """Draft a mapping of all tables that look like readings."""
    notes = Notes()
    for layout in layouts:
        explain_codes(layout, layouts)
    metadata, taken = _metadata(layouts, notes)
    proposal = Proposal({"source": hints.source, "version": 1, "tables": []}, notes)
    for layout in _chosen(layouts, taken, notes):
        drafted = table_draft(layout, layouts, hints, dialect, notes)
        if drafted is not None:
            proposal.document["tables"].append(drafted.document)
            proposal.layouts[layout.table.name] = drafted.layout
    if metadata:
        proposal.document["metadata"] = metadata
    _compare(proposal)
    for layout in layouts:
        _say_why_not(layout, notes)
    if not proposal.document["tables"]:
        notes.say("no table looks like readings of the weather")
    proposal.problem = _problem(proposal.document)
    return proposal


def _say_why_not(layout: Layout, notes: Notes) -> None:
    """Say what keeps a table out that looks as if it held readings."""
    if time_of(layout) is None:
        if len(layout.measures) > 1:
            told = "has columns of the weather, but no time that can be read"
            notes.say(f"{layout.table.full_name} {told}")
    elif layout.code and layout.value is None:
        say_values_in_words(layout, notes)


def source_name(name: str) -> str:
    """Make the name of a source of that of its database.

    >>> source_name("AOS_2020.db"), source_name("기상")
    ('aos-2020', 'aos')
    """
    plain = re.sub(r"[^a-z0-9]+", "-", Path(name).stem.lower()).strip("-")
    return plain if plain[:1].isalpha() else "aos" + (f"-{plain}" if plain else "")


def _metadata(layouts: Sequence[Layout], notes: Notes) -> tuple[dict[str, Any], set[str]]:
    own = Notes()
    stations = [(d, one) for one in layouts if (d := station_table(one, Notes())) is not None]
    sensors = [(d, one) for one in layouts if (d := sensor_table(one, Notes())) is not None]
    taken = {one.table.name for _, one in [*stations, *sensors]}
    if not stations:
        notes.say(
            "no table of stations was recognised: without metadata every reading is flagged 2, "
            "not evaluated"
        )
        return {}, taken
    station = max(stations, key=lambda item: (len(item[0]), item[1].sample.rows))[1]
    parts: dict[str, Any] = {"zone": own.guess("metadata.zone", _validity_zone(layouts))}
    parts["stations"] = station_table(station, own)
    if sensors:
        best = max(sensors, key=lambda item: (len(item[0]["codes"]), len(item[0])))[1]
        parts |= _sensors(best, [one for one in layouts if one is not station], own, taken)
    else:
        notes.say(
            "no table of sensors was recognised: every station is supposed to have the sensors "
            "that the readings speak of; heights and calibrations are not known"
        )
    notes.guesses += own.guesses
    for what in own.unknown:
        notes.say(what)
    return parts, taken


def _sensors(
    sensor: Layout, layouts: Sequence[Layout], notes: Notes, taken: set[str]
) -> dict[str, Any]:
    """Draft the sections of sensors and of their calibrations; name their tables as taken."""
    parts: dict[str, Any] = {"sensors": sensor_table(sensor, notes)}
    for one in layouts:
        drafted = calibration_table(one, sensor, notes) if one is not sensor else None
        if drafted is not None:
            parts["calibrations"] = drafted
            taken.add(one.table.name)
            break
    return parts


def _validity_zone(_layouts: Sequence[Layout]) -> Guess:
    return Guess("UTC", 0.5, "the zone of validity times stands in no data; UTC is supposed")


def _chosen(layouts: Sequence[Layout], taken: set[str], notes: Notes) -> list[Layout]:
    """Choose the tables of readings: no metadata, nothing derived, no view of what is there."""
    likely = [x for x in layouts if x.table.name not in taken and looks_like_readings(x, layouts)]
    derived = [x for x in likely if set(words(x.table.name)) & _DERIVED and len(likely) > 1]
    chosen: list[Layout] = []
    for layout in sorted(likely, key=_largest_first):
        name = layout.table.full_name
        columns = {c.name.lower() for c in layout.table.columns}
        same = [x for x in chosen if len(columns & _column_names(x)) > 0.6 * len(columns)]
        if layout.table.is_view and same:
            base = max(same, key=lambda x: x.table.count.rows if x.table.count else 0)
            notes.say(f"view {name} is not mapped: {base.table.full_name} has its columns")
        elif layout in derived and len(derived) < len(likely):
            notes.say(f"{name} is not mapped: by its name it is a summary or a copy of others")
        elif whole := next((x for x in chosen if _repeats(layout, x)), None):
            notes.say(f"{name} is not mapped: its rows stand in {whole.table.full_name}, too")
        elif any(x.table.name == layout.table.name for x in chosen):
            notes.say(f"{name} is not mapped: another schema has a table of this name, too")
        else:
            chosen.append(layout)
    return sorted(chosen, key=lambda x: -(x.table.count.rows if x.table.count else 0))


def _largest_first(layout: Layout) -> tuple[bool, int, int]:
    rows = layout.table.count.rows if layout.table.count else 0
    return layout.table.is_view, -rows, len(layout.table.name)


def _repeats(part: Layout, whole: Layout) -> bool:
    """Say whether a table's rows are those of another one: of a copy, or of its partitions."""
    names = sorted(part.sample.columns)
    if names != sorted(whole.sample.columns) or not part.sample.rows or part.station is None:
        return False  # tables that name no station may be one for each
    rows = {_row(whole, names, n) for n in range(whole.sample.rows)}
    looked_at = range(0, part.sample.rows, max(1, part.sample.rows // _COMPARED))
    same = sum(_row(part, names, n) in rows for n in looked_at)
    return same > 0.5 * len(looked_at)


def _row(layout: Layout, names: Sequence[str], number: int) -> tuple[str, ...]:
    return tuple(as_text(layout.sample.columns[name][number]) for name in names)


def _column_names(layout: Layout) -> set[str]:
    return {c.name.lower() for c in layout.table.columns}


def _compare(proposal: Proposal) -> None:
    """Say where two tables tell of the same sensors."""
    known: dict[tuple[str, str], str] = {}
    for table in proposal.document["tables"]:
        layout = proposal.layouts[table["table"]]
        known_as = table.get("constants", layout.sample.columns).get(table["station"], [])
        stations = {known_as} if isinstance(known_as, str) else set(map(str, known_as))
        parameters = {r["parameter"] for r in table["readings"]}
        pairs = {(s, p) for s in stations for p in parameters}
        for other in sorted({known[pair] for pair in pairs if pair in known}):
            if _stem(other) == _stem(table["table"]):
                proposal.notes.say(
                    f"{_stem(other)}… are parts of one table: what comes after them is not read; "
                    "map a view of all parts instead"
                )
                continue
            proposal.notes.say(
                f"{table['table']} and {other} tell of the same sensors: keep the finer of the two"
            )
        known |= dict.fromkeys(pairs, table["table"])


def _stem(name: str) -> str:
    return name.rstrip("0123456789").rstrip("_-")


def _problem(document: dict[str, Any]) -> str:
    try:
        parse_mapping(document, Path("mapping.yaml"))
    except Configuration as error:
        return error.message.partition(": ")[2]
    return ""
