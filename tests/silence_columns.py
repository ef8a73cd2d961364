"""Readings of one parameter as the stream's silence watch hears them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from stream_app.cleaned import CleanedColumns

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOON = 1_700_000_000_000_000
NAME = "JFK:temperature"

Reading = tuple[str, int, int]
"""Sensor, observed at, published at."""


def heard(
    readings: Iterable[Reading], *, interval: int = 0, deleted: bool = False
) -> CleanedColumns:
    """Make columns of readings in the order in which they are given."""
    listed = list(readings)
    sensors = sorted({sensor for sensor, _, _ in listed})
    number = len(listed)
    return CleanedColumns(
        parameter="temperature",
        sensors=sensors,
        stations=[sensor.split(":")[0] for sensor in sensors],
        sensor=np.array([sensors.index(sensor) for sensor, _, _ in listed], dtype=np.int64),
        observed_at=np.array([observed for _, observed, _ in listed], dtype=np.int64),
        published_at=np.array([published for _, _, published in listed], dtype=np.int64),
        interval=np.full(number, interval, dtype=np.int64),
        deleted=np.full(number, deleted),
        version=np.zeros(number, np.int64),
        values={},
        ahead=np.zeros(number, np.bool_),
        raw_offset=np.arange(number),
    )


def every(step: int, number: int, sensor: str = NAME, start: int = NOON) -> list[Reading]:
    """Make readings that are published two seconds after they were observed."""
    times = [start + n * step for n in range(number)]
    return [(sensor, at, at + 2_000_000) for at in times]
