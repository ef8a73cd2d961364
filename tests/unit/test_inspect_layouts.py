"""Layouts that the inspection has to make out: Korean wide tables, long ones of text, odd ones."""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from producers.connection.endpoints import Endpoints
from producers.inspect.run import Inspection
from producers.reading.feed import TableFeed
from producers.reading.tables import check_mapping
from producers.settings import SourceSettings
from schemas.mapping import Mapping
from tests.unit.inspect_databases import fill, hours, look_at, measures_of, table_of, told
from weather.time import parse_local

pytestmark = pytest.mark.requirement("A2", "A3", "A4", "B1")


def rows_by(path: Path, found: Inspection, table: str) -> Any:
    """Read a page by the proposal, as the source would."""
    assert found.proposal.problem == ""
    document = deepcopy(found.proposal.document)
    for section in document["tables"]:
        section["cursor"]["lag_seconds"] = 0
    mapping = Mapping.model_validate(document)
    database = Endpoints.open(SourceSettings(url=f"sqlite:///{path}", mapping=path))
    mapped = next(t for t in mapping.tables if t.table == table)
    try:
        types = database.ask("looking", partial(check_mapping, mapping=mapping))
        return TableFeed(database, mapping, mapped, types[table], 50_000).next_page("").readings
    finally:
        database.dispose()


def hour_24(at: Any) -> str:
    """Write midnight as the hour 24 of the day that ends."""
    if at.hour:
        return f"{at:%Y-%m-%d %H:%M}"
    return f"{at - timedelta(days=1):%Y-%m-%d} 24:00"


def korean(path: Path) -> Path:
    rows = []
    for station in (108, 119):
        total = 0.0
        for at, w in hours(240, station):
            total = w["rn"] if at.hour == 1 else total + w["rn"]
            ta = -99.9 if len(rows) % 50 == 7 else w["ta"]
            measured = (ta, w["hm"], round(total, 1), w["ws"], w["wd"], w["pa"], w["pa"] + 9.9)
            rows.append((hour_24(at), station, *measured, w["gust"]))
    schema = """CREATE TABLE "AWS_HOUR" ("TM" VARCHAR(16) NOT NULL, "STN" INTEGER NOT NULL,
        "TA" REAL, "HM" REAL, "RN_DAY" REAL, "WS" REAL, "WD" REAL, "PA" REAL, "PS" REAL,
        "GST" REAL, PRIMARY KEY ("TM", "STN"));"""
    return fill(path, schema, {"AWS_HOUR": rows})


def test_a_korean_wide_table_with_hour_24_and_a_daily_total(tmp_path: Path) -> None:
    path = korean(tmp_path / "kma.db")
    found = look_at(path, zone="+09:00")
    table = table_of(found, "AWS_HOUR")
    assert measures_of(table) == {
        "temperature value": ("TA", "degC"),
        "humidity value": ("HM", "%"),
        "pressure value": ("PA", "hPa"),
        "wind speed": ("WS", "m/s"),
        "wind direction": ("WD", "degree"),
        "wind gust": ("GST", "m/s"),
    }
    assert table["time"] == {"column": "TM", "zone": "+09:00"}
    assert (table["station"], table["key"]) == ("STN", ["TM", "STN"])
    temperature = next(r for r in table["readings"] if r["parameter"] == "temperature")
    assert temperature["measures"]["value"]["sentinels"] == [-99.9]
    assert "RN_DAY is not mapped: RN_DAY is a running total since midnight" in told(found)
    assert "beside it `counter: daily` makes amounts of it" in told(found)
    assert "PS is not mapped" in told(found)
    readings = rows_by(path, found, "AWS_HOUR").records["temperature"]
    assert len(readings) == 480
    assert {r.row["observed_text"] for r in readings} == {None}
    assert parse_local("2024-07-02 00:00") in {r.row["observed_local"] for r in readings}


def test_a_zone_that_nothing_tells_is_left_open_and_refused_by_name(tmp_path: Path) -> None:
    found = look_at(korean(tmp_path / "kma.db"))
    assert table_of(found, "AWS_HOUR")["time"]["zone"] == "SET-ME"
    assert "tables.0.time.zone" in found.proposal.problem
    assert re.search(r"warmest at about 1[3-6] h: this looks like local time", told(found))


def test_a_total_is_known_by_its_values_where_its_name_says_nothing(tmp_path: Path) -> None:
    rows, total = [], 0.0
    for number, (at, w) in enumerate(hours(240)):
        total = w["rn"] if at.hour == 1 else total + w["rn"]
        rows.append((number, "A", f"{at}", w["ta"], round(total, 1)))
    schema = "CREATE TABLE obs (id INTEGER PRIMARY KEY, stn TEXT, tm TEXT, ta REAL, rain REAL);"
    found = look_at(fill(tmp_path / "a.db", schema, {"obs": rows}), zone="UTC")
    assert measures_of(table_of(found, "obs")) == {"temperature value": ("ta", "degC")}
    assert "rain is not mapped: by its values" in told(found)


def long_of_text(path: Path) -> Path:
    kinds = {1: ("108", "TA"), 2: ("108", "RH"), 3: ("119", "TA"), 4: ("119", "rain")}
    rows = []
    for at, w in hours(100):
        for sensor, (_, kind) in kinds.items():
            value = f"{w[{'TA': 'ta', 'RH': 'hm', 'rain': 'rn'}[kind]]:.1f}"
            value = "MM" if len(rows) % 90 == 5 else "-999.0" if len(rows) % 60 == 4 else value
            day, clock = f"{at:%Y-%m-%d}", f"{at:%H%M}"
            rows.append((len(rows) + 1, sensor, day, clock, value, "0", f"{at}.500000"))
    schema = """
        CREATE TABLE sensors (sensor_no INTEGER PRIMARY KEY, station_id TEXT, element TEXT,
            serial TEXT);
        CREATE TABLE observations (id INTEGER PRIMARY KEY, sensor_no INTEGER, obs_date TEXT,
            obs_time TEXT, obs_value TEXT, qc_flag TEXT, updated_at TEXT);
        CREATE INDEX ix ON observations (updated_at, id);
    """
    sensors = [(no, stn, kind, f"S{no}") for no, (stn, kind) in kinds.items()]
    return fill(path, schema, {"sensors": sensors, "observations": rows})


def test_a_long_table_of_text_with_sensor_numbers_and_time_apart(tmp_path: Path) -> None:
    path = long_of_text(tmp_path / "long.db")
    found = look_at(path, zone="+09:00")
    table = table_of(found, "observations")
    assert (table["shape"], table["flag"]) == ("long", "qc_flag")
    assert table["time"] == {"date": "obs_date", "time": "obs_time", "zone": "+09:00"}
    assert (table["via"]["table"], table["via"]["on"], table["via"]["key"]) == (
        "sensors", "sensor_no", "sensor_no",
    )  # fmt: skip
    assert measures_of(table) == {
        "TA temperature value": ("obs_value", "degC"),
        "RH humidity value": ("obs_value", "%"),
        "rain rainfall value": ("obs_value", "mm"),
    }
    sentinels = {s for r in table["readings"] for s in r["measures"]["value"].get("sentinels", [])}
    assert sentinels == {"MM", "-999.0", -999.0}
    assert table["cursor"]["column"] == "updated_at"
    readings = rows_by(path, found, "observations").records
    assert {r.sensor["sensor_id"] for r in readings["temperature"]} == {
        "108:temperature",
        "119:temperature",
    }
    assert {r.row["observed_text"] for r in readings["temperature"]} == {None}


def vendor_row(number: int, at: Any, w: dict[str, float]) -> tuple[Any, ...]:
    fahrenheit = round(w["ta"] * 1.8 + 32, 1)
    inches = round(w["pa"] / 33.863886, 2)
    mph = round(w["ws"] / 0.44704, 1), round(w["gust"] / 0.44704, 1)
    seconds = int((at - type(at)(1970, 1, 1)).total_seconds())
    return (number, seconds, fahrenheit, w["hm"], inches, *mph, w["wd"], round(w["rn"] / 25.4, 2))


def test_a_vendors_table_in_units_of_the_united_states(tmp_path: Path) -> None:
    rows = [vendor_row(n, at, w) for n, (at, w) in enumerate(hours(300), start=1)]
    schema = """CREATE TABLE archive_records (recid INTEGER PRIMARY KEY, dateTime INTEGER,
        outTemp REAL, outHumidity REAL, barometer REAL, windSpeed REAL, windGust REAL,
        windDir REAL, rain REAL);"""
    path = fill(tmp_path / "weewx.db", schema, {"archive_records": rows})
    found = look_at(path, station="backyard")
    table = table_of(found, "archive_records")
    assert table["time"] == {"column": "dateTime", "epoch": "s", "zone": "UTC"}
    assert table["constants"] == {table["station"]: "backyard"}
    assert measures_of(table) == {
        "temperature value": ("outTemp", "degF"),
        "humidity value": ("outHumidity", "%"),
        "pressure value": ("barometer", "inHg"),
        "wind speed": ("windSpeed", "mph"),
        "wind direction": ("windDir", "degree"),
        "wind gust": ("windGust", "mph"),
        "rainfall value": ("rain", "in"),
    }
    (first, *_) = rows_by(path, found, "archive_records").records["temperature"]
    assert first.sensor["sensor_id"] == "backyard:temperature"
    assert first.row["observed_local"] == rows[0][1] * 1_000_000
    unnamed = look_at(path)
    assert "tables.0.constants.station_of_source" in unnamed.proposal.problem


def test_downloaded_names_with_units_in_brackets(tmp_path: Path) -> None:
    rows = [(n, 108, "서울", f"{at:%Y-%m-%d %H:%M}", w["ta"], w["hm"], w["ws"], w["wd"], w["rn"])
            for n, (at, w) in enumerate(hours(100))]  # fmt: skip
    schema = """CREATE TABLE "시간 자료" ("번호" INTEGER PRIMARY KEY, "지점" INTEGER, "지점명" TEXT,
        "일시" TEXT, "기온(°C)" REAL, "습도(%)" REAL, "풍속(m/s)" REAL, "풍향(deg)" REAL,
        "강수량(mm)" REAL);"""
    found = look_at(fill(tmp_path / "a.db", schema, {"시간 자료": rows}), zone="Asia/Seoul")
    table = table_of(found, "시간 자료")
    assert measures_of(table) == {
        "temperature value": ("기온(°C)", "degC"),
        "humidity value": ("습도(%)", "%"),
        "wind speed": ("풍속(m/s)", "m/s"),
        "wind direction": ("풍향(deg)", "degree"),
        "rainfall value": ("강수량(mm)", "mm"),
    }
    assert (table["station"], table["time"]["column"]) == ("지점", "일시")


def test_two_thermometers_in_a_row_are_two_positions(tmp_path: Path) -> None:
    rows = [(n, "A", f"{at}", w["ta"], w["ta"] + 0.2) for n, (at, w) in enumerate(hours(60))]
    schema = "CREATE TABLE m (id INTEGER PRIMARY KEY, site TEXT, ts TEXT, temp1 REAL, temp2 REAL);"
    path = fill(tmp_path / "a.db", schema, {"m": rows})
    found = look_at(path, zone="UTC")
    assert measures_of(table_of(found, "m")) == {
        "temperature value 1": ("temp1", "degC"),
        "temperature value 2": ("temp2", "degC"),
    }
    ids = {r.sensor["sensor_id"] for r in rows_by(path, found, "m").records["temperature"]}
    assert ids == {"A:temperature", "A:temperature:2"}


def test_numbers_for_codes_are_looked_up_with_their_units(tmp_path: Path) -> None:
    rows = [
        (len_, "A", code, f"{at}", w["ta"] * 1.8 + 32 if code == 1 else w["hm"])
        for len_, (at, w, code) in enumerate((at, w, c) for at, w in hours(60) for c in (1, 2))
    ]
    schema = """
        CREATE TABLE variable (id INTEGER PRIMARY KEY, name TEXT, unit TEXT);
        INSERT INTO variable VALUES (1, 'Air temperature', '°F'), (2, 'Relative humidity', '%');
        CREATE TABLE data (id INTEGER PRIMARY KEY, station TEXT,
            variable_id INTEGER REFERENCES variable (id), observed TEXT, value REAL);"""
    found = look_at(fill(tmp_path / "a.db", schema, {"data": rows}), zone="UTC")
    assert measures_of(table_of(found, "data")) == {
        "1 temperature value": ("value", "degF"),
        "2 humidity value": ("value", "%"),
    }
    assert table_of(found, "data")["cursor"]["mode"] == "id"
    assert "not read again, since the cursor goes by id" in told(found)


def test_hours_run_together_minutes_in_names_and_points_of_the_compass(tmp_path: Path) -> None:
    rows = [(44, int(f"{at:%Y%m%d%H}"), w["ta"], w["ws"], w["ws"], "NNW") for at, w in hours(90)]
    schema = """CREATE TABLE produkt (STATIONS_ID INTEGER, MESS_DATUM INTEGER, TT REAL,
        WS1 REAL, WS10 REAL, WD TEXT);"""
    found = look_at(fill(tmp_path / "a.db", schema, {"produkt": rows}), zone="UTC")
    table = table_of(found, "produkt")
    assert table["time"] == {"column": "MESS_DATUM", "format": "%Y%m%d%H", "zone": "UTC"}
    assert measures_of(table) == {
        "temperature value": ("TT", "degC"),
        "wind speed": ("WS1", "m/s"),
    }
    assert "WS10 looks like wind speed, too" in told(found)
    assert "WD is not mapped: it looks like wind direction, but holds NNW" in told(found)
    assert "tables.0.cursor.column" in found.proposal.problem


def test_days_and_months_that_could_be_swapped_are_said_to_be_doubtful(tmp_path: Path) -> None:
    rows = [(n, "A", f"{at:%d/%m/%Y %H:%M}", w["ta"]) for n, (at, w) in enumerate(hours(120))]
    schema = "CREATE TABLE m (id INTEGER PRIMARY KEY, site TEXT, ts TEXT, ta REAL);"
    early = look_at(fill(tmp_path / "a.db", schema, {"m": rows}), zone="UTC")
    assert "ts: no sampled day tells whether day or month stands first" in told(early)
    later = [(n, "A", f"{at:%d/%m/%Y %H:%M}", w["ta"]) for n, (at, w) in enumerate(hours(500))]
    found = look_at(fill(tmp_path / "b.db", schema, {"m": later}), zone="UTC")
    assert table_of(found, "m")["time"]["format"] == "%d/%m/%Y %H:%M"
    assert "day or month" not in told(found)
