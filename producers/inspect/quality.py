"""How good the sampled rows are: by measure, and by station."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from producers.inspect.draft import Proposal
from producers.inspect.facts import NO_TIME, Facts
from producers.inspect.layout import Layout, by_group, seconds_between
from producers.inspect.measure_guess import Values
from producers.inspect.plain import as_text
from schemas.mapping_parts import UNSET
from weather.arrays import Floats, Micros
from weather.ruleset import DEFAULT
from weather.time import to_utc
from weather.units import known_units, to_standard

Row = dict[str, Any]
_GAP: Final = 1.5
_SOON: Final = 300_000_000
_MOST_STATIONS: Final = 1000


def column_rows(layout: Layout) -> list[Row]:
    """Profile every sampled column of a table."""
    return [_column(layout, facts) for facts in layout.facts.values()]


def _column(layout: Layout, facts: Facts) -> Row:
    rows = len(facts.values)
    numeric = facts.is_numeric and bool(facts.present)
    words = facts.words if numeric else Counter[str]()
    return {
        "table": layout.table.full_name,
        "column": facts.name,
        "type": facts.column.type,
        "rows": rows,
        "nulls": facts.nulls,
        "null_share": round(facts.nulls / rows, 4) if rows else None,
        "distinct": facts.distinct,
        "least": _rounded(facts.measured.min()) if len(facts.measured) else None,
        "greatest": _rounded(facts.measured.max()) if len(facts.measured) else None,
        "numbers_as_text": facts.numbers_as_text,
        "text_in_numbers": dict(words.most_common(5)),
        "sentinels": {f"{value:g}": count for value, count in facts.sentinels.items()},
    }


def measure_rows(proposal: Proposal) -> list[Row]:
    """Profile every mapped measure by the limits that the stream will judge it by."""
    return [
        _measure(table, proposal.layouts[table["table"]], reading, name, measure)
        for table in proposal.document["tables"]
        for reading in table["readings"]
        for name, measure in reading["measures"].items()
    ]


def _measure(table: Row, layout: Layout, reading: Row, name: str, measure: Row) -> Row:
    rows = np.ones(layout.sample.rows, dtype=np.bool_)
    if "code" in reading:
        codes = layout.sample.columns[table["code"]]
        rows = np.array([as_text(v) == reading["code"] for v in codes], dtype=np.bool_)
    facts = layout.facts[measure["column"]]
    values = Values(facts, rows)
    numbers, unit = values.numbers, measure["unit"]
    missing = sum(bool(use) and v is None for v, use in zip(facts.values, rows, strict=True))
    low, high = DEFAULT.range_of(reading["parameter"], name)
    is_known = unit in known_units(reading["parameter"], name)
    standard = to_standard(numbers, reading["parameter"], name, unit) if is_known else None
    return {
        "table": table["table"],
        "code": reading.get("code"),
        "parameter": reading["parameter"],
        "measure": name,
        "column": measure["column"],
        "unit": unit,
        "rows": int(rows.sum()),
        "missing": missing,
        "sentinels": sum(values.sentinels.values()),
        "least": _rounded(numbers.min()) if len(numbers) else None,
        "greatest": _rounded(numbers.max()) if len(numbers) else None,
        "out_of_range": None if standard is None else _outside(standard, low, high),
        "limits": f"{low:g} to {high:g} {known_units(reading['parameter'], name)[0]}",
    }


def station_rows(proposal: Proposal) -> list[Row]:
    """Profile the times of every station: duplicates, gaps, clocks."""
    return [
        row
        for table in proposal.document["tables"]
        for row in _stations(table, proposal.layouts[table["table"]])
    ]


def _stations(table: Row, layout: Layout) -> list[Row]:
    local = observed(table, layout)
    if local is None:
        return []
    stations = [as_text(v) for v in _column_of(layout, table["station"])]
    parts = [_column_of(layout, table[p]) for p in ("code", "position") if table.get(p)]
    series = [tuple(map(as_text, row)) for row in zip(stations, *parts, strict=True)]
    cadence = seconds_between(local, list(series))
    skew = _skew(table, layout, local)
    rows = []
    names = sorted(set(stations))[:_MOST_STATIONS]
    at: dict[str, list[int]] = {name: [] for name in names}
    for row, station in enumerate(stations):
        if station in at:
            at[station].append(row)
    for station in names:
        here = np.array(at[station], dtype=np.intp)
        told = _station(local[here], [series[i] for i in here], cadence)
        clock = _clock(None if skew is None else skew[here])
        rows.append({"table": table["table"], "station": station, **told, **clock})
    return rows


def _station(local: Micros, series: list[Any], cadence: float) -> Row:
    groups = by_group(local, series)
    known = local[local != NO_TIME]
    own = seconds_between(local, series)
    duplicates = sum(len(times) - len(np.unique(times)) for times in groups.values())
    missing, longest = 0, 0.0
    step = own or cadence
    for times in groups.values():
        apart: Floats = np.diff(np.unique(times)).astype(np.float64) / 1e6
        gaps = apart[apart > _GAP * step] if step else apart[:0]
        missing += int(np.round(gaps / step - 1).sum()) if step else 0
        longest = max([longest, *gaps.tolist()])
    return {
        "rows": len(local),
        "no_time": int((local == NO_TIME).sum()),
        "first": wall(known.min()) if len(known) else None,
        "last": wall(known.max()) if len(known) else None,
        "cadence_seconds": round(own, 1) or None,
        "duplicates": duplicates,
        "missing_times": missing,
        "longest_gap_seconds": round(longest, 1) or None,
    }


def _clock(skew: Floats | None) -> Row:
    found: Floats = np.array([], dtype=np.float64)
    if skew is not None:
        found = skew[np.isfinite(skew)]
    known = len(found) > 0
    return {
        "delay_seconds": round(float(np.median(found)), 1) if known else None,
        "greatest_delay_seconds": round(float(found.max()), 1) if known else None,
        "observed_after_change": int((found < -(_SOON / 1e6)).sum()) if known else None,
    }


def _skew(table: Row, layout: Layout, local: Micros) -> Floats | None:
    """Give the time from observation to change, in seconds; None where a zone is not known."""
    zone, changed = table["time"]["zone"], layout.modified
    facts = layout.facts.get(changed.value) if changed else None
    is_utc = table["cursor"].get("clock", "utc") == "utc"
    if zone == UNSET or facts is None or facts.form is None or not is_utc:
        return None
    modified = facts.local()
    delay = (modified - utc_of(local, zone)) / 1e6
    return np.where((local == NO_TIME) | (modified == NO_TIME), np.nan, delay)


def observed(table: Row, layout: Layout) -> Micros | None:
    """Give the local times of a drafted table's rows."""
    how = {key: value for key, value in table["time"].items() if key != "zone"}
    return None if UNSET in how.values() else layout.times(how)


def in_future(table: Row, layout: Layout) -> int | None:
    """Count the rows that were observed in the future, by this machine's clock."""
    local, zone = observed(table, layout), table["time"]["zone"]
    if local is None or zone == UNSET:
        return None
    now = datetime.now(UTC).timestamp() * 1e6
    return int(((local != NO_TIME) & (utc_of(local, zone) > now + _SOON)).sum())


def utc_of(local: Micros, zone: str) -> Micros:
    """Give UTC; where a zone cannot be known, times stay as they are."""
    try:
        return np.where(local == NO_TIME, NO_TIME, to_utc(local, zone)[0])
    except ValueError:
        return local


def wall(local: Any) -> str:
    """Write a local time; one beyond the calendar as it is counted."""
    try:
        return datetime.fromtimestamp(int(local) / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(int(local))


def _column_of(layout: Layout, name: str) -> list[Any]:
    return layout.sample.columns.get(name, [None] * layout.sample.rows)


def _outside(numbers: Floats, low: float, high: float) -> int:
    return int(((numbers < low) | (numbers > high)).sum())


def _rounded(number: Any) -> float:
    return float(f"{float(number):.6g}")
