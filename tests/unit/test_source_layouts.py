"""Layouts beyond one table with one time column: apart times, joins, constants, two of a kind."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from producers.connection.endpoints import Endpoints
from producers.reading.clocks import joined, observation
from producers.reading.feed import TableFeed
from producers.reading.tables import check_mapping
from producers.settings import SourceSettings
from runtime.errors import Configuration
from schemas.mapping import Mapping, parse_mapping
from schemas.mapping_parts import Time

NINE_FIVE = 1_539_853_500_000_000
MIDNIGHT = 1_539_907_200_000_000

_TABLES = """
CREATE TABLE sensor (no INTEGER PRIMARY KEY, stn TEXT, kind TEXT, nth INTEGER);
INSERT INTO sensor VALUES (7, '108', 'TA', 1), (8, '108', 'TA', 2), (9, '119', 'HM', 1);
CREATE TABLE obs (id INTEGER PRIMARY KEY, sensor_no INTEGER, d TEXT, t TEXT, v TEXT, m TEXT);
INSERT INTO obs VALUES
    (1, 7, '2018-10-18', '09:05', '12.5', '2018-10-18 00:06:00'),
    (2, 8, '20181018', '24:00', '12.6', '2018-10-18 00:06:00'),
    (3, 9, '2018-10-18', '0905', '60', '2018-10-18 00:06:00'),
    (4, 99, '2018-10-18', '0905', '60', '2018-10-18 00:06:00');
"""


def document(**changes: Any) -> dict[str, Any]:
    def of(parameter: str, code: str, unit: str) -> dict[str, Any]:
        measures = {"value": {"column": "v", "unit": unit}}
        return {"parameter": parameter, "code": code, "measures": measures}

    table = {
        "shape": "long", "table": "obs", "key": ["id"], "station": "stn", "code": "kind",
        "position": "nth", "cursor": {"column": "m", "id": "id", "lag_seconds": 0},
        "time": {"date": "d", "time": "t", "zone": "+09:00"},
        "via": {"table": "sensor", "on": "sensor_no", "key": "no",
                "columns": ["stn", "kind", "nth"]},
        "readings": [of("temperature", "TA", "degC"), of("humidity", "HM", "%")],
    }  # fmt: skip
    return {"source": "apart", "version": 1, "tables": [{**table, **changes}]}


def read(path: Path, how: dict[str, Any], script: str = _TABLES) -> Any:
    with closing(sqlite3.connect(path)) as file:
        file.executescript(script)
    mapping = Mapping.model_validate(how)
    database = Endpoints.open(SourceSettings(url=f"sqlite:///{path}", mapping=path))
    try:
        types = database.ask("looking", partial(check_mapping, mapping=mapping))
        table = mapping.tables[0]
        page = TableFeed(database, mapping, table, types[table.table], 100).next_page("")
        return page.readings
    finally:
        database.dispose()


@pytest.mark.requirement("D3")
def test_a_sensor_number_leads_to_station_parameter_and_position(tmp_path: Path) -> None:
    found = read(tmp_path / "a.db", document())
    told = [
        (r.sensor["sensor_id"], r.row["observed_local"], r.measures["value_text"])
        for r in [*found.records["temperature"], *found.records["humidity"]]
    ]
    assert told == [
        ("108:temperature", NINE_FIVE, "12.5"),
        ("108:temperature:2", MIDNIGHT, "12.6"),
        ("119:humidity", NINE_FIVE, "60"),
    ]
    assert dict(found.unmapped) == {"": 1}


@pytest.mark.requirement("D3")
def test_a_join_that_would_double_readings_is_refused(tmp_path: Path) -> None:
    via = {"table": "sensor", "on": "sensor_no", "key": "stn", "columns": ["stn", "kind", "nth"]}
    with pytest.raises(Configuration, match="stn '108' stands more than once in sensor"):
        read(tmp_path / "a.db", document(via=via))


@pytest.mark.requirement("D3")
def test_two_thermometers_in_a_row_of_a_station_that_stands_nowhere(tmp_path: Path) -> None:
    script = """CREATE TABLE log (id INTEGER PRIMARY KEY, at TEXT, t1 REAL, t2 REAL);
                INSERT INTO log VALUES (1, '2018-10-18 09:05:00', 1, 2);"""
    readings = [
        {"parameter": "temperature", "position": n,
         "measures": {"value": {"column": f"t{n}", "unit": "degC"}}}
        for n in (1, 2)
    ]  # fmt: skip
    how = document(
        shape="wide", table="log", via=None, constants={"station": "108"}, station="station",
        time={"column": "at", "zone": "UTC"}, readings=readings,
        cursor={"column": "at", "id": "id", "lag_seconds": 0},
    )  # fmt: skip
    del how["tables"][0]["code"], how["tables"][0]["position"]
    found = read(tmp_path / "a.db", how, script).records["temperature"]
    told = [(r.sensor["sensor_id"], r.measures["value"]) for r in found]
    assert told == [("108:temperature", 1.0), ("108:temperature:2", 2.0)]
    readings[1]["position"] = 1
    with pytest.raises(ValidationError, match="temperature stands twice"):
        Mapping.model_validate(how)


@pytest.mark.parametrize(
    ("day", "clock", "digits", "expected"),
    [
        ("2018-10-18", "09:05", "hhmm", NINE_FIVE),
        ("20181018", "905", "hhmm", NINE_FIVE),
        ("2018/10/18", "090500", "hhmm", NINE_FIVE),
        ("2018-10-18 00:00:00", "9:05:00", "hhmm", NINE_FIVE),
        ("2018-10-18", "24", "hour", MIDNIGHT),
        ("2018-10-18", "2400", "hhmm", MIDNIGHT),
        ("2018-10-19", "0", "hhmm", MIDNIGHT),
        ("18.10.2018", "09:05", "hhmm", None),
        ("2018-10-18", None, "hhmm", None),
    ],
)
def test_date_and_time_apart_become_one_time(
    day: str, clock: str | None, digits: str, expected: int | None
) -> None:
    assert joined(day, clock, digits)[0] == expected


@pytest.mark.parametrize(
    ("how", "row"),
    [
        ({"column": "a", "zone": "UTC", "epoch": "s"}, [NINE_FIVE // 1_000_000]),
        ({"column": "a", "zone": "UTC", "epoch": "ms"}, [str(NINE_FIVE // 1_000)]),
        ({"column": "a", "zone": "UTC"}, [datetime(2018, 10, 18, 9, 5, tzinfo=UTC)]),
        ({"column": "a", "zone": "+09:00"}, ["2018-10-18T00:05:00+00:00"]),
        ({"column": "a", "zone": "UTC", "format": "%d.%m.%Y %H:%M"}, ["18.10.2018 09:05"]),
        ({"column": "a", "zone": "UTC", "format": "%m/%d/%y %I:%M %p"}, ["10/18/18 9:05 AM"]),
        ({"date": ["a", "b", "c"], "time": ["d", "e"], "zone": "UTC"}, [2018, 10, 18, 9, 5]),
        ({"date": "a", "time": "b", "zone": "UTC"}, [date(2018, 10, 18), time(9, 5)]),
    ],
)
def test_a_time_is_read_however_it_is_written(how: dict[str, Any], row: list[Any]) -> None:
    read_time = observation(Time.model_validate(how), {c: i for i, c in enumerate("abcde")})
    assert read_time(row) == (NINE_FIVE, None)


def test_hours_that_run_together_count_to_24() -> None:
    how = Time(column="a", zone="UTC", format="%Y%m%d%H")
    assert observation(how, {"a": 0})([2018101824]) == (MIDNIGHT, None)


@pytest.mark.parametrize(
    "how",
    [
        {"zone": "UTC"},
        {"column": "a", "date": "b", "time": "c", "zone": "UTC"},
        {"date": "b", "zone": "UTC"},
        {"date": ["b", "c"], "time": "d", "zone": "UTC"},
        {"column": "a", "zone": "+09:00", "epoch": "s"},
    ],
)
def test_a_time_that_says_two_things_or_none_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Time.model_validate(how)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"column": "m", "zone": "Asia/Seol"}, "time.zone: unknown time zone 'Asia/Seol'"),
        ({"column": "m", "zone": "UTC", "format": "%d.%b.%Y"}, "time.format: %b is none of %Y"),
        ({"column": "m", "zone": "UTC", "format": "%H:%M"}, "time.format: it needs %Y"),
    ],
)
def test_a_time_that_nobody_could_read_is_refused_by_the_file_alone(
    how: dict[str, Any], told: str
) -> None:
    with pytest.raises(Configuration, match=re.escape(told)):
        parse_mapping(document(time=how), Path("mapping.yaml"))


def test_a_draft_in_which_something_is_open_is_refused_by_its_place() -> None:
    how = document(time={"column": "m", "zone": "SET-ME"})
    with pytest.raises(Configuration, match=r"still to be set .*: tables\.0\.time\.zone"):
        parse_mapping(how, Path("draft.yaml"))
