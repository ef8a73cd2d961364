"""What people say of readings, by sensor and by station; one table for all partitions of a worker.

Where nobody said anything, it is empty, and asked for nothing.
"""

from __future__ import annotations

from typing import Final

from schemas.overrides import Override
from stream_app.metadata.turns import station_key
from stream_app.overrides.hands import NOTHING, Hands

_NONE: Final[dict[str, Override]] = {}
Said = dict[str, dict[str, Override]]


class Overrides:
    """Everything that was said; safe to be read while it grows.

    >>> Overrides().of("JFK:wind", "JFK") is NOTHING, bool(Overrides())
    (True, False)
    """

    def __init__(self) -> None:
        self._of_sensor: Said = {}
        self._of_station: Said = {}
        self._hands: dict[tuple[str, str], Hands] = {}

    def __bool__(self) -> bool:
        """Say whether anything was ever said."""
        return bool(self._of_sensor or self._of_station)

    def put(self, override: Override) -> None:
        """Take in what is said now, lifted or not."""
        if override.sensor is not None:
            self._of_sensor = _with(self._of_sensor, override.sensor, override)
        else:
            self._of_station = _with(self._of_station, override.station or "", override)
        self._hands = {}

    def of(self, sensor: str, station: str) -> Hands:
        """Give what was said of a sensor, be it of its station."""
        if sensor not in self._of_sensor and station not in self._of_station:
            return NOTHING
        hands = self._hands
        if (sensor, station) not in hands:
            said = self._of_sensor.get(sensor, _NONE), self._of_station.get(station, _NONE)
            hands[sensor, station] = Hands(one for several in said for one in several.values())
        return hands[sensor, station]


def about_of(override: Override) -> str:
    """Name whom it is about: a sensor, or all of a station."""
    return override.sensor if override.sensor is not None else station_key(override.station or "")


def _with(said: Said, about: str, override: Override) -> Said:
    return {**said, about: {**said.get(about, _NONE), override.id: override}}
