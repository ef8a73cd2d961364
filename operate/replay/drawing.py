"""What a person sees of a difference: how many readings change, which most, and on which days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from operate.printing import console, show
from operate.replay.difference import Difference

_MEANS: Final = {1: "good", 2: "not evaluated", 3: "suspect", 4: "fail", 9: "missing"}
_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_DAY: Final = timedelta(days=1)
_MOST_COLUMNS: Final = 92


def show_differences(found: Sequence[Difference]) -> None:
    """Print them: a table of counts, of flags, of the largest changes, of samples, and a plot."""
    show([counts_of(one) for one in found], as_json=False)
    out = console()
    parts = {
        "Flags": [row for one in found for row in _flags(one)],
        "Largest changes of a value": [_row(row) for one in found for row in one.largest],
        "Some of those judged otherwise": [_row(row) for one in found for row in one.sample],
    }
    for title, rows in parts.items():
        if rows:
            out.print(f"\n{title}", style="bold")
            show(rows, as_json=False)
    if plotted := [*plot(found)]:
        out.print("\nReadings judged otherwise, by day", style="bold")
        out.print("\n".join(plotted), highlight=False)


def counts_of(one: Difference) -> dict[str, Any]:
    """Give the row of a parameter."""
    return {
        "parameter": one.parameter,
        "replayed": one.compared,
        "would change": one.counts["readings"],
        "judged otherwise": one.counts["judged"],
        "named otherwise": one.counts["named"],
        "new": one.counts["added"],
    }


def documents(found: Sequence[Difference]) -> list[dict[str, Any]]:
    """Give them as JSON will have them."""
    return [asdict(one) for one in found]


def plot(found: Sequence[Difference]) -> Iterator[str]:
    """Draw a line of blocks for each parameter that changes; as high as its busiest day."""
    days = [row["day"] for one in found for row in one.days]
    if not days:
        return
    first, last = min(days), max(days)
    for one in found:
        if one.days:
            yield f"{one.parameter:>12} {blocks(columns(one.days, first, last))}"
    yield f"{'':>12} {first:%Y-%m-%d} to {last:%Y-%m-%d}"


def columns(rows: Sequence[dict[str, Any]], first: datetime, last: datetime) -> list[int]:
    """Sum up readings by day, or by so many days that a line has room for all."""
    days = (last - first) // _DAY + 1
    each = -(-days // _MOST_COLUMNS)
    found = [0] * -(-days // each)
    for row in rows:
        found[(row["day"] - first) // _DAY // each] += row["readings"]
    return found


def blocks(counts: Sequence[int]) -> str:
    """Draw counts beside each other; the smallest that is something is seen.

    >>> blocks([0, 1, 40, 80])
    ' ▁▄█ 80 at most'
    """
    most = max(counts)
    drawn = "".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // most)] for count in counts)
    return f"{drawn} {most:,} at most"


def _flags(one: Difference) -> Iterator[dict[str, Any]]:
    for row in one.flags:
        was, becomes = (_MEANS.get(row[name], row[name]) for name in ("was", "becomes"))
        told = "other tests or values" if was == becomes else becomes
        yield {
            "parameter": one.parameter,
            "was": was,
            "becomes": told,
            "readings": row["readings"],
        }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Give a row as it is read; times to the minute, flags by their names."""
    return {name: _told(name, value) for name, value in row.items()}


def _told(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%MZ}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return _MEANS.get(value, value) if name.endswith("flag") else value
