"""The page of a report: what needs somebody first, then figures and plots; five minutes to read.

One file that asks for nothing else: no script, no font, no picture from anywhere. Everything that
comes from a database is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, Final

import numpy as np

from operate.quality.svg import Panel, drawn
from weather.qc.flags import Flag
from weather.score import Dimension

Document = Mapping[str, Any]
_MOST: Final = 12
_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:60rem;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:0}h2{font-size:1.15rem;margin-top:2.2rem}
p.small,td.small,summary{color:#555;font-size:.9rem}
.score{font-size:2.6rem;font-weight:600;margin-right:.6rem}.bad{color:#a4262c}.good{color:#1a6b2f}
table{border-collapse:collapse;width:100%;margin:.4rem 0}
th,td{text-align:left;padding:.2rem .7rem .2rem 0;border-bottom:1px solid #e5e5e5}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.bar{display:inline-block;height:.7rem;background:#1f5fa8;vertical-align:middle}
.bar.low{background:#c8102e}svg{max-width:100%;height:auto}ul{padding-left:1.2rem}
.table{overflow-x:auto}
@media print{body{margin:0}details[open] summary{display:none}}
"""


def page_of(document: Document) -> str:
    """Write the page of a report's document."""
    parts = [
        *_head(document),
        *_attention(document),
        *_parameters(document),
        *_stations(document),
        *_tests(document),
        *_gaps(document),
        *_drift(document),
        *_anomalies(document),
        *_calibrations(document),
        *_sensors(document),
    ]
    span = f"{document['from']} to {document['to']}"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Quality, {span}</title><style>{_STYLE}</style></head><body>",
            *parts,
            "</body></html>",
            "",
        ]
    )


def _head(document: Document) -> Iterator[str]:
    score, before = document["score"], document["before"]
    tone = "bad" if score is not None and score < document["threshold"] else "good"
    yield f"<h1>Quality from {document['from']} to {document['to']}</h1>"
    yield f'<p class="small">made {escape(document["made_at"])} from what was loaded by then</p>'
    told = f'<span class="score {tone}">{_figure(score)}</span>'
    yield f"<p>{told} of 1, over {document['readings']:,} readings{_change(score, before)}</p>"
    yield (
        f'<p class="small">The product of {", ".join(Dimension)}; mean of all sensors.'
        f" Below {document['threshold']} somebody should look.</p>"
    )


def _attention(document: Document) -> Iterator[str]:
    lines: Sequence[str] = document["attention"]
    yield "<h2>What needs somebody</h2>"
    if not lines:
        yield "<p>Nothing.</p>"
        return
    yield "<ul>"
    yield from (f"<li>{escape(line)}</li>" for line in lines[:_MOST])
    yield "</ul>"
    if len(lines) > _MOST:
        yield f'<p class="small">and {len(lines) - _MOST} more, below</p>'


def _parameters(document: Document) -> Iterator[str]:
    yield "<h2>By parameter</h2>"
    known = document["parameters"]
    if not known:
        yield "<p>There are no readings of these days.</p>"
        return
    sides = [side.value for side in Dimension]
    rows = [
        [name, _count(one["readings"]), _figure(one["score"]), *(_figure(one[s]) for s in sides)]
        for name, one in known.items()
    ]
    yield _table(["parameter", "readings", "score", *sides], rows, numbers=1)
    yield "<p>The part of the readings of each day that is there and good:</p>"
    for name, one in known.items():
        if one["days"]:
            yield drawn([_panel(name, one["days"], document["threshold"])])


def _panel(name: str, days: Sequence[Document], threshold: float) -> Panel:
    at = np.array([_micros(one["day"]) for one in days], np.int64)
    values = np.array([one["good_part"] for one in days], np.float64)
    flags = np.where(values < threshold, Flag.SUSPECT, Flag.GOOD).astype(np.int32)
    told, line = f"good, of those expected; dashed: {threshold}", np.full(len(at), threshold)
    return Panel(name, told, "", at, values, flags, truth=line)


def _stations(document: Document) -> Iterator[str]:
    stations: Sequence[Document] = document["stations"]
    yield "<h2>Stations, the best first</h2>"
    shown = stations if len(stations) <= 2 * _MOST else [*stations[:_MOST], *stations[-_MOST:]]
    rows = [
        [
            str(one["rank"]),
            escape(one["station"]),
            _figure(one["score"]),
            _bar(one["score"], document["threshold"]),
        ]
        for one in shown
    ]
    yield _raw_table(["rank", "station", "score", ""], rows)
    if len(shown) < len(stations):
        left = len(stations) - len(shown)
        yield f'<p class="small">{left} between them are in the JSON of this report</p>'


def _tests(document: Document) -> Iterator[str]:
    yield "<h2>What the tests found</h2>"
    rows = [
        [name, test, _count(found["suspect"]), _count(found["failed"])]
        for name, one in document["parameters"].items()
        for test, found in one["tests"].items()
    ]
    counts = [
        [name, *(_count(one["flags"][word]) for word in one["flags"])]
        for name, one in document["parameters"].items()
    ]
    yield _table(["parameter", "good", "not judged", "suspect", "failed", "missing"], counts, 1)
    yield _table(["parameter", "test", "suspect", "failed"], rows, 2) if rows else "<p>Nothing.</p>"


def _gaps(document: Document) -> Iterator[str]:
    gaps = document["gaps"]
    yield "<h2>Gaps and silence</h2>"
    yield f"<p>{_count(gaps['count'])} gaps, {_count(gaps['absent'])} readings absent in them.</p>"
    rows = [
        [one["sensor_id"], one["last_before"][:16], one["first_after"][:16], f"{one['hours']:g}"]
        for one in gaps["longest"][:_MOST]
    ]
    if rows:
        yield _table(["sensor", "last before (UTC)", "first after", "hours"], rows, 3)
    silent = [[one["sensor_id"], one["last_heard"][:16]] for one in document["silent"]]
    if silent:
        yield "<p>Not heard of any more:</p>" + _table(["sensor", "last heard (UTC)"], silent)


def _drift(document: Document) -> Iterator[str]:
    yield "<h2>Drift</h2>"
    yield (
        '<p class="small">The mean of a day against the median of all stations, compared with the'
        " four weeks before: shown beyond four times what is usual of the sensor.</p>"
    )
    rows = [[d["sensor"], f"{d['shift']:+.2f}", f"{d['usual']:.2f}"] for d in document["drift"]]
    yield _table(["sensor", "shift", "usual"], rows, 1) if rows else "<p>None.</p>"


def _anomalies(document: Document) -> Iterator[str]:
    yield "<h2>Unlike what was learnt</h2>"
    rows = [
        [a["sensor_id"], a["observed_at"][:16], _figure(a["value"]), str(a["flag"])]
        for a in document["anomalies"][:_MOST]
    ]
    if rows:
        yield _table(["sensor", "observed (UTC)", "value", "flag"], rows, 2)
    else:
        yield "<p>None, or no model judges (aos anomaly).</p>"


def _calibrations(document: Document) -> Iterator[str]:
    yield "<h2>Calibrations due</h2>"
    rows = [
        [one["sensor_id"], one["calibration_due"][:10], str(one["days_left"])]
        for one in document["calibrations"][: 2 * _MOST]
    ]
    yield _table(["sensor", "due", "days left"], rows, 2) if rows else "<p>None within 60 days.</p>"


def _sensors(document: Document) -> Iterator[str]:
    sides = [side.value for side in Dimension]
    rows = [
        [one["sensor"], _figure(one["score"]), *(_figure(one[side]) for side in sides)]
        for one in document["sensors"]
    ]
    yield "<h2>All sensors, the worst first</h2><details><summary>show</summary>"
    yield _table(["sensor", "score", *sides], rows, 1)
    yield "</details>"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 99) -> str:
    """Write a table of texts; columns from ``numbers`` on stand to the right."""
    return _raw_table(heads, [[escape(cell) for cell in row] for row in rows], numbers)


def _raw_table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 99) -> str:
    number = ' class="n"'

    def cells(kind: str, row: Sequence[str]) -> str:
        return "".join(
            f"<{kind}{number if place >= numbers else ''}>{cell}</{kind}>"
            for place, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    head = f"<tr>{cells('th', [escape(one) for one in heads])}</tr>"
    return f'<div class="table"><table>{head}{body}</table></div>'


def _bar(score: float, threshold: float) -> str:
    low = " low" if score < threshold else ""
    return f'<span class="bar{low}" style="width:{10 * score:.1f}rem"></span>'


def _change(score: float | None, before: float | None) -> str:
    if score is None or before is None:
        return ""
    return f", {score - before:+.2f} against as many days before"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _count(value: int) -> str:
    return f"{value:,}"


def _micros(day: str) -> int:
    return int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() * 1_000_000)
