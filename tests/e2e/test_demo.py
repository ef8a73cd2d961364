"""``aos demo`` from its start to its end, as a process, twice, and what is in the tables then."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from operate.settings import load
from sink.database import connect
from tests.waiting import eventually

pytestmark = [
    pytest.mark.requirement("E2", "E3"),
    pytest.mark.backend("a stack of its own: embedded Kafka, registry and TimescaleDB"),
]

READINGS = {
    "rainfall": 26_115,
    "temperature": 28_995,
    "humidity": 27_555,
    "wind": 27_555,
    "pressure": 27_555,
}
TOTAL = 137_775
FEW = 100
HOPS = ("source", "source_keys", "published", "raw_keys", "clean_keys", "loaded")
Connection = psycopg.Connection[tuple[Any, ...]]
Report = dict[str, Any]


def aos(*arguments: str) -> subprocess.Popen[str]:
    """Start a command."""
    command = [sys.executable, "-m", "operate", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def ran(*arguments: str) -> str:
    """Run a command to its good end; give what it printed."""
    process = aos(*arguments)
    try:
        printed, told = process.communicate(timeout=400)
    finally:
        process.kill()
    assert process.returncode == 0, told
    return printed


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a place to the demo, and see that nothing stays when all is over."""
    place = tmp_path_factory.mktemp("demo")
    yield place
    ran("down", "--directory", str(place))
    rows = json.loads(ran("status", "--directory", str(place), "--json"))
    assert {row["state"] for row in rows} == {"stopped"}


@pytest.fixture(scope="module")
def report(directory: Path) -> Report:
    """Run the demo once, and leave all running."""
    found: Report = json.loads(ran("demo", "--keep", "--directory", str(directory), "--json"))
    return found


@pytest.fixture
def tables(directory: Path, report: Report) -> Iterator[Connection]:
    """Open the database that the demo has filled."""
    with connect(load(directory / "aos.yaml").sink) as connection:
        yield connection


def counted(tables: Connection) -> dict[str, tuple[Any, ...]]:
    """Count the rows of each table, and say when the last of them was written."""
    query = "SELECT count(*), max(updated_at) FROM weather.{}"
    return {parameter: asked(tables, query, parameter)[0] for parameter in READINGS}


def asked(tables: Connection, query: str, parameter: str) -> list[tuple[Any, ...]]:
    """Ask the table of a parameter, which stands for ``{}``."""
    composed = SQL(cast("LiteralString", query)).format(Identifier(parameter))
    return tables.execute(composed).fetchall()


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def assert_all_arrived(report: Report) -> None:
    """Hold a demo to what the sample holds, at every hop."""
    assert report["keys_equal"] is True
    for parameter, expected in READINGS.items():
        line = report["parameters"][parameter]
        assert {name: line[name] for name in HOPS} == dict.fromkeys(HOPS, expected)
        # One at the end of a batch is sent again where the next batch changes its verdict.
        assert expected <= line["judged"] < expected + FEW


def assert_all_judged(report: Report) -> None:
    """Hold a demo to the verdicts that the sample is known to get."""
    total = report["total"]
    assert (total["good"], total["suspect"], total["fail"]) == (133_588, 10, 195)
    assert (total["missing"], total["not_judged"], total["dead_lettered"]) == (3_982, 0, 0)
    assert total["loaded"] == TOTAL


def test_every_reading_arrives_once(report: Report) -> None:
    assert_all_arrived(report)


def test_every_reading_is_judged(report: Report) -> None:
    assert_all_judged(report)


def test_the_queries_show_the_night_and_the_worst_reading(report: Report) -> None:
    means, worst = report["queries"]
    clocks = [row["local_clock"] for row in means["rows"] if row["station_id"] == "JFK"]
    assert clocks == ["01:00", "01:00"]
    assert worst["rows"][0]["raw_value"] == pytest.approx(468.66, abs=0.01)
    assert worst["rows"][0]["value"] is None
    assert worst["rows"][0]["flag"] == 4


def test_the_one_bad_wind_is_there_without_a_clean_value(tables: Connection) -> None:
    query = "SELECT sensor_id, raw_speed, speed, flag_speed_range FROM weather.{} WHERE flag = 4"
    [(sensor, raw_speed, speed, flag)] = asked(tables, query, "wind")
    assert (sensor, speed, flag) == ("EWR:wind", None, 4)
    assert raw_speed == pytest.approx(1048.36058 * 0.44704)


@pytest.mark.parametrize("parameter", READINGS)
def test_the_repeated_hour_of_november_is_there_twice(parameter: str, tables: Connection) -> None:
    query = """SELECT station_id, observed_at, observed_local FROM weather.{}
        WHERE observed_local = '2013-11-03 01:00' ORDER BY station_id, observed_at"""
    expected = [
        (station, at(2013, 11, 3, hour), datetime(2013, 11, 3, 1))  # noqa: DTZ001 - local
        for station in ("EWR", "JFK", "LGA")
        for hour in (5, 6)
    ]
    assert asked(tables, query, parameter) == expected


@pytest.mark.parametrize("parameter", READINGS)
def test_the_night_of_march_has_no_gap_in_utc(parameter: str, tables: Connection) -> None:
    query = """SELECT observed_at, to_char(observed_local, 'HH24') FROM weather.{}
        WHERE station_id = 'JFK' AND observed_at BETWEEN '2013-03-10 06:00Z' AND '2013-03-10 08:00Z'
        ORDER BY observed_at"""
    assert asked(tables, query, parameter) == [
        (at(2013, 3, 10, 6), "01"),
        (at(2013, 3, 10, 7), "03"),
        (at(2013, 3, 10, 8), "04"),
    ]


@pytest.mark.requirement("B3")
def test_units_are_the_standard_ones(tables: Connection) -> None:
    for parameter, unit, low, high in (
        ("temperature", "degC", -30, 45),
        ("pressure", "hPa", 900, 1050),
        ("rainfall", "mm", 0, 40),
        ("humidity", "%", 0, 100),
    ):
        query = "SELECT array_agg(DISTINCT unit), min(value), max(value) FROM weather.{}"
        [(units, least, most)] = asked(tables, query, parameter)
        assert units == [unit]
        assert low <= least < most <= high
    [(units,)] = asked(tables, "SELECT array_agg(DISTINCT unit) FROM weather.{}", "wind")
    assert units == ["m/s"]


@pytest.mark.requirement("B4")
def test_from_its_replacement_on_the_other_thermometer_applies(tables: Connection) -> None:
    query = """
    SELECT s.serial, s.calibration_offset, min(t.observed_at), max(t.observed_at),
           min(t.value - t.raw_value), max(t.value - t.raw_value)
    FROM weather.temperature t JOIN weather.sensor s USING (sensor_id, metadata_version)
    WHERE t.value IS NOT NULL AND s.deleted_at IS NULL AND sensor_id IN (
        SELECT sensor_id FROM weather.sensor WHERE deleted_at IS NULL
        GROUP BY sensor_id HAVING count(DISTINCT serial) > 1)
    GROUP BY s.serial, s.calibration_offset ORDER BY 3"""
    old, new = tables.execute(query).fetchall()
    assert old[0] != new[0]
    assert old[1] != new[1]
    assert old[3] < new[2]
    for _, offset, _, _, least, most in (old, new):
        assert (least, most) == pytest.approx((offset, offset))


def test_a_second_run_adds_and_changes_no_row(
    directory: Path, report: Report, tables: Connection
) -> None:
    before = counted(tables)
    again = json.loads(ran("demo", "--keep", "--directory", str(directory), "--json"))
    assert counted(tables) == before
    assert (report["rows_added"], again["rows_added"]) == (TOTAL, 0)
    assert again["total"] == report["total"]
    assert again["keys_equal"] is True


def test_a_stage_that_dies_is_named(directory: Path, report: Report) -> None:
    demo = aos("demo", "--directory", str(directory))
    os.kill(stage_pid(directory, "sink", of=demo), signal.SIGKILL)
    printed, told = demo.communicate(timeout=100)
    assert demo.returncode == 1
    assert "The last lines of the sink's log" in printed
    assert told.startswith("aos: the sink has ended (signal 9)")
    assert told.count("\n") == 1
    assert "Mend: run it again: it goes on where it was" in told
    assert running(directory) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_no_stage_behind(
    number: signal.Signals, directory: Path, report: Report
) -> None:
    demo = aos("demo", "--directory", str(directory))
    stage_pid(directory, "sink", of=demo)
    demo.send_signal(number)
    printed, _ = demo.communicate(timeout=100)
    assert demo.returncode == 130
    assert printed.endswith("\ninterrupted; run it again: it goes on where it was\n")
    assert running(directory) == {}


@pytest.mark.requirement("D7")
def test_a_row_that_is_gone_is_named_and_can_be_loaded_again(
    directory: Path, report: Report, tables: Connection
) -> None:
    before = {parameter: rows for parameter, (rows, _) in counted(tables).items()}
    gone = "DELETE FROM weather.{} WHERE sensor_id = 'JFK:pressure' AND observed_at = '2013-07-01'"
    tables.execute(SQL(cast("LiteralString", gone)).format(Identifier("pressure")))
    tables.commit()
    demo = aos("demo", "--directory", str(directory))
    printed, _ = demo.communicate(timeout=100)
    assert demo.returncode == 1
    assert "clean → table: pressure: 1 keys lost, 0 too many (-JFK:pressure|" in " ".join(
        printed.split()
    )
    config = str(directory / "aos.yaml")
    ran("sink", "forget", "weather.clean.pressure.v1", "--config", config)
    mended = json.loads(ran("demo", "--directory", str(directory), "--json"))
    assert (mended["keys_equal"], mended["rows_added"]) == (True, 1)
    assert {parameter: rows for parameter, (rows, _) in counted(tables).items()} == before


def stage_pid(directory: Path, name: str, *, of: subprocess.Popen[str]) -> int:
    """Wait until a demo has started a stage of its own."""
    before = dict(running(directory))

    def new() -> int | None:
        assert of.poll() is None
        pid = running(directory).get(name)
        return pid if pid != before.get(name) else None

    return eventually(new, every=0.05) or 0


def running(directory: Path) -> dict[str, int]:
    """Name the stages that run, with their pids."""
    known = json.loads((directory / "stages.json").read_text(encoding="utf-8"))
    return {name: pid for name, (pid, _) in known.items() if Path(f"/proc/{pid}").exists()}
