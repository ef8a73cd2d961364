"""Columns that rows have from elsewhere: from their sensor's row, or from that of their heading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from producers.inspect.catalogue import Table
from producers.inspect.guesses import Guess, Notes
from producers.inspect.layout import Layout
from producers.inspect.metadata_guess import reference, via_sensor
from producers.inspect.plain import as_text
from producers.inspect.time_guess import time_of
from schemas.mapping_parts import Time


def with_sensor(
    layout: Layout, others: Sequence[Layout], document: dict[str, Any], notes: Notes, place: str
) -> Layout:
    """Add the columns that rows have by way of their sensor, where they lack them themselves."""
    lacks_code = layout.value is not None and layout.code is None and not layout.measures
    if layout.station is not None and not lacks_code:
        return layout
    other = via_sensor(layout, others, notes, place)
    referring = reference(layout, other) if other else None
    if other is None or referring is None or (lacks_code and other.code is None):
        return layout
    parts = [other.station, other.code if lacks_code else None, other.first("position")]
    return _via(layout, other, referring, [p.value for p in parts if p is not None], document)


def heading(layout: Layout, others: Sequence[Layout]) -> tuple[Layout, tuple[str, str]] | None:
    """Find the table that rows without a time refer to, and that has one.

    With it come the column that refers, and the key that it names.
    """
    if layout.value is None or layout.code is None or time_of(layout) is not None:
        return None
    for other in others:
        referring = reference(layout, other) if other is not layout else None
        if referring and time_of(other) is not None:
            return other, referring
    return None


def with_heading(
    layout: Layout, others: Sequence[Layout], document: dict[str, Any], notes: Notes, place: str
) -> Layout:
    """Add time and station where rows have them from the heading that they refer to."""
    found = heading(layout, others)
    if found is None:
        return layout
    other, referring = found
    times = time_of(other)
    how = Time.model_validate({**times.value, "zone": "UTC"}) if times else None
    wanted = [*(how.columns if how else ()), other.station.value if other.station else ""]
    notes.guess(f"{place}.via", Guess(referring[0], 0.8, f"its time stands in {other.table.name}"))
    return _via(layout, other, referring, wanted, document)


def _via(
    layout: Layout,
    other: Layout,
    referring: tuple[str, str],
    wanted: Sequence[str],
    document: dict[str, Any],
) -> Layout:
    """Draft the section ``via`` for the columns that the row lacks; give it joined with them."""
    on, key = referring
    lacking = [n for n in wanted if n in other.sample.columns and n not in layout.sample.columns]
    borrowed = [name for name in dict.fromkeys(lacking) if name != key]
    if not borrowed:
        return layout
    document["via"] = {"table": other.table.name, "on": on, "key": key, "columns": borrowed}
    if other.table.schema != layout.table.schema and other.table.schema:
        document["via"]["db_schema"] = other.table.schema
    return _joined(layout, other, on, key, borrowed)


def _joined(layout: Layout, other: Layout, on: str, key: str, borrowed: list[str]) -> Layout:
    row_of = {as_text(v): row for row, v in enumerate(other.sample.columns[key])}
    rows = [row_of.get(as_text(v)) for v in layout.sample.columns[on]]
    columns = dict(layout.sample.columns)
    for name in borrowed:
        values = other.sample.columns[name]
        columns[name] = [None if row is None else values[row] for row in rows]
    own: Table = layout.table
    table = replace(
        own, columns=[*own.columns, *(c for c in other.table.columns if c.name in borrowed)]
    )
    sample = replace(layout.sample, columns=columns)
    return Layout(table, sample, layout.codes | other.codes, layout.units | other.units)
