"""What a table of the sample is before any database knows it: name, columns and rows."""

from __future__ import annotations

import csv
import io
import lzma
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib.resources import files
from typing import Final, NamedTuple

Value = str | float | int | None


class Table(NamedTuple):
    """A table and its rows, which are made as they are taken. Times are text: see `as_text`."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[tuple[Value, ...]]


_TIME: Final = "%Y-%m-%d %H:%M:%S.%f"


def as_text(at: datetime) -> str:
    """Write a time as SQLAlchemy does on SQLite, and as SQL Server reads a DATETIME2: without zone.

    >>> from datetime import UTC
    >>> as_text(datetime(2013, 7, 1, 4, tzinfo=UTC))
    '2013-07-01 04:00:00.000000'
    """
    return at.strftime(_TIME)


def from_data(name: str) -> Iterator[dict[str, str]]:
    """Read a compressed file of ``data/``, row by row, as text by column."""
    packed = files(__package__).joinpath("data", name).read_bytes()
    with io.TextIOWrapper(lzma.LZMAFile(io.BytesIO(packed)), encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
