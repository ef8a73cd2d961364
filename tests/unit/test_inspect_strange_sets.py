"""Databases of several tables that nobody here had seen: what belongs together."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.errors import Configuration
from tests.unit.inspect_databases import fill, hours, look_at, measures_of, table_of, told
from tests.unit.inspect_reading import read_by, sensors_by

pytestmark = pytest.mark.requirement("A2", "A3", "A4", "B1", "B4")


def tables_of(found: Any) -> list[str]:
    return [table["table"] for table in found.proposal.document["tables"]]


def hhmm(at: datetime) -> tuple[str, str]:
    """Write a time in two columns, midnight as 2400 of the day that ends."""
    day = at if at.hour else at - timedelta(days=1)
    return f"{day:%Y%m%d}", f"{at:%H%M}" if at.hour else "2400"


def dictionary(path: Path) -> Path:
    """A long table whose codes, units and stations stand in others, with its own history."""
    elements = [
        (1, "TA", "기온", "℃"), (3, "PA", "현지기압", "hPa"), (6, "RN", "강수량", "mm"),
        (8, "TS", "지면온도", "℃"),
    ]  # fmt: skip
    rows = [
        (0, stn, *hhmm(at), element, "-9999" if n % 40 == 9 else str(w[key]), "0")
        for stn in ("S108", "S112")
        for n, (at, w) in enumerate(hours(100, int(stn[1:])))
        for element, key in ((1, "ta"), (3, "pa"), (6, "rn"), (8, "ta"))
    ]
    rows = [(n, *row[1:]) for n, row in enumerate(rows, start=1)]
    columns = "STN_CD TEXT, OBS_YMD TEXT, OBS_HM TEXT, ELEM_ID INTEGER, OBS_VAL TEXT, QC_FLAG TEXT"
    schema = f"""CREATE TABLE TB_OBS (OBS_SEQ INTEGER PRIMARY KEY, {columns});
        CREATE TABLE TB_OBS_HIST (OBS_SEQ INTEGER, {columns}, HIST_DT TEXT);
        CREATE TABLE TB_ELEM (ELEM_ID INTEGER PRIMARY KEY, ELEM_CD TEXT, ELEM_NM TEXT, UNIT TEXT);
        CREATE TABLE TB_STN (STN_CD TEXT PRIMARY KEY, STN_NM TEXT, LAT TEXT, LON TEXT);
        CREATE VIEW V_OBS AS SELECT * FROM TB_OBS;"""  # noqa: S608 - our own names
    stations = [
        ("S108", "서울", "37°34'12\"N", "126°57'36\"E"),
        ("S112", "인천", "37°28'39\"N", "126°37'30\"E"),
    ]  # fmt: skip
    history = [(*row, "2024-07-09 00:00:00") for row in rows[:99]]
    filled = {"TB_OBS": rows, "TB_OBS_HIST": history, "TB_ELEM": elements, "TB_STN": stations}
    return fill(path, schema, filled)


def test_codes_and_units_of_a_dictionary_stations_in_degrees_and_no_history(tmp_path: Path) -> None:
    path = dictionary(tmp_path / "a.db")
    found = look_at(path, zone="+09:00")
    assert tables_of(found) == ["TB_OBS"]
    table = table_of(found, "TB_OBS")
    assert table["time"] == {"date": "OBS_YMD", "time": "OBS_HM", "zone": "+09:00"}
    assert measures_of(table) == {
        "1 temperature value": ("OBS_VAL", "degC"), "3 pressure value": ("OBS_VAL", "hPa"),
        "6 rainfall value": ("OBS_VAL", "mm"),
    }  # fmt: skip
    assert "rows of code 8 (TS) in TB_OBS are not mapped" in told(found)
    records = read_by(path, found)
    assert len(records) == 600
    assert {r.row["observed_text"] for r in records} == {None}
    sensors = sensors_by(path, found)
    assert sensors.problems == []
    place = sensors.records["S108:temperature"]["intervals"][0]
    assert (place["x"], place["y"]) == (126.96, 37.57)


def test_copies_and_audits_are_left_out_and_swapped_positions_are_seen(tmp_path: Path) -> None:
    columns = "Site TEXT NOT NULL, ObsTime TEXT NOT NULL, Temp REAL, WSpd REAL, ModifiedOn TEXT"
    rows = [(n, "A", f"{at}", w["ta"], w["ws"], f"{at}") for n, (at, w) in enumerate(hours(100))]
    schema = f"""CREATE TABLE Readings (id INTEGER PRIMARY KEY, {columns});
        CREATE TABLE Readings_bak (id INTEGER PRIMARY KEY, {columns});
        CREATE TABLE readings_audit (aid INTEGER PRIMARY KEY, id INTEGER, {columns});
        CREATE VIEW latest AS SELECT * FROM Readings;
        CREATE TABLE Sites (Site TEXT PRIMARY KEY, Latitude REAL, Longitude REAL, elev_ft REAL);
        INSERT INTO Sites VALUES ('A', 126.9658, 37.5714, 282);"""  # noqa: S608 - our own names
    audit = [(n, *row) for n, row in enumerate(rows[:50])]
    filled: dict[str, Any] = {"Readings": rows, "Readings_bak": rows, "readings_audit": audit}
    path = fill(tmp_path / "a.db", schema, filled)
    found = look_at(path, zone="+09:00")
    assert tables_of(found) == ["Readings"]
    stations = found.proposal.document["metadata"]["stations"]
    assert (stations["x"], stations["y"]) == ("Latitude", "Longitude")
    assert "elevation" not in stations
    assert "no table of sensors was recognised: every station is supposed to have" in told(found)
    assert len(read_by(path, found)) == 200
    assert set(sensors_by(path, found).records) == {"A:temperature", "A:wind"}


def test_what_is_called_like_weather_and_is_none_is_left_out(tmp_path: Path) -> None:
    schema = """CREATE TABLE orders (id INTEGER PRIMARY KEY, created_at TEXT, temp_id INTEGER,
            humid_storage INTEGER);
        CREATE TABLE server (id INTEGER PRIMARY KEY, ts TEXT, cpu_temp REAL, pressure REAL);"""
    orders = [(n, f"{at}", n * 7, n % 2) for n, (at, _) in enumerate(hours(90))]
    servers = [(n, f"{at}", 55.0 + n % 20, 0.3) for n, (at, _) in enumerate(hours(90))]
    found = look_at(fill(tmp_path / "a.db", schema, {"orders": orders, "server": servers}))
    assert tables_of(found) == []
    assert "server is not mapped: no weather is like the values of pressure" in told(found)


def test_details_have_their_time_and_station_from_their_heading(tmp_path: Path) -> None:
    schema = """CREATE TABLE heading (obs_id INTEGER PRIMARY KEY, station TEXT, obs_time TEXT);
        CREATE TABLE detail (id INTEGER PRIMARY KEY, obs_id INTEGER REFERENCES heading (obs_id),
            element TEXT, value REAL);"""
    headings = [(n, "S1", f"{at}") for n, (at, _) in enumerate(hours(100))]
    details = [
        (2 * n + i, n, code, w[key])
        for n, (_, w) in enumerate(hours(100))
        for i, (code, key) in enumerate((("TEMP", "ta"), ("RH", "hm")))
    ]
    path = fill(tmp_path / "a.db", schema, {"heading": headings, "detail": details})
    found = look_at(path, zone="+09:00")
    via = {"table": "heading", "on": "obs_id", "key": "obs_id", "columns": ["obs_time", "station"]}
    assert table_of(found, "detail")["via"] == via
    records = read_by(path, found)
    assert {r.sensor["sensor_id"] for r in records} == {"S1:temperature", "S1:humidity"}
    assert all(r.row["observed_local"] for r in records)


@pytest.mark.parametrize(
    ("names", "station", "said"),
    [
        (("AWS_108", "AWS_112"), "108", ""),
        (("AWS_202404", "AWS_202405"), "SET-ME", "AWS… are parts of one table"),
    ],
)
def test_a_number_in_a_tables_name_is_a_station_unless_it_is_a_month(
    names: tuple[str, str], station: str, said: str, tmp_path: Path
) -> None:
    columns = "(SEQ INTEGER PRIMARY KEY, TM TEXT NOT NULL, TA REAL, HM REAL)"
    schema = "".join(f"CREATE TABLE {name} {columns};" for name in names)
    filled = {
        name: [(n, f"{at}", w["ta"], w["hm"]) for n, (at, w) in enumerate(hours(60, seed))]
        for seed, name in enumerate(names)
    }
    found = look_at(fill(tmp_path / "a.db", schema, filled), zone="+09:00")
    assert table_of(found, names[0])["constants"] == {"station_of_source": station}
    assert said in told(found)


def test_codes_of_letters_count_in_company_and_what_is_no_parameter_is_told(tmp_path: Path) -> None:
    kinds = (("T", "ta"), ("TD", "hm"), ("FF", "ws"), ("P0", "pa"), ("U", "hm"), ("VV", "wd"))
    rows = [
        (6 * n + i, "RKSI", code, f"{at:%Y-%m-%dT%H:%M:%SZ}", w[key])
        for n, (at, w) in enumerate(hours(60))
        for i, (code, key) in enumerate(kinds)
    ]
    schema = """CREATE TABLE obs_value (id INTEGER PRIMARY KEY, icao TEXT, code TEXT,
        valid_time TEXT, val REAL);"""
    path = fill(tmp_path / "a.db", schema, {"obs_value": rows})
    found = look_at(path)
    table = table_of(found, "obs_value")
    assert set(measures_of(table)) == {
        "FF wind speed", "P0 pressure value", "T temperature value", "U humidity value",
    }  # fmt: skip
    assert (table["station"], table["time"]["zone"]) == ("icao", "UTC")
    assert "rows of code VV in obs_value are not mapped: by its name it is no" in told(found)
    assert len(read_by(path, found)) == 240


def test_tables_without_rows_are_drafted_by_their_names_alone(tmp_path: Path) -> None:
    schema = "CREATE TABLE obs (id INTEGER PRIMARY KEY, stn TEXT, tm TEXT, ta REAL, hm REAL);"
    found = look_at(fill(tmp_path / "a.db", schema, {}))
    assert table_of(found, "obs")["time"] == {"column": "tm", "zone": "SET-ME"}
    assert measures_of(table_of(found, "obs"))["temperature value"] == ("ta", "SET-ME")


def test_positions_that_nobody_can_read_are_left_out_and_the_names_kept(tmp_path: Path) -> None:
    schema = """CREATE TABLE obs (id INTEGER PRIMARY KEY, poste INTEGER, tm TEXT, ta REAL);
        CREATE TABLE stations (id INTEGER PRIMARY KEY, nom TEXT, lat TEXT, lon TEXT);
        INSERT INTO stations VALUES (1, 'Brest', '48°26''40"N', '4°24''43"O');"""
    rows = [(n, 1, f"{at}", w["ta"]) for n, (at, w) in enumerate(hours(60))]
    found = look_at(fill(tmp_path / "a.db", schema, {"obs": rows}), zone="UTC")
    stations = found.proposal.document["metadata"]["stations"]
    assert stations == {"table": "stations", "station": "id", "name": "nom"}
    assert "cannot be read, and are left out" in told(found)


def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("nothing that SQLite knows" * 99, encoding="utf-8")
    with pytest.raises(Configuration, match="file is not a database"):
        look_at(tmp_path / "a.db")


def test_tables_of_equal_rows_are_copies_unless_each_may_be_a_station(tmp_path: Path) -> None:
    rows = [(n, f"{at}", w["ta"]) for n, (at, w) in enumerate(hours(60))]
    named = [(*row, "A") for row in rows]
    columns = "(no INTEGER PRIMARY KEY, tm TEXT, ta REAL"
    schema = "".join(f"CREATE TABLE {name} {columns});" for name in ("S1001", "S1002"))
    schema += "".join(f"CREATE TABLE {name} {columns}, stn TEXT);" for name in ("obs", "obs_all"))
    filled = {"S1001": rows, "S1002": rows, "obs": named, "obs_all": named}
    found = look_at(fill(tmp_path / "a.db", schema, filled), zone="UTC")
    assert sorted(tables_of(found)) == ["S1001", "S1002", "obs"]
    assert "obs_all is not mapped: its rows stand in obs, too" in told(found)


def test_rows_that_cannot_be_told_apart_are_told(tmp_path: Path) -> None:
    schema = """CREATE TABLE obs (id INTEGER PRIMARY KEY, stn TEXT, element TEXT, tm TEXT,
        value REAL);"""
    rows = [
        (2 * n + i, "A", "TA", f"{at}", w["ta"] + i)
        for n, (at, w) in enumerate(hours(60))
        for i in range(2)
    ]
    found = look_at(fill(tmp_path / "a.db", schema, {"obs": rows}), zone="UTC")
    assert "obs: 60 of 120 sampled rows share station, time and code with another" in told(found)
