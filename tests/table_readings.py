"""Readings put straight into a table, for tests of what is asked of tables."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.sql import SQL, Identifier

from sink.database import Connection

_TEXTS: Final = ("ruleset_version", "source_name", "source_table", "raw_topic", "source_key")
_NUMBERS: Final = (
    *("source_rank", "mapping_version", "raw_partition", "source_version", "revision"),
    "raw_offset",
)
_PUT: Final = SQL("INSERT INTO {} SELECT (jsonb_populate_record(NULL::{}, %s)).*")
_FLAGS: Final = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'weather' AND table_name = %s AND column_name LIKE 'flag\\_%%'
"""


def put(
    connection: Connection,
    parameter: str,
    station: str,
    times: list[datetime],
    *,
    flag: int = 1,
    score: float = 1.0,
) -> None:
    """Put readings of a station's sensor into a table, all alike."""
    table = Identifier("weather", parameter)
    flags = {name: 1 for (name,) in connection.execute(_FLAGS, (parameter,))}
    for at in times:
        row: dict[str, Any] = {
            **dict.fromkeys(_TEXTS, "test"),
            **dict.fromkeys(_NUMBERS, 0),
            **flags,
            "station_id": station,
            "sensor_id": f"{station}:{parameter}",
            "parameter": parameter,
            "unit": "1",
            "interval_start": at - timedelta(hours=1),
            "observed_local": at.replace(tzinfo=None),
            "flag": flag,
            "score": score,
        }
        moments = ("observed_at", "extracted_at", "processed_at", "created_at", "updated_at")
        row |= dict.fromkeys(moments, at)
        document = json.dumps(row, default=str)
        connection.execute(_PUT.format(table, table), (document,))
