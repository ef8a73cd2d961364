"""How commands print: a table for people, or JSON for programs. Nothing is cut to make it fit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table

Row = Mapping[str, Any]
_WIDE: Final = 200
_UNBOUND: Final = 10_000


class Fitting:
    """Several drawings of one thing, the widest first: drawn is the first for which there is room.

    Where there is room for none, it is the last, which has to fold.
    """

    def __init__(self, *drawings: RenderableType) -> None:
        self._drawings = drawings

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        unbound = options.update(max_width=_UNBOUND)
        fit = (
            drawing
            for drawing in self._drawings
            if Measurement.get(console, unbound, drawing).maximum <= options.max_width
        )
        yield next(fit, self._drawings[-1])


def console(*, stderr: bool = False, wide: int = _WIDE) -> Console:
    """Open a terminal; what a program reads or a file keeps is as ``wide`` as it needs."""
    found = Console(stderr=stderr)
    return found if found.is_terminal else Console(stderr=stderr, width=wide)


def show(rows: Sequence[Row], *, as_json: bool, empty: str = "nothing to show") -> None:
    """Print rows that all have the same keys."""
    if as_json:
        print_json(list(rows))
    elif rows:
        console().print(Fitting(table(rows), stacked(rows)))
    else:
        console().print(empty)


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


def stacked(rows: Sequence[Row]) -> Group:
    """Draw rows one below the other, a line for each of their values that is not empty."""
    drawn: list[RenderableType] = []
    for row in rows:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim")
        grid.add_column(overflow="fold")
        for name, value in row.items():
            if told := text(value):
                grid.add_row(name, told)
        drawn += [grid, ""]
    return Group(*drawn)


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
