"""What the tables of TimescaleDB hold, so that two runs can be compared."""

from __future__ import annotations

from typing import Final

import psycopg

TABLES: Final = ("rainfall", "temperature", "humidity", "wind", "pressure")

# What may differ between two runs: whose topic it was, and when it was worked on.
OURS: Final = [
    "raw_topic", "raw_offset", "revision", "extracted_at", "processed_at", "created_at",
    "updated_at",
]  # fmt: skip
_CONTENT: Final = """
SELECT count(*), count(DISTINCT (sensor_id, observed_at)),
       md5(string_agg(line, E'\\n' ORDER BY line))
FROM (SELECT sensor_id, observed_at, (to_jsonb(r) - %s::text[])::text AS line
      FROM weather.{} AS r) AS lines
"""


def contents(database: str) -> dict[str, tuple[int, int, str]]:
    """Give, for each table, rows, distinct keys and a checksum of all that is not ours."""
    with psycopg.connect(database) as connection:
        return {
            table: connection.execute(_CONTENT.format(table), (OURS,)).fetchone()
            for table in TABLES
        }
