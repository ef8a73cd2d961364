"""The sample AOS as a file: what it holds, that it is whole, and that it is left alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from devstack.sample import Counts, build, count, insert_live, insert_statement, tables
from runtime.errors import Configuration

pytestmark = pytest.mark.requirement("E2")

EXPECTED = Counts(station=4, sensor=21, calibration=21, weather_hourly=26_115, aws_minute=7_200)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sample") / "deeper" / "aos.db"
    build(place)
    return place


@pytest.fixture
def sample(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        yield connection
        connection.rollback()


def one(sample: sqlite3.Connection, query: str) -> Any:
    (value,) = sample.execute(query).fetchone()
    return value


def test_all_rows_of_the_real_data_are_there(path: Path) -> None:
    assert count(path) == EXPECTED
    assert EXPECTED.total == 33_361


def test_what_stations_did_not_report_is_null(sample: sqlite3.Connection) -> None:
    nulls = "SELECT count(*) - count({0}) FROM weather_hourly"
    assert one(sample, nulls.format("wind_gust")) == 20_778
    assert one(sample, nulls.format("pressure")) == 2_729
    assert one(sample, nulls.format("observed_at")) == 0


def test_the_repeated_hour_of_november_has_two_rows_for_each_station(
    sample: sqlite3.Connection,
) -> None:
    hour = "SELECT station_id FROM weather_hourly WHERE observed_at = '{}' ORDER BY id"
    november = sample.execute(hour.format("2013-11-03 01:00:00.000000")).fetchall()
    assert [station for (station,) in november] == ["EWR", "EWR", "JFK", "JFK", "LGA", "LGA"]
    assert sample.execute(hour.format("2013-03-10 02:00:00.000000")).fetchall() == []


def test_the_one_real_bad_value_is_there_once(sample: sqlite3.Connection) -> None:
    bad = sample.execute(
        "SELECT station_id, observed_at, wind_speed FROM weather_hourly WHERE wind_speed > 100"
    )
    assert bad.fetchall() == [
        ("EWR", "2013-02-12 03:00:00.000000", pytest.approx(1048.36, abs=0.01))
    ]


def test_the_unconnected_thermometer_gives_no_value_that_could_be_true(
    sample: sqlite3.Connection,
) -> None:
    second = "SELECT count(*) FROM aws_minute WHERE element = 'TA' AND sensor_no = 2 AND value"
    assert one(sample, f"{second} = -7999") == 1_247
    assert one(sample, f"{second} BETWEEN -1972 AND -221.7") == 193


def test_the_thermometer_of_jfk_is_replaced_at_midnight_of_new_york(
    sample: sqlite3.Connection,
) -> None:
    fitted = sample.execute(
        "SELECT s.valid_from, s.valid_to, s.serial, c.offset_value, c.valid_from, c.valid_to"
        " FROM sensor AS s JOIN calibration AS c ON c.sensor_row = s.id"
        " WHERE s.sensor_id = 'JFK:temperature' ORDER BY s.valid_from"
    ).fetchall()
    midnight = "2013-07-01 04:00:00.000000"
    (first, first_to, _, *calibrated), (second, second_to, _, *calibrated_new) = fitted
    assert (first_to, second, second_to) == (midnight, midnight, None)
    assert calibrated == [0.0, first, midnight]
    assert calibrated_new == [-0.3, midnight, None]
    assert fitted[0][2] != fitted[1][2]


def test_every_sensor_that_reports_is_known_and_calibrated(sample: sqlite3.Connection) -> None:
    unknown = (
        "SELECT count(*) FROM aws_minute AS m LEFT JOIN sensor AS s"
        " ON (s.station_id, s.element, s.position) = (m.station_id, m.element, m.sensor_no)"
        " LEFT JOIN calibration AS c ON c.sensor_row = s.id WHERE c.id IS NULL"
    )
    assert one(sample, unknown) == 0
    assert one(sample, "SELECT count(DISTINCT sensor_id) FROM sensor") == 3 * 5 + 5


def test_keys_are_kept_by_the_database_itself(sample: sqlite3.Connection) -> None:
    assert sample.execute("PRAGMA foreign_key_check").fetchall() == []
    for broken in (
        "INSERT INTO weather_hourly (station_id) VALUES ('XXX')",
        "INSERT INTO aws_minute (station_id, element) VALUES ('UAT', 'ZZ')",
        "UPDATE sensor SET valid_to = valid_from WHERE id = 1",
        "UPDATE calibration SET scale = 0",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            sample.execute(broken)


def test_a_row_may_bring_text_for_a_number_and_no_time_and_gets_a_time_of_modification(
    sample: sqlite3.Connection,
) -> None:
    broken = "INSERT INTO weather_hourly (station_id, temp) VALUES ('EWR', 'abc') RETURNING *"
    row = sample.execute(broken).fetchone()
    assert (row[2], row[3]) == (None, "abc")
    assert datetime.strptime(row[-1], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC) <= datetime.now(
        UTC
    )


def test_increments_are_found_by_an_index(sample: sqlite3.Connection) -> None:
    after = "WHERE (modified_at, id) > ('2013-05-01', 0) ORDER BY modified_at, id LIMIT 5"
    for table in ("weather_hourly", "aws_minute"):
        page = f"SELECT * FROM {table} {after}"  # noqa: S608
        plan = str(sample.execute(f"EXPLAIN QUERY PLAN {page}").fetchall())
        assert f"ix_{table}_modified" in plan
        assert "TEMP B-TREE" not in plan


def test_a_second_build_leaves_the_sample_with_its_live_rows(tmp_path: Path) -> None:
    path = tmp_path / "aos.db"
    steps: list[int] = []
    assert build(path, steps.append) == EXPECTED
    assert sum(steps) == EXPECTED.total
    assert insert_live(path) == 8
    steps.clear()
    assert build(path, steps.append).total == EXPECTED.total + 8
    assert steps == []


def test_a_sample_of_another_version_is_replaced_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "aos.db"
    build(path)
    insert_live(path)
    with closing(sqlite3.connect(path)) as old:
        old.execute("PRAGMA user_version = 1")
    (tmp_path / "aos.db-wal").write_bytes(b"left over")
    assert build(path) == EXPECTED
    assert [p.name for p in tmp_path.iterdir()] == ["aos.db"]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "aos.db", stop)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_sample_is_refused_and_left_alone(tmp_path: Path) -> None:
    letter, other = tmp_path / "letter.txt", tmp_path / "other.db"
    letter.write_text("dear reader, " * 100)
    with closing(sqlite3.connect(other)) as database:
        database.execute("CREATE TABLE mine (id INTEGER)")
    for path in (letter, other):
        before = path.read_bytes()
        with pytest.raises(Configuration, match="is no sample AOS"):
            build(path)
        assert path.read_bytes() == before


def test_two_builds_hold_the_same_rows(path: Path) -> None:
    with closing(sqlite3.connect(path)) as sample:
        for table in tables():
            columns = ", ".join(table.columns)
            kept = sample.execute(f"SELECT {columns} FROM {table.name} ORDER BY rowid")  # noqa: S608
            assert kept.fetchall() == list(table.rows), table.name
            assert insert_statement(table).count("?") == len(table.columns)
