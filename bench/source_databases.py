"""The same long table twice: in SQLite, and in PostgreSQL behind pyodbc, as production reads.

SQLite runs in our own process and waits for nobody: no database gives rows sooner, so it is the
harder limit. SQL Server is read through pyodbc; where Debian's ``odbc-postgresql`` is installed,
native PostgreSQL stands in for it, since both are fetched by the same driver manager and pyodbc.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg
import yaml
from sqlalchemy import URL, make_url

from devstack.databases import DatabaseServer
from devstack.postgres import Postgres
from devstack.process import start, stop
from devstack.sample import MAPPING
from devstack.sample.database import build
from devstack.server import Place
from devstack.state import free_port
from tests.odbc_dialect import DRIVER, register

COPIES: Final = 50
FETCH: Final = 5000
_COLUMNS: Final = (
    "id, station_id, element, sensor_no, observed_at, value, direction, gust, quality, modified_at"
)
_ALL: Final = f"SELECT {_COLUMNS} FROM aws_minute ORDER BY modified_at, id"  # noqa: S608
_MULTIPLY: Final = """
WITH RECURSIVE days (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM days WHERE n < ?)
INSERT INTO aws_minute (station_id, element, sensor_no, observed_at, value, direction, gust,
                        quality, modified_at)
SELECT station_id, element, sensor_no, datetime(observed_at, '+' || n || ' days') || '.000000',
       value, direction, gust, quality, datetime(modified_at, '+' || n || ' days') || '.000000'
FROM aws_minute, days ORDER BY n, id
"""
_TABLE: Final = """
CREATE TABLE aws_minute (
    id bigint PRIMARY KEY, station_id text NOT NULL, element text NOT NULL, sensor_no int,
    observed_at timestamp, value float8, direction float8, gust float8, quality text,
    modified_at timestamp NOT NULL
);
"""
_INDEX: Final = """
CREATE INDEX ON aws_minute (modified_at, id);
VACUUM ANALYZE aws_minute;
"""


class Database(NamedTuple):
    """A database to read: its URL and mapping, how many rows it has, and how to connect to it."""

    name: str
    url: str
    mapping: Path
    rows: int
    connect: Callable[[], Any]

    def fetch(self) -> float:
        """Only fetch the rows, and give the rate."""
        with closing(self.connect()) as connection:
            began = time.perf_counter()
            cursor = connection.cursor()
            cursor.execute(_ALL)
            while cursor.fetchmany(FETCH):
                pass
            return self.rows / (time.perf_counter() - began)


def in_sqlite(directory: Path) -> Database:
    """Make the long table, many days long."""
    path = directory / "aos.db"
    build(path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_MULTIPLY, (COPIES - 1,))
        database.execute("DELETE FROM weather_hourly")
        [(rows,)] = database.execute("SELECT count(*) FROM aws_minute")
    mapping = _mapped(directory / "mapping.yaml", "sample")
    return Database("SQLite", f"sqlite:///{path}", mapping, rows, lambda: sqlite3.connect(path))


def has_driver() -> bool:
    """Say whether PostgreSQL can be read through pyodbc here."""
    try:
        return DRIVER in import_module("pyodbc").drivers()
    except ImportError:
        return False


@contextmanager
def in_postgres(directory: Path, model: Database) -> Iterator[Database]:
    """Serve a copy of the long table through pyodbc, while it is wanted."""
    place = Place(directory / "postgres", Path(), {"postgres": free_port()}, "s3cret")
    server = Postgres(place)
    server.log.parent.mkdir(parents=True)
    server.prepare()
    running = start(server.command(), server.log)
    try:
        server.wait_until_ready(running, threading.Event())
        yield _copied(server, directory, model)
    finally:
        stop(running, polite=server.polite_signal)


def _copied(server: DatabaseServer, directory: Path, model: Database) -> Database:
    with psycopg.connect(server.url, autocommit=True) as connection, closing(model.connect()) as of:
        connection.execute(_TABLE)
        copying = f"COPY aws_minute ({_COLUMNS}) FROM STDIN"
        with connection.cursor() as cursor, cursor.copy(copying.encode()) as copy:
            for row in of.execute(_ALL):
                copy.write_row(row)
        for statement in _INDEX.split(";")[:-1]:
            connection.execute(statement.encode())
    register()
    to = make_url(server.url)
    query = {"driver": DRIVER, "port": str(to.port), "UseServerSidePrepare": "0"}
    url = URL.create(
        "postgresql+pyodbc", to.username, to.password, to.host, None, to.database, query
    )
    told = f"DRIVER={{{DRIVER}}};Server={to.host};Port={to.port};UserName={to.username}"
    whole = f"{told};Password={to.password};Database={to.database};UseServerSidePrepare=0"
    mapping = _mapped(directory / "mapping-postgres.yaml", "sample-postgres", metadata=False)
    return Database(
        "PostgreSQL through pyodbc", url.render_as_string(hide_password=False), mapping,
        model.rows, lambda: import_module("pyodbc").connect(whole),
    )  # fmt: skip


def _mapped(path: Path, source: str, *, metadata: bool = True) -> Path:
    """Write the sample's mapping of the long table alone."""
    document = yaml.safe_load(MAPPING.read_text())
    document["source"] = source
    document["tables"] = [t for t in document["tables"] if t["table"] == "aws_minute"]
    if not metadata:
        document.pop("metadata")
    path.write_text(yaml.safe_dump(document))
    return path
