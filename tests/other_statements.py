"""The statements of a source that no cursor makes: at start, for metadata, backfill, inspection.

The code that runs sends them to a driver that stands for SQL Server; each is known by the function
of ours that sent it, and that is how a run on another database is held to the document.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from sqlalchemy import Engine

from producers.backfill.connection import give_way, quietly
from producers.backfill.request import Request, spans_of
from producers.backfill.selection import chosen
from producers.backfill.table import open_table
from producers.connection.endpoint import Endpoint
from producers.connection.endpoints import Endpoints
from producers.inspect.run import Bounds, inspect
from producers.inspect.table_draft import Hints
from producers.reading.cursor_checks import check_cursors
from producers.reading.tables import check_mapping
from producers.sensors.metadata_tables import read_metadata
from runtime.breaker import Breaker
from schemas.mapping import Mapping
from tests import sql_server_fake
from tests.statement_senders import SENDERS, sender

Heard = list[tuple[str, str]]
"""Pairs of a sender and a statement."""

_TABLES: Final = {
    "Obs": {
        "id": "bigint", "sensor": "int", "at": "datetime2", "ta": "float", "changed": "datetime2",
    },
    "Minute": {
        "id": "bigint", "station": "varchar", "code": "varchar", "at": "varchar", "v": "float",
        "changed": "datetime2",
    },
    "Sensor": {"id": "int", "station": "varchar", "kind": "varchar", "number": "int"},
    "Station": {"station": "varchar", "lat": "float", "lon": "float"},
    "Calibration": {"id": "int", "sensor": "int", "scale": "float", "offset": "float"},
}  # fmt: skip
_SPAN: Final = spans_of("2020-01-01", "2021-01-01", None)


_WHO: Final = """
## Who sends what, and which index it wants

A test runs source, backfill and inspection, on PostgreSQL and on the sample, and finds nobody who
sends a statement and is not in this table.

| Sent by (in `producers/`) | When | Index |
|---|---|---|
"""
_START_NOTE: Final = """
What stands here once for the table `Obs` is sent for each table that the mapping names. The words
of the catalogue's statements are SQLAlchemy's.
"""
_BACKFILL_NOTE: Final = """
Connections are called `aos-backfill` (`APP=aos-backfill`). Where the database allows it, all is
read under SNAPSHOT. What is sent at start and for metadata is sent here, too.
"""
_INSPECT_NOTE: Final = """
Once a table, each bounded by `source.query_timeout_seconds`.
"""


def mapping() -> Mapping:
    """Map a wide table by way of its sensors, a long one, and all metadata."""
    cursor = {"column": "changed", "id": "id"}
    value = {"measures": {"value": {"column": "ta", "unit": "degC"}}, "parameter": "temperature"}
    common = {"db_schema": "dbo", "key": ["id"], "cursor": cursor, "station": "station"}
    via = {"table": "Sensor", "on": "sensor", "key": "id", "columns": ["station"]}
    zone = {"column": "at", "zone": "Asia/Seoul"}
    wide = {**common, "shape": "wide", "table": "Obs", "via": via, "time": zone}
    long = {**common, "shape": "long", "table": "Minute", "code": "code", "time": zone}
    of_code = {**value, "code": "TA", "measures": {"value": {"column": "v", "unit": "degC"}}}
    place = {"station": "station", "y": "lat", "x": "lon"}
    kinds = {"station": "station", "code": "kind", "codes": {"TA": "temperature"}}
    metadata = {
        "stations": {"table": "Station", "db_schema": "dbo", **place},
        "sensors": {"table": "Sensor", "db_schema": "dbo", "key": "id", **kinds},
        "calibrations": {
            "table": "Calibration", "db_schema": "dbo", "key": "id", "sensor": "sensor",
            "scale": "scale", "offset": "offset",
        },
    }  # fmt: skip
    tables = [{**wide, "readings": [value]}, {**long, "readings": [of_code]}]
    told = {"source": "aos", "version": 1, "tables": tables, "metadata": metadata}
    return Mapping.model_validate(told)


def document() -> str:
    """Write the sections of all these statements, each with whoever sends it."""
    parts, known = [_WHO], set[str]()
    parts += [f"| `{name}` | {when} | {index} |\n" for name, (when, index) in SENDERS.items()]
    for title, note, found in (
        ("At start", _START_NOTE, start()),
        ("Metadata", "", metadata()),
        ("A backfill", _BACKFILL_NOTE, backfill()),
        ("`aos inspect`", _INSPECT_NOTE, inspection()),
    ):
        parts.append(f"\n## {title}\n{note}")
        for name, sql in found:
            if sql not in known:
                known.add(sql)
                parts.append(f"\n`{name}`\n```sql\n{sql}\n```\n")
    return "".join(parts)


def start() -> Heard:
    """Give what a start sends, from the first connection on."""

    def work(database: Endpoints) -> None:
        database.settle(lambda: None)
        database.ask("looking", partial(check_mapping, mapping=mapping()))
        database.ask("looking", partial(check_cursors, mapping=mapping()))

    return _heard(work)


def metadata() -> Heard:
    """Give what reading the metadata sends."""
    return _heard(lambda d: d.ask("reading", partial(read_metadata, mapping=mapping())))


def backfill() -> Heard:
    """Give what a backfill sends, beside what a start and the metadata do."""

    def work(database: Endpoints) -> None:
        quiet = quietly(database)
        request = Request(_SPAN, stations=("108", "119"), parameters=("temperature",))
        for part in chosen(mapping(), request):
            table = open_table(quiet, mapping(), part, request.stations)
            table.plan(request.spans, 1000)
            table.undated()
            table.page(_SPAN[0], "", 5000)
            place = "2020-06-01T00:00:00.1234567" if part.table.table == "Obs" else "202006010000"
            table.page(_SPAN[0], f'["{place}", "41"]', 5000)

    return _heard(work, prepare=give_way)


def inspection() -> Heard:
    """Give what an inspection sends."""
    bounds = Bounds(tables=["Obs"], schemas=["dbo"])
    return _heard(lambda d: inspect(d, bounds, Hints(zone="UTC"), lambda *_: None))


def _heard(
    work: Callable[[Endpoints], object], prepare: Callable[[Engine], object] = lambda _engine: None
) -> Heard:
    """Give what is sent, each statement once; of the catalogue's, those of one table."""
    found: Heard = []

    def hear(sql: str) -> None:
        found.append((sender(), _of_one_table(f"{sql.rstrip(';')};")))

    engine = sql_server_fake.engine(hear, _answers())
    prepare(engine)
    try:
        work(Endpoints([Endpoint(engine, 60.0, Breaker())]))
    finally:
        engine.dispose()
    return list(dict.fromkeys(found))


def _of_one_table(sql: str) -> str:
    if "sys." not in sql:
        return sql
    return re.sub(rf"'({'|'.join(_TABLES)})'", "'Obs'", sql)


def _answers() -> dict[str, Any]:
    names = [(name,) for name in _TABLES]
    columns = [
        (name, "dbo", column, kind, kind, column != "changed", 16, 7, 7, *[None] * 8, number)
        for name, had in _TABLES.items()
        for number, (column, kind) in enumerate(had.items())
    ]
    return {
        "ProductVersion": [("16.0.1000.6",)],
        "schema_name()": [("dbo",)],
        "transaction_isolation_level": [("READ COMMITTED",)],
        "service_broker_guid": [("0A1B",)],
        "Updateability": [("READ_WRITE", 1, 1)],
        "SELECT name FROM sys.system_views": [("dm_exec_sessions",)],
        "fn_listextendedproperty(default": [(1,)],
        "'BASE TABLE'": names,
        "sys.objects.type IN": names,
        "sys.columns.column_id FROM sys.columns": columns,
        "sys.key_constraints.type": [
            (name, "dbo", f"pk_{name}", next(iter(had)), 1, 1) for name, had in _TABLES.items()
        ],
        "SELECT SUM(rows) FROM sys.partitions": [(100,)],
        "SELECT count(*) AS count_1, ": [(2, "2020-01-01T01:00:00", "2020-01-02T01:00:00")],
        "SELECT count(*)": [(2,)],
    }
