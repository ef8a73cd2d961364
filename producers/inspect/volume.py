"""How much there is, how fast it grows, and what that means for poll, page and chunk."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from producers.inspect.draft import Proposal
from producers.inspect.facts import NO_TIME
from producers.inspect.layout import Layout, seconds_between
from producers.inspect.plain import as_text
from producers.inspect.quality import observed, wall
from weather.arrays import Micros

Row = dict[str, Any]
_DAY: Final = 86_400_000_000
_HOUR: Final = 3_600_000_000
_CHUNK_DAYS: Final = ((5_000_000, 1), (300_000, 7), (0, 30))
_ROWS_IN_CHUNK: Final = 10_000_000
_LEAST_PAGE, _MOST_PAGE = 5_000, 50_000


def table_rows(proposal: Proposal) -> list[Row]:
    """Profile every table of readings."""
    return [_table(t, proposal.layouts[t["table"]]) for t in proposal.document["tables"]]


def _table(table: Row, layout: Layout) -> Row:
    local = observed(table, layout)
    known = local[local != NO_TIME] if local is not None else np.array([], dtype=np.int64)
    a_day = _per_day(known)
    readings = len(table["readings"]) if table["shape"] == "wide" else 1
    count = layout.table.count
    changed = layout.modified
    written = layout.facts[changed.value].local() if changed else np.array([], dtype=np.int64)
    written = written[written != NO_TIME]
    return {
        "table": table["table"],
        "rows": count.rows if count else None,
        "how_counted": count.how if count else "unknown",
        "sampled": layout.sample.rows,
        "whole": layout.sample.whole,
        "first_observed": wall(known.min()) if len(known) else None,
        "last_observed": wall(known.max()) if len(known) else None,
        "last_write": wall(written.max()) if len(written) else None,
        "stations": len({as_text(v) for v in layout.sample.columns.get(table["station"], [None])}),
        "cadence_seconds": _cadence(table, layout, local),
        "rows_per_hour": None if a_day is None else round(a_day / 24, 1),
        "busiest_hour": _busiest(known, _HOUR),
        "rows_per_day": None if a_day is None else round(a_day),
        "busiest_day": _busiest(known, _DAY),
        "rows_per_year": None if a_day is None else round(a_day * 365.25),
        "readings_per_day": None if a_day is None else round(a_day * readings),
    }


def _per_day(known: Micros) -> float | None:
    """Give the rows of a usual day: the median of whole days, or what a part of one speaks for."""
    if len(known) < 2 or np.ptp(known) == 0:
        return None
    _, counts = np.unique(known // _DAY, return_counts=True)
    if len(counts) > 2:
        return float(np.median(counts[1:-1]))
    return len(known) * _DAY / max(float(np.ptp(known)), float(_HOUR))


def _busiest(known: Micros, span: int) -> int | None:
    return int(np.unique(known // span, return_counts=True)[1].max()) if len(known) else None


def _cadence(table: Row, layout: Layout, local: Micros | None) -> float | None:
    if local is None:
        return None
    names = [table.get(part) for part in ("station", "code", "position")]
    columns = [layout.sample.columns[n] for n in names if n in layout.sample.columns]
    series: list[Any] = [tuple(map(as_text, row)) for row in zip(*columns, strict=True)]
    return round(seconds_between(local, series or [None] * len(local)), 1) or None


def recommendations(rows: list[Row]) -> list[Row]:
    """Recommend settings, each with its reason."""
    a_day = sum(row["readings_per_day"] or 0 for row in rows)
    cadences = [row["cadence_seconds"] for row in rows if row["cadence_seconds"]]
    if not a_day or not cadences:
        told = "rows of several times are needed to tell; the defaults hold"
        return [{"setting": "all", "value": "defaults", "reason": told}]
    return [_chunk(a_day), _poll(min(cadences)), _page(rows)]


def _chunk(a_day: int) -> Row:
    days = next(days for least, days in _CHUNK_DAYS if a_day >= least)
    told = (
        f"{a_day:,} readings a day over all parameters are {a_day * days:,} in {days} days: few "
        f"chunks to plan over, and none beyond some {_ROWS_IN_CHUNK:,} rows to fit in memory"
    )
    return {"setting": "sink.chunk_days", "value": days, "reason": told}


def _poll(cadence: float) -> Row:
    seconds = min(60.0, max(1.0, round(cadence / 60, 1)))
    told = f"the quickest series has a row every {cadence:g} s; a sixtieth of it adds no delay"
    return {"setting": "source.poll_seconds", "value": seconds, "reason": told}


def _page(rows: list[Row]) -> Row:
    busiest = max(row["busiest_hour"] or 0 for row in rows)
    page = min(_MOST_PAGE, max(_LEAST_PAGE, -(-busiest // 1000) * 1000))
    told = (
        f"the busiest hour sampled has {busiest:,} rows: one page or a few take it; a page is one "
        f"transaction, from {_LEAST_PAGE:,} for the way back through history to {_MOST_PAGE:,}"
    )
    return {"setting": "source.page_rows", "value": page, "reason": told}
