"""Healthy stations that nobody has seen: their units, steps, cadences, gaps and disorder."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from schemas.codec import Record
from tests.again_model import Model
from tests.raw_records import local, raw
from tests.unit.stream_fakes import interval, metadata
from weather.arrays import Floats
from weather.parameters import parameter_of
from weather.units import from_standard

pytestmark = pytest.mark.requirement("B6", "E3")

SECOND = 1_000_000
BEGINS = local("2013-07-01T00:00:00")
READINGS = 150


class Logger(NamedTuple):
    """How a network writes its values down: unit and smallest step of each parameter it has."""

    temperature: tuple[str, float] | None
    humidity: tuple[str, float] | None
    pressure: tuple[str, float] | None
    wind: tuple[str, float] | None
    rainfall: tuple[str, float] | None


LOGGERS = {
    "fine": Logger(("degC", 0.01), ("%", 0.1), ("hPa", 0.01), ("m/s", 0.1), ("mm", 0.1)),
    "american": Logger(("degF", 1.0), ("%", 1.0), ("inHg", 0.01), ("kt", 1.0), ("in", 0.01)),
    "coarse": Logger(("degC", 1.0), ("%", 5.0), ("hPa", 1.0), ("m/s", 0.5), ("mm", 0.5)),
    "odd": Logger(("K", 0.1), ("1", 0.01), ("Pa", 100.0), ("km/h", 1.0), ("mm", 0.254)),
    "without thermometer": Logger(None, ("%", 1.0), ("hPa", 0.1), ("m/s", 0.1), None),
    "a gauge alone": Logger(None, None, None, None, ("mm", 0.2)),
}


class Air:
    """Weather that comes and goes, as a station by the sea has it; seeded."""

    def __init__(self, cadence: int) -> None:
        self._random = np.random.default_rng(cadence)
        self._cadence = cadence
        day = np.sin(2 * np.pi * np.arange(READINGS) * cadence / 86_400)
        self.temperature = 14 + 5 * day + self._wanders(2, 24) + self._wanders(0.3, 1)
        self.humidity = np.clip(60 - 15 * day + self._wanders(8, 24) + self._wanders(1, 1), 5, 100)
        self.pressure = 1012 + self._wanders(3, 60)
        self.wind = np.abs(3 + self._wanders(1.5, 10) + self._wanders(0.7, 0.3))
        shower = np.exp(self._wanders(1, 1)) * 2 * cadence / 3600
        self.rainfall = np.where(self._wanders(1, 5) > 1, shower, 0.0)

    def _wanders(self, size: float, hours: float) -> Floats:
        """Give a deviation of which a third is left after so many hours."""
        stays = math.exp(-self._cadence / 3600 / hours)
        found = self._random.normal(0, size, READINGS)
        for place in range(1, READINGS):
            found[place] = stays * found[place - 1] + math.sqrt(1 - stays**2) * found[place]
        return found


def told(logger: Logger, cadence: int) -> list[tuple[str, Record]]:
    """Write a day down: a tenth is lost, a twentieth missing; it comes late and out of order."""
    air, random = Air(cadence), np.random.default_rng(cadence + 1)
    found: list[tuple[float, str, Record]] = []
    for name, how in logger._asdict().items():
        if how is None:
            continue
        main = parameter_of(name).main.name
        kept = np.round(from_standard(getattr(air, name), name, main, how[0]) / how[1]) * how[1]
        for place, value in enumerate(kept.round(4).tolist()):
            if random.random() < 0.1:
                continue
            jitter = int(random.integers(-cadence * SECOND // 8, cadence * SECOND // 8 + 1))
            at = BEGINS + place * cadence * SECOND + jitter
            given = None if random.random() < 0.05 else value
            record = raw(
                name, zone="+09:00", key=f"{name}{place}", **measured(name, given, how[0], place)
            )
            record |= {"observed_local": at, "extracted_at": at + 60 * SECOND}
            found.append((place + random.integers(0, 5), name, record))
    return [(name, record) for _, name, record in sorted(found, key=lambda one: one[0])]


def measured(name: str, value: float | None, unit: str, place: int) -> dict[str, Any]:
    if name != "wind":
        return {"unit": unit, "value": value}
    gust = None if value is None else value * 1.5
    blows = value is not None and value > 0
    return {
        "speed": value,
        "gust": gust,
        "direction": 180.0 + 22.5 * (place % 4) if blows else 0.0,
        "speed_unit": unit,
        "gust_unit": unit,
    }


@pytest.mark.parametrize("cadence", [1, 600, 3600, 21_600])
@pytest.mark.parametrize("name", LOGGERS)
def test_of_a_healthy_station_next_to_nothing_is_flagged(name: str, cadence: int) -> None:
    model = Model(told(LOGGERS[name], cadence))
    for parameter in Logger._fields:
        model.table.tell(metadata(f"JFK:{parameter}", interval(0)))
    while model.unread:
        model.batch(min(100, model.unread))
    records = [*model.final().values()]
    bad = [(one["parameter"], one["reason"]) for one in records if one["flag"] in (3, 4)]
    assert len(records) > READINGS / 2
    assert len(bad) < max(1, 0.005 * len(records)), bad
