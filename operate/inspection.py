"""How an inspection is shown on a terminal: what matters of it, in tables that fit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from operate.printing import table
from producers.inspect.run import Inspection
from producers.inspect.yaml_text import yaml_text

_SHOWN: Final = 40
_WIDE: Final = 200
Row = dict[str, Any]


def show(found: Inspection, *, with_draft: bool) -> None:
    """Print the summary; with the draft of the mapping, where it is not written to a file."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    for title, rows in (
        ("Tables", _tables(found)),
        ("Measures", [_measure(row) for row in found.measures]),
        ("Stations", [_station(row) for row in found.stations]),
        ("Volume", [_volume(row) for row in found.volume]),
        ("Recommended", found.recommendations),
    ):
        if rows:
            console.print(table(rows[:_SHOWN], title))
        if len(rows) > _SHOWN:
            console.print(f"and {len(rows) - _SHOWN} more; --out writes them all\n")
    _say(console, "Could not be seen", found.unseen)
    _say(console, "Not known, or not usable", found.proposal.notes.unknown)
    if with_draft:
        console.print("\nProposed mapping\n", style="bold")
        console.print(Text(yaml_text(found.proposal)), soft_wrap=True)
    if found.proposal.problem:
        told = f"The draft is not ready: {found.proposal.problem}"
        console.print(Text(told, style="yellow"), soft_wrap=True)


def _tables(found: Inspection) -> list[Row]:
    document = found.proposal.document
    roles = {t["table"]: f"readings, {t['shape']}" for t in document["tables"]}
    parts = document.get("metadata", {}).items()
    roles |= {part["table"]: name for name, part in parts if isinstance(part, dict)}
    return [
        {
            "table": t.full_name,
            "kind": "view" if t.is_view else "table",
            "columns": len(t.columns),
            "rows": t.count.rows if t.count else None,
            "counted": t.count.how if t.count else "not known",
            "taken for": roles.get(t.name, ""),
        }
        for t in found.catalogue.tables
    ]


def _measure(row: Row) -> Row:
    return {
        "table": f"{row['table']} {row['code'] or ''}".strip(),
        "measure": f"{row['parameter']} {row['measure']}".removesuffix(" value"),
        "column": row["column"],
        "unit": row["unit"],
        "values": f"{_short(row['least'])} to {_short(row['greatest'])}",
        **{name: row[name] for name in ("rows", "missing", "sentinels")},
        "out": row["out_of_range"],
    }


def _station(row: Row) -> Row:
    return {
        "table": row["table"],
        "station": row["station"],
        "from": (row["first"] or "")[:10],
        "to": (row["last"] or "")[:10],
        "every": _seconds(row["cadence_seconds"]),
        "rows": row["rows"],
        "twice": row["duplicates"],
        "gaps": row["missing_times"],
        "delay": _seconds(row["delay_seconds"]),
    }


def _volume(row: Row) -> Row:
    return {
        "table": row["table"],
        "rows": row["rows"],
        "an hour": row["rows_per_hour"],
        "a day": row["rows_per_day"],
        "a year": row["rows_per_year"],
        "every": _seconds(row["cadence_seconds"]),
        "last write": row["last_write"],
    }


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:g} s"


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def _say(console: Console, title: str, lines: Iterable[str]) -> None:
    told = list(lines)
    if told:
        console.print(f"\n{title}", style="bold")
    for line in told[:_SHOWN]:
        console.print(Text(f"  {line}"), soft_wrap=True)
