"""Databases that nobody here had seen: each has a trap, and what a careful person would propose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.inspect_databases import fill, hours, look_at, measures_of, table_of, told
from tests.unit.inspect_reading import read_by

pytestmark = pytest.mark.requirement("A2", "A3", "A4", "B1")
Row = tuple[Any, ...]
Weather = dict[str, float]


@dataclass(frozen=True)
class Case:
    """A table and its rows, and what has to be proposed for it."""

    name: str
    table: str
    schema: str
    row: Callable[[int, datetime, Weather], Row]
    measures: dict[str, tuple[str, str]]
    time: dict[str, Any] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    cursor: dict[str, Any] = field(default_factory=dict)
    station: str = "stn"


def utc(at: datetime) -> str:
    """Give the time of change of a row that is written a minute after its observation in Korea."""
    return f"{at - timedelta(hours=9) + timedelta(minutes=1)}"


def total(at: datetime, w: Weather, known: dict[str, float]) -> float:
    """Count rain without end."""
    known["mm"] = known.get("mm", 1234.0) + w["rn"]
    return known["mm"]


_COUNTER: dict[str, float] = {}
CASES = (
    Case(
        "a logger that writes tenths",
        "AWS_108",
        """CREATE TABLE AWS_108 (SEQ INTEGER PRIMARY KEY, STN TEXT, TM TEXT, TA INTEGER, WD INTEGER,
            WS INTEGER, RN INTEGER, PA INTEGER, HM INTEGER);""",
        lambda n, at, w: (n, "A", f"{at:%Y%m%d%H%M}", round(w["ta"] * 10 + 1000), w["wd"] * 10,
                          round(w["ws"] * 10), round(w["rn"] * 10), round(w["pa"] * 10),
                          round(w["hm"] * 10)),
        {
            "temperature value": ("TA", "0.1degC+1000"), "humidity value": ("HM", "0.1%"),
            "pressure value": ("PA", "0.1hPa"), "wind speed": ("WS", "0.1m/s"),
            "wind direction": ("WD", "0.1degree"), "rainfall value": ("RN", "0.1mm"),
        },
        station="STN",
    ),
    Case(
        "Spanish names, date and hour apart, a word for traces of rain",
        "datos horarios",
        """CREATE TABLE "datos horarios" (num INTEGER PRIMARY KEY, estacion TEXT, fecha TEXT,
            hora TEXT, temperatura REAL, humedad REAL, presion REAL, velocidad_viento REAL,
            direccion_viento REAL, racha REAL, precipitacion TEXT);""",
        lambda n, at, w: (n, "3195", f"{at:%Y-%m-%d}", f"{at:%H:%M}", w["ta"], w["hm"], w["pa"],
                          w["ws"], w["wd"], w["gust"], "Ip" if n % 9 == 1 else str(w["rn"])),
        {
            "temperature value": ("temperatura", "degC"), "humidity value": ("humedad", "%"),
            "pressure value": ("presion", "hPa"), "wind speed": ("velocidad_viento", "m/s"),
            "wind direction": ("direccion_viento", "degree"), "wind gust": ("racha", "m/s"),
            "rainfall value": ("precipitacion", "mm"),
        },
        {"date": "fecha", "time": "hora", "zone": "+09:00"},
        ("precipitacion holds 'Ip' (",),
        station="estacion",
    ),
    Case(
        "letters of SYNOP in kelvin and pascal, rain of one and of three hours",
        "synop",
        """CREATE TABLE synop (no INTEGER PRIMARY KEY, numer_sta TEXT, tm TEXT, t, td, u, pres, dd,
            ff, rr1, rr3);""",
        lambda n, at, w: (n, "07005", f"{at}",
                          *(["mq"] * 8 if n % 30 == 3 else
                            [w["ta"] + 273.15, w["ta"] + 270, w["hm"], w["pa"] * 100, w["wd"],
                             w["ws"], w["rn"], w["rn"] * 3])),
        {
            "temperature value": ("t", "K"), "humidity value": ("u", "%"),
            "pressure value": ("pres", "Pa"), "wind speed": ("ff", "m/s"),
            "wind direction": ("dd", "degree"), "rainfall value": ("rr1", "mm"),
        },
        told=("rr3 is not mapped: it seems to sum the last 10800 s",),
        station="numer_sta",
    ),
    Case(
        "one table for a parameter, with a time of change that may be NULL",
        "humidity",
        """CREATE TABLE humidity (id INTEGER PRIMARY KEY, stn TEXT, ts TEXT, value REAL, unit TEXT,
            updated_at TEXT);""",
        lambda n, at, w: (n, "A", f"{at}", w["hm"], "%", None if n % 9 == 0 else utc(at)),
        {"humidity value": ("value", "%")},
        {"column": "ts", "zone": "+09:00"},
        cursor={"mode": "timestamp_id", "column": "updated_at", "null_rows": "by_id"},
    ),
    Case(
        "wind by short names in a table that says what they are",
        "wind_obs",
        """CREATE TABLE wind_obs (id INTEGER PRIMARY KEY, stn TEXT, ts TEXT, dir REAL, spd REAL,
            max REAL);""",
        lambda n, at, w: (n, "A", f"{at}", w["wd"], w["ws"], w["gust"]),
        {
            "wind speed": ("spd", "m/s"), "wind direction": ("dir", "degree"),
            "wind gust": ("max", "m/s"),
        },
    ),
    Case(
        "speed and direction in each other's column",
        "obs",
        """CREATE TABLE obs (id INTEGER PRIMARY KEY, stn TEXT, tm TEXT, ta REAL, ws REAL, wd REAL);
        """,
        lambda n, at, w: (n, "A", f"{at}", w["ta"], w["wd"], w["ws"]),
        {
            "temperature value": ("ta", "degC"), "wind speed": ("ws", "SET-ME"),
            "wind direction": ("wd", "SET-ME"),
        },
        told=("speed and direction are perhaps swapped",),
    ),
    Case(
        "a counter that is never reset, a fraction, the same time in two zones",
        "logger",
        """CREATE TABLE logger (rec INTEGER PRIMARY KEY, stn CHAR(10), local_time TEXT,
            utc_time TEXT, air_temp REAL, rel_hum REAL, rain_counter REAL);""",
        lambda n, at, w: (n, "AB12      ", f"{at}", f"{at - timedelta(hours=9)}", w["ta"],
                          round(w["hm"] / 100, 3), total(at, w, _COUNTER)),
        {"temperature value": ("air_temp", "degC"), "humidity value": ("rel_hum", "1")},
        {"column": "utc_time", "zone": "UTC"},
        ("rain_counter is not mapped: rain_counter only rises",),
    ),
    Case(
        "names between others, in which PA is no unit and HM no time",
        "t_obs",
        """CREATE TABLE t_obs (id INTEGER PRIMARY KEY, stn TEXT, obs_tm TEXT, obs_ta_val REAL,
            obs_ta_flag INTEGER, obs_hm REAL, obs_pa_val REAL);""",
        lambda n, at, w: (n, "A", f"{at}", w["ta"], 0, w["hm"], w["pa"]),
        {
            "temperature value": ("obs_ta_val", "degC"), "humidity value": ("obs_hm", "%"),
            "pressure value": ("obs_pa_val", "hPa"),
        },
    ),
    Case(
        "a logger's own names, with its own temperature among them",
        "CR1000",
        """CREATE TABLE CR1000 (RECORD INTEGER PRIMARY KEY, stn TEXT, TIMESTAMP TEXT,
            AirTC_Avg REAL, RH REAL, BP_kPa_Avg REAL, WS_ms_S_WVT REAL, WindDir_D1_WVT REAL,
            PTemp_C REAL);""",
        lambda n, at, w: (n, "A", f"{at}", w["ta"], w["hm"], w["pa"] / 10, w["ws"], w["wd"], 31.0),
        {
            "temperature value": ("AirTC_Avg", "degC"), "humidity value": ("RH", "%"),
            "pressure value": ("BP_kPa_Avg", "kPa"), "wind speed": ("WS_ms_S_WVT", "m/s"),
            "wind direction": ("WindDir_D1_WVT", "degree"),
        },
    ),
    Case(
        "offsets behind a blank, a mean and extremes, sentinels of every kind, flags beside",
        "AwsObs",
        """CREATE TABLE AwsObs (id INTEGER PRIMARY KEY, stn TEXT, ObsDt TEXT, TMP REAL,
            TMP_QC INTEGER, REH REAL, WSD REAL, WSD_MAX REAL, VEC REAL, TMP_ID INTEGER);""",
        lambda n, at, w: (n, "A", f"{at}.0000000 +09:00", -99.9 if n % 20 == 1 else w["ta"], 0,
                          -9 if n % 20 == 2 else w["hm"], 999 if n % 20 == 3 else w["ws"],
                          w["gust"], w["wd"], n),
        {
            "temperature value": ("TMP", "degC"), "humidity value": ("REH", "%"),
            "wind speed": ("WSD", "m/s"), "wind direction": ("VEC", "degree"),
        },
        {"column": "ObsDt", "zone": "UTC"},
    ),
)  # fmt: skip


def built(case: Case, path: Path) -> Path:
    rows = [case.row(n, at, w) for n, (at, w) in enumerate(hours(240), start=1)]
    return fill(path, case.schema, {case.table: rows})


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_careful_person_would_propose_the_same(case: Case, tmp_path: Path) -> None:
    _COUNTER.clear()
    path = built(case, tmp_path / "a.db")
    found = look_at(path, zone="+09:00")
    table = table_of(found, case.table)
    assert measures_of(table) == case.measures
    assert (table["station"], table["time"]) == (case.station, case.time or table["time"])
    assert table["cursor"] | case.cursor == table["cursor"]
    for line in case.told:
        assert line in told(found)
    if not found.proposal.problem:
        assert len(read_by(path, found)) == 240 * len(table["readings"])
