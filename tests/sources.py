"""Small AOS databases for tests of the source: one wide table, one long, and their mapping."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from schemas.mapping import Mapping

_TABLES = """
CREATE TABLE hourly (
    id INTEGER PRIMARY KEY, station TEXT, at TEXT, ta, ws, wd, flag TEXT, changed TEXT NOT NULL
);
CREATE INDEX ix_hourly ON hourly (changed, id);
CREATE TABLE minutely (
    id INTEGER PRIMARY KEY, station TEXT, code TEXT, no INTEGER, at TEXT, v, changed TEXT NOT NULL
);
CREATE INDEX ix_minutely ON minutely (changed, id);
"""
AT = "2020-01-01 01:00:00"
CHANGED = "2020-01-01 01:01:00.000000"


def hourly(number: int, **columns: Any) -> dict[str, Any]:
    """Give a row of the wide table."""
    row = {"id": number, "station": "A", "at": AT, "ta": 1.5, "ws": 2, "wd": 90, "flag": None}
    return {**row, "changed": CHANGED, **columns}


def minutely(number: int, **columns: Any) -> dict[str, Any]:
    """Give a row of the long table."""
    row = {"id": number, "station": "B", "code": "T", "no": 2, "at": AT, "v": 7.0}
    return {**row, "changed": CHANGED, **columns}


def insert(path: Path, table: str, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows."""
    with closing(sqlite3.connect(path)) as database, database:
        for row in rows:
            names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
            database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", row)  # noqa: S608


def create(path: Path) -> Path:
    """Make the tables, empty."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_TABLES)
    return path


def document(**changes: Any) -> dict[str, Any]:
    """Give the mapping of these tables, as it would be read from a file."""
    cursor = {"column": "changed", "id": "id", "lag_seconds": 0}
    common = {"key": ["id"], "cursor": cursor, "station": "station"}
    temperature = {
        "parameter": "temperature",
        "measures": {"value": {"column": "ta", "unit": "degC"}},
    }
    wind = {
        "parameter": "wind",
        "measures": {
            "speed": {"column": "ws", "unit": "kt"},
            "direction": {"column": "wd", "unit": "degree"},
        },
    }
    of_code = {**temperature, "code": "T", "measures": {"value": {"column": "v", "unit": "K"}}}
    wide = {**common, "shape": "wide", "table": "hourly", "flag": "flag"}
    wide |= {"time": {"column": "at", "zone": "Asia/Seoul"}, "readings": [temperature, wind]}
    long = {**common, "shape": "long", "table": "minutely", "code": "code", "position": "no"}
    long |= {"time": {"column": "at", "zone": "-07:00"}, "readings": [of_code]}
    return {"source": "little", "version": 3, "rank": 1, "tables": [wide, long], **changes}


def mapping(**changes: Any) -> Mapping:
    """Give the mapping of these tables."""
    return Mapping.model_validate(document(**changes))


def write_mapping(path: Path, **changes: Any) -> Path:
    """Write the mapping to a file."""
    path.write_text(yaml.safe_dump(document(**changes)), encoding="utf-8")
    return path
