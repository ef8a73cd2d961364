"""What follows from what was measured: the same in the database as in the science."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest

from sink.database import Connection
from tests.table_rows import ask, put, reading, scratch
from weather.derived import dew_point, sea_level_pressure

AT = "2020-01-01 00:10"
AIR = [(25.0, 50.0), (-20.0, 3.0), (40.0, 100.5), (0.0, 0.0), (-150.0, 50.0), (15.0, 60.0)]


@pytest.fixture(scope="module")
def tables(postgres_server: str) -> Iterator[Connection]:
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute("CREATE DATABASE derived")
    with scratch(postgres_server.rpartition("/")[0] + "/derived") as connection:
        yield connection


def minute(connection: Connection, station: str, **flags: int) -> None:
    """Put air of 15 degrees, 60 percent and 1000 hPa at a barometer 86 m above the sea."""
    measured = {"temperature": 15.0, "humidity": 60.0, "pressure": 1000.0}
    for parameter, value in measured.items():
        flag = flags.get(parameter, 1)
        place: dict[str, Any] = {"elevation": 85.0, "height": 1.0}
        put(connection, reading(parameter, station, AT, value=value, flag=flag, **place))


def derived(connection: Connection, station: str) -> list[Any]:
    return ask(
        connection,
        "SELECT dew_point, sea_level_pressure, flag FROM weather.derived WHERE station_id = %s",
        station,
    )


@pytest.mark.backend("native PostgreSQL")
@pytest.mark.requirement("B5")
@pytest.mark.parametrize(("temperature", "humidity"), AIR)
def test_the_database_computes_what_the_science_does(
    tables: Connection, temperature: float, humidity: float
) -> None:
    given = f"{temperature}, {humidity}"
    ((dew, sea),) = ask(
        tables,
        f"SELECT weather.dew_point({given}), weather.sea_level_pressure(1000, {given}, 86)",
    )
    air = np.array([temperature]), np.array([humidity])
    wanted = dew_point(*air)[0], sea_level_pressure(np.array([1000.0]), *air, 86.0)[0]
    for mine, theirs in zip((dew, sea), wanted, strict=True):
        assert (mine is None) == np.isnan(theirs)
        assert mine is None or mine == pytest.approx(theirs, abs=1e-9)


@pytest.mark.backend("native PostgreSQL")
@pytest.mark.requirement("B5", "B11")
def test_a_minute_of_a_station_has_its_dew_point_and_its_pressure_at_sea_level(
    tables: Connection,
) -> None:
    minute(tables, "A")
    ((dew, sea, flag),) = derived(tables, "A")
    assert (round(dew, 3), round(sea, 3), flag) == (7.292, 1010.195, 1)


@pytest.mark.backend("native PostgreSQL")
@pytest.mark.requirement("B5")
def test_what_failed_is_not_computed_with_and_what_is_doubtful_says_so(tables: Connection) -> None:
    minute(tables, "B", pressure=4)
    minute(tables, "C", temperature=4)
    minute(tables, "D", humidity=3)
    ((dew, sea, flag),) = derived(tables, "B")
    assert (round(dew, 3), sea, flag) == (7.292, None, 1)
    assert derived(tables, "C") == []
    ((_, sea, flag),) = derived(tables, "D")
    assert (round(sea, 3), flag) == (1010.195, 3)


@pytest.mark.backend("native PostgreSQL")
def test_a_late_humidity_brings_the_dew_point_with_it(tables: Connection) -> None:
    put(tables, reading("temperature", "E", AT, value=25.0, flag=1))
    assert derived(tables, "E") == []
    put(tables, reading("humidity", "E", AT, value=50.0, flag=1))
    ((dew, sea, flag),) = derived(tables, "E")
    assert (round(dew, 4), sea, flag) == (13.8516, None, 1)
