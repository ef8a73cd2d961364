"""Databases of other people's making, for tests of the inspection."""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from producers.connection.database import open_engine
from producers.inspect.run import Bounds, Inspection, inspect
from producers.inspect.table_draft import Hints
from producers.settings import SourceSettings
from tests.only_endpoint import endpoints_of

START = datetime(2024, 7, 1)  # noqa: DTZ001 - a station's own clock


def nothing(*_: object) -> None:
    """Take no notice of progress."""


def fill(path: Path, schema: str, rows: dict[str, Iterable[Sequence[Any]]]) -> Path:
    """Make a database of a schema and rows for its tables."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(schema)
        for table, values in rows.items():
            for row in values:
                marks = ", ".join("?" * len(row))
                database.execute(f'INSERT INTO "{table}" VALUES ({marks})', row)  # noqa: S608
    return path


def look_at(path: Path, **hints: Any) -> Inspection:
    """Inspect a SQLite file."""
    engine = open_engine(SourceSettings(url=f"sqlite:///{path}", mapping=path))
    try:
        return inspect(endpoints_of(engine), Bounds(seconds=30), Hints(**hints), nothing)
    finally:
        engine.dispose()


def hours(number: int, seed: int = 1) -> Iterator[tuple[datetime, dict[str, float]]]:
    """Give plausible weather, hour by hour, in standard units; rain is that of the hour."""
    weather = random.Random(seed)  # noqa: S311
    for hour in range(1, number + 1):
        at = START + timedelta(hours=hour)
        sun = math.sin((at.hour - 8.5) / 24 * 2 * math.pi)
        speed = abs(weather.gauss(2.5, 1.8))
        yield (
            at,
            {
                "ta": round(24 + 5 * sun + weather.gauss(0, 0.7), 1),
                "hm": round(65 - 20 * sun + weather.gauss(0, 3), 1),
                "pa": round(1004 + weather.gauss(0, 2), 1),
                "ws": round(speed, 1),
                "wd": float(weather.randrange(1, 361)),
                "gust": round(speed * 1.7, 1),
                "rn": weather.choice([0.0] * 9 + [0.5, 1.0, 2.5]),
            },
        )


def table_of(found: Inspection, name: str) -> dict[str, Any]:
    """Give one table's section of the proposal."""
    tables = {table["table"]: table for table in found.proposal.document["tables"]}
    assert name in tables, (sorted(tables), found.proposal.notes.unknown)
    return tables[name]


def measures_of(table: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Give column and unit of every measure, by code or position, parameter and measure."""
    return {
        " ".join(
            filter(None, [r.get("code"), r["parameter"], name, str(r.get("position") or "")])
        ): (measure["column"], measure["unit"])
        for r in table["readings"]
        for name, measure in r["measures"].items()
    }


def told(found: Inspection) -> str:
    """Give all that is said to be not known or not usable."""
    return "\n".join(found.proposal.notes.unknown)
