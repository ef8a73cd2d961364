"""What people say of readings, by sensor and by station; one table for all partitions of a worker.

Where nobody said anything, it is empty, and asked for nothing.
"""

from __future__ import annotations

from schemas.overrides import Override
from stream_app.metadata.turns import station_key
from stream_app.overrides.hands import NOTHING, Hands


class Overrides:
    """Everything that was said; safe to be read while it grows.

    >>> Overrides().of("JFK:wind", "JFK") is NOTHING, bool(Overrides())
    (True, False)
    """

    def __init__(self) -> None:
        self._said: dict[str, dict[str, Override]] = {}
        self._hands: dict[tuple[str, str], Hands] = {}

    def __bool__(self) -> bool:
        """Say whether anything was ever said."""
        return bool(self._said)

    def put(self, override: Override) -> None:
        """Take in what is said now, lifted or not."""
        about = about_of(override)
        self._said = {**self._said, about: {**self._said.get(about, {}), override.id: override}}
        self._hands = {}

    def of(self, sensor: str, station: str) -> Hands:
        """Give what was said of a sensor, be it of its station."""
        if sensor not in self._said and station_key(station) not in self._said:
            return NOTHING
        hands = self._hands
        if (sensor, station) not in hands:
            said = [self._said.get(about, {}) for about in (sensor, station_key(station))]
            hands[sensor, station] = Hands(one for several in said for one in several.values())
        return hands[sensor, station]


def about_of(override: Override) -> str:
    """Name whom it is about: a sensor, or all of a station."""
    return override.sensor if override.sensor is not None else station_key(override.station or "")
