"""Builds the sample as a SQLite file: aside, then moved into place, so it is whole or not there.

The file is in WAL mode: a reader and the writer of live rows do not wait for each other.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Final

from devstack.sample import equipment, readings
from devstack.sample.tables import Table, Value
from runtime.errors import Configuration

Progress = Callable[[int], None]
"""Told how many rows have been written since it was last told."""

# "AOSs": tells our files from everybody else's.
_APPLICATION: Final = 0x414F5373
_PAGE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows in each table."""

    station: int
    sensor: int
    calibration: int
    weather_hourly: int
    aws_minute: int

    @property
    def total(self) -> int:
        """Rows in all."""
        return sum(getattr(self, table.name) for table in fields(self))


def tables() -> list[Table]:
    """Give every table of the sample with its rows, each before those that refer to it."""
    return [*equipment.tables(), *readings.tables()]


def insert_statement(table: Table) -> str:
    """Write the INSERT of a whole row, with a question mark for each value."""
    columns, marks = ", ".join(table.columns), ", ".join("?" * len(table.columns))
    return f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608  # names are ours


def build(path: Path, progress: Progress | None = None) -> Counts:
    """Make the sample at ``path``, or leave the one that is there, with its live rows, as it is.

    A sample of another version of this package is replaced.

    Raises:
        Configuration: something else is there.
    """
    if not (path.exists() and _is_current(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{path.name}.{os.getpid()}.building")
        try:
            _write(aside, progress or (lambda _: None))
            _move(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    return count(path)


def count(path: Path) -> Counts:
    """Count the rows of a sample."""
    with closing(sqlite3.connect(path)) as sample:
        return Counts(*(_rows_in(sample, table.name) for table in fields(Counts)))


def _rows_in(sample: sqlite3.Connection, table: str) -> int:
    rows: int = sample.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
    return rows


def _is_current(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as sample:
            application = sample.execute("PRAGMA application_id").fetchone()[0]
            version = sample.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise _not_ours(path) from error
    if application != _APPLICATION:
        raise _not_ours(path)
    return bool(version == _fingerprint())


def _not_ours(path: Path) -> Configuration:
    mend = "name another file; this one is left as it is"
    return Configuration.of("sample", str(path), "it is there, and is no sample AOS", mend=mend)


def _fingerprint() -> int:
    """Give a number, 31 bits as SQLite takes them, that changes with whatever the sample is of."""
    checksum = 0
    here = files(__package__)
    parts = [p for p in here.iterdir() if p.name.endswith((".py", ".sql"))]
    for part in sorted([*parts, *here.joinpath("data").iterdir()], key=lambda p: p.name):
        checksum = zlib.crc32(part.read_bytes(), checksum) if part.is_file() else checksum
    return checksum & 0x7FFF_FFFF


def _write(path: Path, progress: Progress) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as sample:
        # Nobody sees the file before it is whole, so nothing needs to be undone.
        sample.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON;"
        )
        sample.executescript(files(__package__).joinpath("sqlite.sql").read_text(encoding="utf-8"))
        for table in tables():
            for page in _pages(table.rows):
                sample.executemany(insert_statement(table), page)
                progress(len(page))
        sample.commit()
        sample.executescript(
            f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_fingerprint()};"
        )
        sample.executescript("PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL;")


def _pages(rows: Iterable[tuple[Value, ...]]) -> Iterator[list[tuple[Value, ...]]]:
    rest = iter(rows)
    while page := list(islice(rest, _PAGE)):
        yield page


def _move(aside: Path, path: Path) -> None:
    # What an older sample left of its log must not be taken for the new one's.
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    aside.replace(path)
