"""The sample through the science: times, places and the flags that the demo is to show."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import numpy as np
import pytest

from devstack.sample import MAPPING, tables
from devstack.sample.tables import Value, from_data
from schemas.mapping import LongTable, Reading, read_mapping
from weather.arrays import Floats
from weather.clean import Given, Readings, clean
from weather.coordinates import to_wgs84
from weather.time import LocalTime, parse_local, to_utc

Row = dict[str, Value]

TABLES = {table.name: table for table in tables()}
ROWS = {
    name: [dict(zip(t.columns, row, strict=True)) for row in t.rows] for name, t in TABLES.items()
}


@pytest.mark.requirement("B3", "E3")
def test_every_local_time_becomes_the_utc_that_the_data_name() -> None:
    rows = ROWS["weather_hourly"]
    local = np.array([parse_local(str(row["observed_at"])) for row in rows], dtype=np.int64)
    seen: Counter[tuple[object, object]] = Counter()
    fold = np.zeros(len(rows), dtype=np.int8)
    for i, row in enumerate(rows):
        hour = row["station_id"], row["observed_at"]
        fold[i] = seen[hour]
        seen[hour] += 1
    utc, status = to_utc(local, "America/New_York", fold)
    named = [datetime.fromisoformat(row["time_hour"]) for row in from_data("weather.csv.xz")]
    assert utc.tolist() == [round(at.timestamp()) * 1_000_000 for at in named]
    assert Counter(status.tolist()) == {LocalTime.OK: 26_109, LocalTime.AMBIGUOUS: 6}
    assert len(set(zip((r["station_id"] for r in rows), utc.tolist(), strict=True))) == 26_115


@pytest.mark.requirement("B3")
def test_tucson_lies_where_it_lies_in_the_coordinates_of_its_survey() -> None:
    tucson = next(row for row in ROWS["station"] if row["station_id"] == "UAT")
    x, y = column([tucson], "x"), column([tucson], "y")
    longitude, latitude = to_wgs84(x, y, str(tucson["crs"]))
    assert (longitude[0], latitude[0]) == pytest.approx((-110.9553, 32.2297), abs=1e-6)


def column(rows: list[Row], name: str) -> Floats:
    return np.array([row[name] for row in rows], dtype=np.float64)


def cleaned(table: str, reading: Reading, rows: list[Row]) -> Readings:
    assert rows, f"{table} has no rows for {reading.parameter}"
    given = {
        name: Given(column(rows, m.column), m.unit, tuple(float(s) for s in m.sentinels))
        for name, m in reading.measures.items()
    }
    return clean(reading.parameter, given)


def test_the_demo_loads_these_flags() -> None:
    flags: dict[str, Counter[int]] = {}
    for table in read_mapping(MAPPING).tables:
        for reading in table.readings:
            rows = [
                row
                for row in ROWS[table.table]
                if not isinstance(table, LongTable) or row[table.code] == reading.code
            ]
            found: Counter[int] = Counter(cleaned(table.table, reading, rows).flag.tolist())
            flags[reading.parameter] = flags.get(reading.parameter, Counter()) + found
    assert flags == {
        "rainfall": {1: 26_115},
        "temperature": {1: 27_554, 4: 193, 9: 1_248},
        "humidity": {1: 27_554, 9: 1},
        "wind": {1: 27_550, 4: 1, 9: 4},
        "pressure": {1: 24_826, 9: 2_729},
    }


def test_calm_and_variable_winds_of_new_york_are_told_apart() -> None:
    wide = read_mapping(MAPPING).tables[0]
    wind = next(r for r in wide.readings if r.parameter == "wind")
    done = cleaned("weather_hourly", wind, ROWS["weather_hourly"])
    speed, direction = (done.measures[m].value for m in ("speed", "direction"))
    assert np.sum((speed == 0) & np.isnan(direction)) == 1_256
    assert np.sum((speed > 0) & np.isnan(direction)) == 456
    assert not (direction == 0).any()
    assert np.nanmax(speed) < 25
