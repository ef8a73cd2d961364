"""The sample AOS: real readings of four stations, in the two shapes that AOS databases have.

- ``weather_hourly``: wide, New York's three airports in 2013, 26,115 rows, °F, mph, inches, hPa
- ``aws_minute``: long, Tucson on 18 October 2018, 7,200 rows, °C, m/s, mbar
- ``station``, ``sensor``, ``calibration``: with the times in which each row is valid

`build` makes it as a SQLite file; ``sqlserver.sql`` and `tables` are what another database needs.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from devstack.sample.database import Counts, Progress, build, count, insert_statement, tables
from devstack.sample.live import insert_live
from devstack.sample.tables import Table

MAPPING: Final = Path(str(files(__package__).joinpath("mapping.yaml")))
"""The mapping by which the demo reads the sample."""

__all__ = [
    "MAPPING",
    "Counts",
    "Progress",
    "Table",
    "build",
    "count",
    "insert_live",
    "insert_statement",
    "tables",
]
