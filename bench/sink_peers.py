"""Other ways into the same tables, each with all its rows in memory, ready and sorted by key.

None of them reads Kafka, decodes, validates or keeps offsets. Each batch is a transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from bench.sink_data import Load
from sink.columns import KEY, VERSION, Table

Connection = psycopg.Connection[tuple[Any, ...]]
Rows = Sequence[tuple[Any, ...]]

_COPY: Final = "COPY {} ({}) FROM STDIN (FORMAT BINARY)"


def copying(url: str, loads: Sequence[Load]) -> float:
    """COPY straight into the tables; give rows a second."""
    return _timed(url, loads, lambda connection, load: _copy(connection, _target(load), load))


def merging(url: str, loads: Sequence[Load]) -> float:
    """COPY to a stage, and from there into the table, where the newer row wins."""
    return _timed(url, loads, _merge)


def side_by_side(url: str, loads: Sequence[Load], connections: int) -> float:
    """COPY over several connections at once; give the rows a second of all together."""
    shares = [loads[number::connections] for number in range(connections)]
    began = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(lambda share: copying(url, share), shares))
    return _count(loads) / (time.perf_counter() - began)


def executing(url: str, target: Table, rows: Rows, batch: int) -> float:
    """INSERT by ``executemany``, which psycopg sends in a pipeline."""
    places = SQL(", ").join(SQL("%s") for _ in target.columns)
    insert = SQL("INSERT INTO {} ({}) VALUES ({})").format(_named(target), _names(target), places)
    with closing(_connected(url)) as connection:
        began = time.perf_counter()
        for at in range(0, len(rows), batch):
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(insert, rows[at : at + batch])
        return len(rows) / (time.perf_counter() - began)


def read_back(url: str, target: Table, most: int) -> Rows:
    """Give rows of a table as Python has them."""
    select = SQL("SELECT {} FROM {} LIMIT {}").format(_names(target), _named(target), most)
    with closing(_connected(url)) as connection:
        return connection.execute(select).fetchall()


def _timed(url: str, loads: Sequence[Load], load: Callable[[Connection, Load], None]) -> float:
    with closing(_connected(url)) as connection:
        began = time.perf_counter()
        for each in loads:
            with connection.transaction():
                load(connection, each)
        return _count(loads) / (time.perf_counter() - began)


def _merge(connection: Connection, load: Load) -> None:
    stage, names = Identifier(f"bench_{load.table.name}"), _names(load.table)
    make = (
        "CREATE TEMPORARY TABLE IF NOT EXISTS {} ON COMMIT DELETE ROWS AS SELECT {} FROM {} LIMIT 0"
    )
    connection.execute(SQL(make).format(stage, names, _named(load.table)))
    _copy(connection, stage, load)
    changes = [SQL("{0} = excluded.{0}").format(Identifier(n)) for n in load.table.names]
    new, old = _version("excluded"), _version("known")
    connection.execute(
        SQL(
            "INSERT INTO {} AS known ({}) SELECT {} FROM {} ON CONFLICT ({}) DO UPDATE SET {}"
            " WHERE ({}) > ({})"
        ).format(
            _named(load.table), names, names, stage, _list(KEY), SQL(", ").join(changes), new, old
        )
    )


def _copy(connection: Connection, target: Identifier, load: Load) -> None:
    statement = SQL(_COPY).format(target, _names(load.table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(load.data)


def _connected(url: str) -> Connection:
    return psycopg.connect(url, autocommit=True, options="-c client_min_messages=warning")


def _target(load: Load) -> Identifier:
    return _named(load.table)


def _named(target: Table) -> Identifier:
    return Identifier("weather", target.name)


def _names(target: Table) -> Composed:
    return _list(target.names)


def _list(names: Iterable[str]) -> Composed:
    return SQL(", ").join(map(Identifier, names))


def _version(of: str) -> Composed:
    return SQL(", ").join(Identifier(of, name) for name in VERSION)


def _count(loads: Sequence[Load]) -> int:
    return sum(load.rows for load in loads)
