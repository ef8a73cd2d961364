"""A report: everything that was asked, put together, and what of it needs somebody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import fmean
from typing import Any, Final

from operate.reports import questions
from operate.reports.drifting import BEFORE_DAYS, LEAST, drifts
from operate.reports.page import page_of
from operate.reports.questions import Row
from operate.reports.scoring import Worth, by_test, worths
from runtime.errors import Configuration
from schemas.topics import PARAMETERS
from sink.database import Connection
from weather.score import Dimension
from weather.score_policy import QUALITY_THRESHOLD

Document = dict[str, Any]
_MOST_GAPS: Final = 20
_LONG_GAP_HOURS: Final = 6.0


@dataclass(frozen=True, slots=True)
class Report:
    """A report of the local days from ``since`` until before ``until``."""

    since: date
    until: date
    document: Document

    @property
    def page(self) -> str:
        """The same as HTML that asks for nothing else."""
        return page_of(self.document)


def build(connection: Connection, since: date, until: date) -> Report:
    """Make the report of some days.

    Raises:
        psycopg.Error: what the database says.
        Configuration: the span is none.
    """
    if until <= since:
        option, problem = "--to", "it does not lie behind --from"
        raise Configuration.of(option, str(until), problem, mend="swap the two")
    asked = {name: _Asked.of(connection, name, since, until) for name in PARAMETERS}
    asked = {name: one for name, one in asked.items() if one.rows}
    sensors = {name: worth for one in asked.values() for name, worth in one.sensors.items()}
    document: Document = {
        "from": since.isoformat(),
        "to": (until - timedelta(days=1)).isoformat(),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "threshold": QUALITY_THRESHOLD,
        "score": _mean(one.score for one in sensors.values()),
        "before": _before(connection, since, until),
        "readings": sum(one.readings for one in sensors.values()),
        "parameters": {name: one.as_document() for name, one in asked.items()},
        "stations": _stations(asked.values()),
        "sensors": [
            {"sensor": name, **sensors[name].as_document()}
            for name in sorted(sensors, key=lambda name: (sensors[name].score or 0.0, name))
        ],
        "gaps": _gaps(questions.gaps(connection, since, until)),
        "silent": [_plain(row) for row in questions.silent(connection, since, until)],
        "drift": [row for one in asked.values() for row in one.drift],
        "anomalies": [row for one in asked.values() for row in one.odd],
        "calibrations": [
            {**_plain(row), "days_left": (row["calibration_due"].date() - until).days}
            for row in questions.calibrations(connection, until)
        ],
    }
    document["attention"] = list(attention(document))
    return Report(since, until, document)


def attention(document: Mapping[str, Any]) -> Iterator[str]:
    """Say in a line each what needs somebody, the worst first.

    >>> list(attention({"sensors": [{"sensor": "A:wind", "score": 0.2}], "threshold": 0.7,
    ...     "silent": [], "drift": [], "gaps": {"longest": []}, "anomalies": [],
    ...     "calibrations": []}))
    ['A:wind is worth 0.20 (below 0.7)']
    """
    below = document["threshold"]
    for one in document["sensors"]:
        if one["score"] is not None and one["score"] < below:
            yield f"{one['sensor']} is worth {one['score']:.2f} (below {below})"
    yield from _lacking(document)
    for one in document["drift"]:
        yield f"{one['sensor']} has moved by {one['shift']:+.2f} against the others"
    if document["anomalies"]:
        yield f"unlike what was learnt: {len(document['anomalies'])} of the newest readings"


def _lacking(document: Mapping[str, Any]) -> Iterator[str]:
    """Name sensors that are silent, overdue, or were away for long."""
    for one in document["silent"]:
        yield f"{one['sensor_id']} has been silent since {one['last_heard'][:16]}"
    for one in document["calibrations"]:
        if one["days_left"] < 0:
            yield f"calibration of {one['sensor_id']} is {-one['days_left']} days overdue"
    for one in document["gaps"]["longest"]:
        if one["hours"] > _LONG_GAP_HOURS:
            yield f"{one['sensor_id']} has a gap of {one['hours']:.0f} hours"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the tables said of one parameter."""

    name: str
    rows: Sequence[Row]
    days: Sequence[Row]
    sensors: Mapping[str, Worth]
    drift: Sequence[Document]
    odd: Sequence[Document]

    @classmethod
    def of(cls, connection: Connection, name: str, since: date, until: date) -> _Asked:
        """Ask."""
        rows = questions.judged(connection, name, since, until)
        first = since - timedelta(days=BEFORE_DAYS)
        every = questions.days(connection, name, first, until)
        days = [row for row in every if row["day"] >= since]
        flags = questions.flag_fields(name)
        expected = _expected(days, (until - since).days)
        return cls(
            name,
            rows,
            days,
            worths(rows, flags, "sensor_id", expected),
            _drift(name, every, since),
            [_plain(row) for row in questions.odd(connection, name, since, until)],
        )

    def as_document(self) -> Document:
        """Give what is told of the parameter as a whole."""
        flags = questions.flag_fields(self.name)
        sides = {
            side.value: _mean(one.dimensions[side.value] for one in self.sensors.values())
            for side in Dimension
        }
        counted = {
            name: sum(row[name] for row in self.days)
            for name in ("good", "not_evaluated", "suspect", "failed", "missing")
        }
        return {
            "readings": sum(one.readings for one in self.sensors.values()),
            "score": _mean(one.score for one in self.sensors.values()),
            **sides,
            "flags": counted,
            "tests": by_test(self.rows, flags),
            "days": _by_day(self.days),
        }


def _gaps(found: Sequence[Row]) -> Document:
    longest = [_plain(row) for row in found[:_MOST_GAPS]]
    absent = sum(int(row["absent"]) for row in found)
    return {"count": len(found), "absent": absent, "longest": longest}


def _drift(name: str, days: Sequence[Row], since: date) -> list[Document]:
    if name not in LEAST:
        return []
    return [one.as_document() for one in drifts(days, since, LEAST[name])]


def _expected(days: Iterable[Row], count: int) -> dict[str, float]:
    """Say how many readings each sensor should have; of days without any, as many as on others."""
    most: dict[str, float] = {}
    for row in days:
        if row["expected"] is not None:
            name = str(row["sensor_id"])
            most[name] = max(most.get(name, 0.0), float(row["expected"]))
    return {name: each * count for name, each in most.items()}


def _by_day(days: Iterable[Row]) -> list[Document]:
    found: dict[date, Document] = {}
    for row in days:
        one = found.setdefault(row["day"], {"readings": 0, "good": 0, "bad": 0, "expected": 0.0})
        one["readings"] += row["readings"]
        one["good"] += row["good"]
        one["bad"] += row["suspect"] + row["failed"]
        one["expected"] += float(row["expected"] or row["readings"])
    return [
        {"day": day.isoformat(), **one, "good_part": round(one["good"] / one["expected"], 4)}
        for day, one in sorted(found.items())
    ]


def _stations(asked: Iterable[_Asked]) -> list[Document]:
    """Rank stations by the mean of what their sensors are worth; the best first."""
    found: dict[str, list[float]] = {}
    for one in asked:
        station_of = {str(row["sensor_id"]): str(row["station_id"]) for row in one.rows}
        for sensor, worth in one.sensors.items():
            found.setdefault(station_of[sensor], []).append(worth.score or 0.0)
    ranked = sorted(
        ((round(fmean(scores), 4), name) for name, scores in found.items()), reverse=True
    )
    return [
        {"rank": rank, "station": name, "score": score, "sensors": len(found[name])}
        for rank, (score, name) in enumerate(ranked, start=1)
    ]


def _before(connection: Connection, since: date, until: date) -> float | None:
    """Give the score of as many days before, to compare with."""
    first = since - (until - since)
    scores = []
    for name in PARAMETERS:
        rows = questions.judged(connection, name, first, since)
        days = questions.days(connection, name, first, since)
        expected = _expected(days, (until - since).days)
        found = worths(rows, questions.flag_fields(name), "sensor_id", expected)
        scores += [one.score for one in found.values()]
    return _mean(scores)


def _mean(scores: Iterable[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return round(fmean(known), 4) if known else None


def _plain(row: Row) -> Document:
    """Write times of a row as text."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }
