"""The documents of an inspection, in Markdown: schema, quality, volume."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from producers.inspect.catalogue import Table
from producers.inspect.run import Inspection

_CANCELLED: Final = "*Cancelled: only what had been seen by then stands here.*"


def pages(found: Inspection) -> dict[str, str]:
    """Give every page by its file name."""
    written = {
        "schema.md": _schema(found),
        "quality.md": _quality(found),
        "volume.md": _volume(found),
    }
    head = [_CANCELLED, ""] if found.cancelled else []
    return {
        name: "\n".join([next(lines), "", *head, *lines]) + "\n" for name, lines in written.items()
    }


def _schema(found: Inspection) -> Iterator[str]:
    yield "# Schema of the source"
    for table in found.catalogue.tables:
        yield from _table(table)
    yield "## Relations\n"
    yield from _list(
        f"{t.full_name} ({', '.join(fk.columns)}) → {fk.table} ({', '.join(fk.referred)})"
        for t in found.catalogue.tables
        for fk in t.foreign_keys
    )
    yield "## What could not be seen\n"
    yield from _list(found.unseen)


def _table(table: Table) -> Iterator[str]:
    yield f"## {'View' if table.is_view else 'Table'} {_plain(table.full_name)}\n"
    if table.comment:
        yield f"{_plain(table.comment)}\n"
    rows = f"{table.count.rows:,} ({table.count.how})" if table.count else "not known"
    yield f"Rows: {rows}. Primary key: {_names(table.primary_key)}.\n"
    columns = [
        {
            "column": c.name, "type": c.type, "null": "yes" if c.nullable else "no",
            "default": c.default, "comment": c.comment,
        }
        for c in table.columns
    ]  # fmt: skip
    yield from _grid(columns)
    said = [f"index {i.name}: {_names(i.columns)}{' unique' * i.unique}" for i in table.indexes]
    said += [f"unique {i.name}: {_names(i.columns)}" for i in table.uniques]
    said += [f"check: `{_plain(check)}`" for check in table.checks]
    if said:
        yield from _list(said)


def _quality(found: Inspection) -> Iterator[str]:
    yield "# Quality of the sampled rows"
    yield "## Measures\n\nOut of range by the limits of the stream; sentinels are not counted.\n"
    yield from _grid(found.measures)
    yield "## Stations\n\nTimes by the mapping's guess; delay is from observation to change.\n"
    yield from _grid(found.stations)
    yield "Observed in the future: " + (
        ", ".join(
            f"{name} {'not known' if n is None else n}" for name, n in found.in_future.items()
        )
        or "no table of readings"
    )
    yield "\n## Columns\n"
    yield from _grid(found.columns)


def _volume(found: Inspection) -> Iterator[str]:
    yield "# Volume of the source"
    yield from _grid(found.volume)
    yield "## Recommended\n"
    yield from _grid(found.recommendations)
    yield "## Sampled\n"
    yield from _list(
        f"{x.table.full_name}: {x.sample.problem or _sampled(x.sample)}" for x in found.layouts
    )


def _sampled(sample: Any) -> str:
    if sample.whole:
        return f"all {sample.rows:,} rows"
    by = f"the newest by {sample.order}" if sample.order else "in no order: not always the newest"
    return f"{sample.rows:,} rows, {by}"


def _grid(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not rows:
        yield "Nothing.\n"
        return
    yield f"| {' | '.join(_plain(name.replace('_', ' ')) for name in rows[0])} |"
    yield f"|{' --- |' * len(rows[0])}"
    for row in rows:
        yield f"| {' | '.join(_cell(value) for value in row.values())} |"
    yield ""


def _list(items: Iterable[str]) -> Iterator[str]:
    lines = [f"- {_plain(item)}" for item in items]
    yield from lines or ["Nothing."]
    yield ""


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _plain(", ".join(f"{key}: {each}" for key, each in value.items()))
    return f"{value:,}" if isinstance(value, int) else _plain(str(value))


def _plain(text: str) -> str:
    """Keep what others wrote from being taken for Markdown's own signs."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _names(columns: Sequence[str]) -> str:
    return _plain(", ".join(columns)) or "none"
