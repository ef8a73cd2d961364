"""How commands print: a table for people, or JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

Row = Mapping[str, Any]
_WIDE: Final = 200


def show(rows: Sequence[Row], *, as_json: bool, empty: str = "nothing to show") -> None:
    """Print rows that all have the same keys."""
    if as_json:
        print_json(list(rows))
    elif rows:
        console = Console()
        # What is read by a program, or kept in a file, is not cut to the width of some terminal.
        console.print(table(rows), width=None if console.is_terminal else _WIDE)
    else:
        Console().print(empty)


def print_json(document: Any) -> None:
    """Print a document on standard output; times and paths as text."""
    Console(soft_wrap=True, highlight=False, markup=False).print(
        json.dumps(document, indent=2, default=str, ensure_ascii=False)
    )


def table(rows: Sequence[Row], title: str | None = None) -> Table:
    """Draw rows; numbers stand to the right."""
    drawn = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for name, value in rows[0].items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        drawn.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*map(text, row.values()))
    return drawn


def text(value: object) -> str:
    """Write a value as it stands in a table.

    >>> text(1234567), text(None), text(True)
    ('1,234,567', '', 'yes')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
