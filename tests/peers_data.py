"""What we and the libraries that others trust are asked: vectors, real days, fields of stations.

The libraries' answers are recorded in ``tests/data/peers.json.gz``, by
``tests/support/record_peers.py``. Nothing here needs more than numpy and the sample's files.
"""

from __future__ import annotations

import csv
import io
import lzma
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NAN = float("nan")
RECORDED = Path(__file__).with_name("data") / "peers.json.gz"

_SAMPLE = Path(__file__).parents[1] / "devstack" / "sample" / "data"
_MINUTELY = {
    "temperature": "Air Temperature [deg C]",
    "humidity": "Rel Humidity [%]",
    "pressure": "Station Pressure [mBar]",
    "wind": "Avg Wind Speed @ 3m [m/s]",
}
_HOURLY = {"temperature": "temp", "humidity": "humid", "wind": "wind_speed"}
_DAYS = range(7, 21)


class Asked(NamedTuple):
    """A regular series and limits that it crosses here and there; ``suspect`` and ``fail`` each."""

    name: str
    seconds: NDArray[np.int64]
    values: Floats
    span: tuple[tuple[float, float], tuple[float, float]]
    spike: tuple[float, float]
    change: tuple[float, float]
    flat_seconds: tuple[int, int]


class Field(NamedTuple):
    """Stations and their values at one time, and how a buddy check is to look at them."""

    latitude: Floats
    longitude: Floats
    elevation: Floats
    values: Floats
    threshold: float
    rounds: int
    gradient: float


def series() -> list[Asked]:
    """Give the vectors, a real day by the minute, two real weeks by the hour."""
    return [*_vectors(), *_real()]


def fields() -> Iterator[Field]:
    """Make fields of stations, some of them with gross errors, some beside one another."""
    for seed in range(40):
        random = np.random.default_rng(seed)
        n = 30 + seed
        place = random.uniform((60, 10, 0), (61, 12, 400), (n, 3)).astype(np.float32)
        latitude, longitude, elevation = place.T.astype(np.float64)
        values = 10 - 0.0065 * elevation + random.normal(0, 1, n)
        wrong = random.random(n) < 0.08
        values = np.where(wrong, values + random.choice([-15, 15], n), values)
        rounded = values.astype(np.float32).astype(np.float64)
        how = ((3.0, 1, -0.0065), (3.0, 2, -0.0065), (2.0, 2, 0.0))[seed % 3]
        yield Field(latitude, longitude, elevation, rounded, *how)


def _vectors() -> Iterator[Asked]:
    x = np.array([10, 10.2, 10.1, 18, 10.3, NAN, 10.4, 10.4, 10.4, 45])
    y = np.array([10, 10.1, 10.1, 10.1, 10.1, 10.1, 10.1, 10.2, 10.3, NAN])
    minutes = np.arange(10) * 60
    spans = ((-30.0, 35.0), (-40.0, 40.0))
    for name, values in (("x", x), ("y", y)):
        yield Asked(name, minutes, values, spans, (2.0, 4.0), (2.0, 10.0), (120, 240))


def _real() -> Iterator[Asked]:
    day = _rows("midc_20181018.csv.xz")
    hours = [
        row
        for row in _rows("weather.csv.xz")
        if row["origin"] == "JFK" and row["month"] == "5" and int(row["day"]) in _DAYS
    ]
    at = [round(datetime.fromisoformat(row["time_hour"]).timestamp()) for row in hours]
    for name, column in _MINUTELY.items():
        values = _column(day, column)
        yield _asked(f"minute {name}", np.arange(len(day)) * 60, values, (180, 420))
    for name, column in _HOURLY.items():
        yield _asked(f"hour {name}", np.array(at), _column(hours, column), (7200, 14400))


def _asked(name: str, seconds: NDArray[np.int64], values: Floats, flat: tuple[int, int]) -> Asked:
    """Ask with limits that the series itself crosses, between two of its values: no rounding."""
    low, lower, higher, high = np.quantile(values, [0.02, 0.05, 0.95, 0.98]) + 1e-5
    most = np.quantile(np.abs(np.diff(values)), [0.9, 0.97]) + 1e-5
    spans = ((lower, higher), (low, high))
    return Asked(name, seconds, values, spans, tuple(most), tuple(most), flat)


def _column(rows: list[dict[str, str]], name: str) -> Floats:
    return np.array([float(row[name]) for row in rows])


def _rows(name: str) -> list[dict[str, str]]:
    packed = (_SAMPLE / name).read_bytes()
    return list(csv.DictReader(io.StringIO(lzma.decompress(packed).decode())))
