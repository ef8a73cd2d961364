"""No database makes the inspection fail, whatever its names, types and values are."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers.connection.database import open_engine
from producers.inspect.pages import pages
from producers.inspect.run import Bounds, Inspection, inspect
from producers.inspect.table_draft import Hints
from producers.inspect.yaml_text import yaml_text
from producers.settings import SourceSettings
from runtime.errors import Configuration
from schemas.mapping import Mapping, parse_mapping
from tests.only_endpoint import endpoints_of
from tests.unit.inspect_databases import fill, hours, look_at, measures_of, table_of, told

pytestmark = [pytest.mark.requirement("A2", "A3", "A4"), pytest.mark.slow]

_KNOWN = (
    *("id", "station_id", "TM", "observed_at", "modified_at", "TA", "HM", "RN_DAY", "WS", "WD"),
    *("PA", "value", "element", "sensor_no", "obs_date", "obs_time", "hour", "year", "month"),
    *("day", "lat", "lon", "scale", "offset", "quality", "unit", "기온(°C)", "temp_f", "epoch"),
)
_names = st.one_of(
    st.sampled_from(_KNOWN),
    st.text(
        st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"),
        min_size=1,
        max_size=12,
    ),
)
_values = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=12),
    st.sampled_from(
        ["TA", "MM", "-9999", "2024-01-01 24:00", "20240101", "0905", "99:99", "1e400", "nan", "_1",
         "2024-01-01T00:00:00+09:00", "31.12.2023 10:00", 1_700_000_000, -9999.0, 2400]
    ),
    st.binary(max_size=5),
)  # fmt: skip
_types = st.sampled_from(
    ["INTEGER", "REAL", "TEXT", "DATETIME", "DATE", "TIME", "DECIMAL(8,2)", "BLOB", "BOOLEAN", "",
     "GEOMETRY", "VARCHAR(9)"]
)  # fmt: skip


@st.composite
def databases(draw: Any) -> list[tuple[str, list[tuple[str, str]], list[list[Any]]]]:
    tables = []
    for name in draw(st.lists(_names, min_size=1, max_size=3, unique_by=str.lower)):
        columns = draw(st.lists(st.tuples(_names, _types), min_size=1, max_size=6,
                                unique_by=lambda c: c[0].lower()))  # fmt: skip
        row = st.lists(_values, min_size=len(columns), max_size=len(columns))
        tables.append((name, columns, draw(st.lists(row, max_size=12))))
    return tables


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def consistent(found: Inspection) -> None:
    """See that all documents can be written, and that the draft is valid or says what it lacks."""
    text = yaml_text(found.proposal)
    assert yaml.safe_load(text) == found.proposal.document
    assert set(pages(found)) == {"schema.md", "quality.md", "volume.md"}
    json.dumps(found.as_document(), default=str)
    document = found.proposal.document
    if found.proposal.problem:
        with pytest.raises(Configuration) as refused:
            parse_mapping(document, Path("mapping.yaml"))
        open_places = "still to be set" in str(refused.value)
        assert open_places or not document["tables"], (str(refused.value), document)
    else:
        Mapping.model_validate(document)


@given(databases())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_schema_with_any_values_is_inspected(
    tables: list[tuple[str, list[tuple[str, str]], list[list[Any]]]],
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "any.db"
        with closing(sqlite3.connect(path)) as database, database:
            for name, columns, rows in tables:
                written = ", ".join(f"{quoted(c)} {kind}" for c, kind in columns)
                database.execute(f"CREATE TABLE {quoted('t ' + name)} ({written})")
                marks = ", ".join("?" * len(columns))
                into = f"INSERT INTO {quoted('t ' + name)}"
                database.executemany(f"{into} VALUES ({marks})", rows)
        consistent(look_at(path))


def test_empty_tables_views_wide_tables_and_broken_views(tmp_path: Path) -> None:
    many = ", ".join(f"c{n} REAL" for n in range(200))
    schema = f"""CREATE TABLE empty (id INTEGER PRIMARY KEY, stn TEXT, tm DATETIME, ta REAL);
        CREATE TABLE many (id INTEGER PRIMARY KEY, STN TEXT, TM DATETIME, TA REAL, {many});
        CREATE VIEW copy AS SELECT id, STN, TM, TA FROM many;
        CREATE TABLE gone (a INTEGER); CREATE VIEW broken AS SELECT a FROM gone; DROP TABLE gone;"""  # noqa: S608
    rows = [(n, "A", f"{at}", w["ta"], *[None] * 200) for n, (at, w) in enumerate(hours(50))]
    found = look_at(fill(tmp_path / "a.db", schema, {"many": rows}), zone="UTC")
    consistent(found)
    assert measures_of(table_of(found, "many")) == {"temperature value": ("TA", "degC")}
    assert "view copy is not mapped: many has its columns" in told(found)
    assert any(line.startswith("broken: ") for line in found.unseen)


def test_a_database_without_weather_says_so(tmp_path: Path) -> None:
    schema = "CREATE TABLE invoice (no INTEGER PRIMARY KEY, customer TEXT, total REAL);"
    found = look_at(fill(tmp_path / "a.db", schema, {"invoice": [(1, "x", 2.5)]}))
    assert found.proposal.document["tables"] == []
    assert "no table looks like readings of the weather" in told(found)
    consistent(found)


def test_a_table_of_values_with_a_decimal_comma_is_named_though_it_is_left_out(
    tmp_path: Path,
) -> None:
    schema = """CREATE TABLE messwert (nr INTEGER PRIMARY KEY, station TEXT, groesse TEXT,
        zeit TEXT, wert TEXT);"""
    rows = [
        (n, "ZRH", ("LUFTTEMP", "REL_FEUCHTE")[n % 2], f"{at:%d.%m.%Y %H:%M}", f"{n % 9},5")
        for n, (at, _) in enumerate(hours(60))
    ]
    said = told(look_at(fill(tmp_path / "a.db", schema, {"messwert": rows})))
    assert "messwert is not mapped: wert looks like its value, but holds" in said
    assert "a decimal comma is not read: make a view" in said


def test_a_time_of_change_that_may_be_null_is_named_where_there_is_no_id(tmp_path: Path) -> None:
    schema = """CREATE TABLE OBS (STN TEXT, YMD TEXT NOT NULL, HH TEXT NOT NULL, TA REAL,
        UPD_DT TEXT, PRIMARY KEY (STN, YMD, HH));"""
    rows = [("108", f"{at:%Y%m%d}", f"{at:%H}00", w["ta"], f"{at}") for at, w in hours(60)]
    found = look_at(fill(tmp_path / "a.db", schema, {"OBS": rows}), zone="Asia/Seoul")
    reasons = [one.guess.reason for one in found.proposal.notes.guesses]
    assert any("UPD_DT would do for want of better, but may be NULL" in one for one in reasons)


@pytest.mark.parametrize("kind", ["DECIMAL(8,2)", "TEXT", ""])
def test_values_of_any_declared_type_are_numbers(tmp_path: Path, kind: str) -> None:
    schema = (
        f'CREATE TABLE R (SEQ INTEGER PRIMARY KEY, STATION TEXT, OBSTIME TEXT, "T AIR" {kind});'
    )
    rows = [(n, "A", f"{at:%d.%m.%Y %H:%M}", str(w["ta"])) for n, (at, w) in enumerate(hours(400))]
    found = look_at(fill(tmp_path / "a.db", schema, {"R": rows}), zone="Europe/Berlin")
    table = table_of(found, "R")
    assert table["time"] == {
        "column": "OBSTIME",
        "format": "%d.%m.%Y %H:%M",
        "zone": "Europe/Berlin",
    }
    assert measures_of(table) == {"temperature value": ("T AIR", "degC")}


def test_ctrl_c_tells_what_was_seen_by_then(tmp_path: Path) -> None:
    schema = "CREATE TABLE a (x INTEGER); CREATE TABLE b (x INTEGER);"
    path = fill(tmp_path / "a.db", schema, {})

    def interrupt(what: str, _done: int, _of: int) -> None:
        if what == "b":
            raise KeyboardInterrupt

    engine = open_engine(SourceSettings(url=f"sqlite:///{path}", mapping=path))
    found = inspect(endpoints_of(engine), Bounds(), Hints(), interrupt)
    engine.dispose()
    assert found.cancelled
    assert [table.name for table in found.catalogue.tables] == ["a"]
    assert "Cancelled" in pages(found)["schema.md"]


def test_a_query_ends_when_its_time_is_over(tmp_path: Path) -> None:
    schema = """CREATE VIEW endless AS WITH RECURSIVE n(x) AS
        (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) AS x FROM n;"""
    path = fill(tmp_path / "a.db", schema, {})
    engine = open_engine(SourceSettings(url=f"sqlite:///{path}", mapping=path))
    found = inspect(endpoints_of(engine), Bounds(seconds=0.1), Hints(), lambda *_: None)
    engine.dispose()
    assert any("interrupted" in line for line in found.unseen)
