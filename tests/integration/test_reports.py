"""A report says what is in the tables, names what needs somebody, and asks for nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient

from operate.anomaly import prediction, tuning
from operate.anomaly import store as models
from operate.anomaly.forest import Growth
from operate.anomaly.job import train as train_job
from operate.anomaly.training import train
from operate.jobs.config import JobConfig
from operate.reports import store
from operate.reports.job import report as report_job
from operate.reports.routes import router
from operate.reports.weekly import Report, build
from operate.settings import Settings, load
from runtime.errors import Configuration
from schemas.codec import Record
from sink.database import Connection
from tests.table_rows import put, reading, scratch

SINCE, UNTIL = date(2020, 2, 3), date(2020, 2, 10)
FIRST = SINCE - timedelta(days=28)
STATIONS = ("A", "B", "C", "D<b>")
HOURS = (6, 12, 18, 24)
"""The reading of 24:00 bears the next date, and belongs to this day."""


def readings() -> Iterator[Record]:
    """Give five weeks, four a day: D drifts in the last one, C misses a day, B has bad values."""
    for day in range(35):
        at = FIRST + timedelta(days=day)
        for hour in HOURS:
            for number, station in enumerate(STATIONS):
                if station == "C" and day == 30:
                    continue
                value = 5.0 + number + 0.2 * (day % 2) * number + hour / 6
                drift = 3.0 if station == "D<b>" and day >= 28 else 0.0
                when = datetime.combine(at, time()) + timedelta(hours=hour)
                flags = _flags(station, day, hour)
                yield reading(
                    "temperature", station, f"{when:%Y-%m-%d %H:%M}", value=value + drift, **flags
                )


def _flags(station: str, day: int, hour: int) -> dict[str, Any]:
    good = {"flag": 1, "flag_spike": 1, "score": 1.0, "extracted_at": 0}
    if station == "B" and day == 29 and hour == 12:
        return good | {"flag": 4, "flag_step": 4, "score": 0.0}
    if station == "B" and day == 31 and hour == 6:
        return good | {"flag": 3, "flag_anomaly": 3, "score": 0.5}
    return good


_SENSOR = """
    INSERT INTO weather.sensor (sensor_id, station_id, parameter, source, valid_from, crs,
        metadata_version, calibration_scale, calibration_offset, calibration_due, published_at)
    VALUES ('A:temperature', 'A', 'temperature', 's', '2019-01-01Z', 'EPSG:4326', 'm', 1, 0,
            '2020-02-01Z', now())
"""


@dataclass
class Tables:
    """A way to tables that are undone afterwards."""

    connection: Connection

    @contextmanager
    def database(self, doing: str = "") -> Iterator[Connection]:
        """Give the one connection there is."""
        yield self.connection


@pytest.fixture(scope="module")
def tables(stack: Any) -> Iterator[Tables]:
    with scratch(stack.database_url) as connection:
        put(connection, *readings())
        connection.execute(_SENSOR)
        connection.execute("CALL ops.learn_cadence()")
        yield Tables(connection)


@pytest.fixture
def settings(stack: Any, namespace: str, tmp_path: Path) -> Settings:
    document = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": namespace, "partitions": 1},
    }
    (tmp_path / "aos.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return load(tmp_path / "aos.yaml")


@pytest.fixture(scope="module")
def report(tables: Tables) -> Report:
    return build(tables.connection, SINCE, UNTIL)


pytestmark = pytest.mark.backend("embedded TimescaleDB")


def of(report: Report, sensor: str) -> dict[str, Any]:
    return next(one for one in report.document["sensors"] if one["sensor"] == sensor)


@pytest.mark.requirement("B9", "D5")
def test_scores_are_those_of_the_formula(report: Report) -> None:
    assert of(report, "A:temperature")["score"] == 1.0
    assert of(report, "C:temperature")["completeness"] == pytest.approx(24 / 28, abs=0.001)
    assert of(report, "B:temperature")["validity"] == pytest.approx(26.5 / 28, abs=0.001)
    assert report.document["stations"][0]["station"] == "D<b>"
    assert report.document["stations"][-1]["station"] == "C"
    assert report.document["before"] == 1.0


def test_tests_gaps_drift_and_anomalies_are_counted_and_named(report: Report) -> None:
    document = report.document
    temperature = document["parameters"]["temperature"]
    assert temperature["tests"] == {
        "step": {"suspect": 0, "failed": 1},
        "anomaly": {"suspect": 1, "failed": 0},
    }
    assert temperature["flags"]["failed"] == 1
    assert [(one["sensor_id"], one["absent"]) for one in document["gaps"]["longest"]] == [
        ("C:temperature", 4)
    ]
    assert [one["sensor"] for one in document["drift"]] == ["D<b>:temperature"]
    assert document["drift"][0]["shift"] == pytest.approx(3.0, abs=0.3)
    assert [one["sensor_id"] for one in document["anomalies"]] == ["B:temperature"]


def test_what_needs_somebody_stands_first(report: Report) -> None:
    told = "\n".join(report.document["attention"])
    assert "calibration of A:temperature is 9 days overdue" in told
    assert "D<b>:temperature has moved by +3.0" in told
    assert "C:temperature has a gap of 30 hours" in told
    page = report.page
    assert page.index("What needs somebody") < page.index("By parameter")


class _Asked(HTMLParser):
    """Collects what a page would fetch, and whether its tags are closed."""

    VOID = frozenset({"meta", "br", "line", "rect", "path", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what it refers to."""
        self.fetched += [f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "action")]
        if tag in ("script", "link", "iframe", "img", "b"):
            self.fetched.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the last one."""
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing stays open."""


def test_a_page_asks_for_nothing_and_lets_no_name_be_more_than_text(report: Report) -> None:
    parser = _Asked()
    parser.feed(report.page)
    assert parser.fetched == []
    assert parser.open == []
    assert "url(" not in report.page
    assert "D&lt;b&gt;" in report.page


def test_a_report_is_kept_once_and_read_back_over_http(tables: Tables, report: Report) -> None:
    number = store.put(tables.connection, report)
    assert store.put(tables.connection, report) == number
    app = FastAPI()
    app.include_router(router(tables), prefix="/api/v1/reports")  # type: ignore[arg-type]
    client = TestClient(app)
    (listed,) = [one for one in client.get("/api/v1/reports").json() if one["id"] == number]
    assert (listed["from"], listed["attention"]) == (
        "2020-02-03",
        len(report.document["attention"]),
    )
    document = client.get(f"/api/v1/reports/{number}").json()
    assert document == json.loads(json.dumps(report.document))
    assert client.get(f"/api/v1/reports/{number}/page").text == report.page
    assert client.get(f"/api/v1/reports/{number + 1}").status_code == 404


@dataclass
class Job:
    """What a job is given, of which reports and models need little."""

    connection: Connection
    settings: Any
    due: datetime = datetime(2020, 2, 10, 4, tzinfo=UTC)
    run_id: int = 7
    config: JobConfig = field(default_factory=lambda: JobConfig(parameters=("temperature",)))

    @property
    def database(self) -> Any:
        """Itself, which gives the one connection there is."""
        return self

    @contextmanager
    def transaction(self, doing: str) -> Iterator[Connection]:
        """Give it."""
        yield self.connection


@pytest.mark.requirement("D1")
def test_a_job_that_runs_twice_leaves_one_report_and_one_model(
    tables: Tables, settings: Settings
) -> None:
    job: Any = Job(tables.connection, settings)
    first, again = (report_job(job, SINCE, UNTIL) for _ in range(2))
    assert first["report"] == again["report"]
    assert any("overdue" in line for line in first["attention"])
    models_of = [train_job(job)["models"]["temperature"]["version"] for _ in range(2)]
    assert models_of == ["temperature-20200210T040000Z"] * 2


@pytest.mark.requirement("B9")
def test_where_models_judge_a_job_lets_the_new_ones_judge(
    tables: Tables, settings: Settings
) -> None:
    job: Any = Job(tables.connection, settings)
    assert train_job(job)["ruleset"] is None  # nobody has published one
    tuned = {"temperature": models.newest(tables.connection)["temperature"].at(0.01)}
    published = tuning.publish(settings, tuned, None, "a test").ruleset
    assert tuning.judging(settings) == {tuned["temperature"].version}
    assert tuning.carried(settings)[tuned["temperature"].version] == published.version
    job.due += timedelta(weeks=1)
    made = train_job(job)
    assert made["ruleset"] is not None
    assert tuning.judging(settings) == {"temperature-20200217T040000Z"}
    assert tuning.holding(settings)["temperature"].rate == 0.01, "as somebody had wanted it"
    assert train_job(job)["ruleset"] is None  # again: they judge already
    tuning.publish(settings, None, None, "off again")
    assert tuning.judging(settings) == set()


def test_days_without_readings_make_a_report_that_says_so(tables: Tables) -> None:
    empty = build(tables.connection, date(1990, 1, 1), date(1990, 1, 8))
    assert empty.document["score"] is None
    assert "There are no readings of these days" in empty.page
    with pytest.raises(Configuration, match="--from"):
        build(tables.connection, UNTIL, SINCE)


@pytest.mark.requirement("B9")
def test_models_are_trained_from_the_tables_and_kept(tables: Tables) -> None:
    told = train(tables, ["temperature", "wind"], days=365, growth=Growth(trees=20, sample=128))
    assert "left_out" in told["wind"]
    assert told["temperature"]["readings"] > 500
    kept = models.newest(tables.connection)["temperature"]
    assert kept.version == told["temperature"]["version"]
    assert kept.metrics["sensors"] == len(STATIONS)


@pytest.mark.requirement("B9")
def test_the_next_day_is_foreseen_from_the_tables(tables: Tables) -> None:
    scores = prediction.day_scores(tables.connection, "temperature", 120)
    assert scores["B:temperature"][date(2020, 2, 4)] == pytest.approx(0.75)
    assert SINCE + timedelta(days=2) not in scores["C:temperature"]
    found = prediction.outlook(scores)
    assert found is not None
    assert {one.day for one in found.predictions} == {UNTIL}
