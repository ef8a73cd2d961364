"""An archive of CSV files, read like a database: imported into SQLite when it is opened.

``csv:////data/aos-archive`` names a folder. ``weather_hourly.csv``, or each file of the subfolder
``weather_hourly``, holds rows of the table ``weather_hourly``; ``.csv.gz`` is read, too. The first
line names the columns. Everything is text as it stands in the file, and an empty field is NULL.
Two columns come with it, for the cursor of the mapping:

- ``aos_changed``: when the file was last changed, in UTC;
- ``aos_row``: file and line, the same at every import.

So a file that is added later is an increment, and one that is changed is read again.
"""

from __future__ import annotations

import csv
import gzip
import logging
import shutil
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, TextIO

from sqlalchemy import URL

from runtime.errors import Configuration

_LOGGER: Final = logging.getLogger("aos.source")
_CHANGED: Final = "aos_changed"
_ROW: Final = "aos_row"
_AT_ONCE: Final = 5000


def is_archive(url: URL) -> bool:
    """Say whether a URL names an archive of files."""
    return url.drivername == "csv"


def identity_of(url: URL) -> str:
    """Name the data of an archive: its folder, since every import is another file.

    >>> identity_of(URL.create("csv", database="/data/archive"))
    'csv:/data/archive'
    """
    return f"csv:{Path(url.database or '').absolute()}"


class Archive:
    """A folder of CSV files, and the place that they are imported to."""

    def __init__(self, url: URL) -> None:
        self._folder = Path(url.database or "")
        self._place = Path(mkdtemp(prefix="aos-archive-"))
        self._file = self._place / "archive.db"

    def imported(self) -> URL:
        """Import the files, and give where the import is to be read.

        Raises:
            Configuration: there are none, or one has no header.
        """
        try:
            with closing(sqlite3.connect(self._file)) as database:
                database.execute("PRAGMA synchronous = OFF")
                for table, files in _tables(self._folder).items():
                    with database:
                        self._import(database, table, files)
        except BaseException:
            self._clear()
            raise
        return URL.create("sqlite", database=str(self._file))

    def kept_for(self, user: object) -> None:
        """Let the import stay as long as ``user`` lives."""
        weakref.finalize(user, self._clear)

    def _clear(self) -> None:
        shutil.rmtree(self._place, ignore_errors=True)

    def _import(self, database: sqlite3.Connection, table: str, files: list[Path]) -> None:
        columns = list(dict.fromkeys(name for file in files for name in _header(file)))
        declared = "".join(f", {_quoted(name)} TEXT" for name in columns)
        name = _quoted(table)
        database.execute(
            f"CREATE TABLE {name} ({_ROW} TEXT PRIMARY KEY NOT NULL, "
            f"{_CHANGED} TEXT NOT NULL{declared}) WITHOUT ROWID"
        )
        for file in files:
            _fill(database, name, file, str(file.relative_to(self._folder)))
        database.execute(f"CREATE INDEX {_quoted(f'ix_{table}')} ON {name} ({_CHANGED}, {_ROW})")


def _tables(folder: Path) -> dict[str, list[Path]]:
    """Give the files of each table, in the order of their names."""
    tables: dict[str, list[Path]] = {}
    for file in sorted([*folder.rglob("*.csv"), *folder.rglob("*.csv.gz")]):
        first = file.relative_to(folder).parts[0]
        tables.setdefault(first.split(".")[0], []).append(file)
    if not tables:
        raise _refused(folder, "no CSV file is there", "name the folder that holds them")
    return tables


def _fill(database: sqlite3.Connection, table: str, file: Path, name: str) -> None:
    changed = datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    header = _header(file)
    names = ", ".join([_ROW, _CHANGED, *map(_quoted, header)])
    marks = ", ".join("?" * (len(header) + 2))
    rows = _rows(file, name, changed, len(header))
    while some := list(islice(rows, _AT_ONCE)):
        database.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", some)  # noqa: S608


def _rows(file: Path, name: str, changed: str, width: int) -> Iterator[list[Any]]:
    """Give the rows; a short one ends in NULL, and what a long one has too much is told of."""
    longer = 0
    with _opened(file) as lines:
        reader = csv.reader(lines)
        next(reader)
        for fields in reader:
            if not fields:
                continue
            longer += len(fields) > width
            values = [value.strip() or None for value in fields[:width]]
            missing = [None] * (width - len(values))
            yield [f"{name}:{reader.line_num:09d}", changed, *values, *missing]
    if longer:
        _LOGGER.warning(
            "%d rows of %s have more fields than its header; what is beyond it is not read. "
            "Mend: name every column in the first line", longer, name,
        )  # fmt: skip


def _header(file: Path) -> list[str]:
    with _opened(file) as lines:
        names = [name.strip() for name in next(csv.reader(lines), [])]
    if not names or not all(names) or len(set(names)) < len(names):
        problem = f"the first line of {file.name} does not name each column, and each once"
        raise _refused(file.parent, problem, "write the names of the columns into it")
    return names


def _opened(file: Path) -> TextIO:
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding="utf-8-sig", newline="")
    return file.open(encoding="utf-8-sig", newline="")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _refused(folder: Path, problem: str, mend: str) -> Configuration:
    return Configuration.of("source.url", f"csv:///{folder}", problem, mend=mend)
