"""In which order something changed of what readings are judged by, and whose readings it concerns.

Whoever remembers the number of the last turn can ask what came after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

EVERYONE: Final = "*"
"""Stands for all sensors."""


class Stationed(Protocol):
    """What is known of a sensor."""

    @property
    def station(self) -> str:
        """Its station."""


def station_key(station: str) -> str:
    """Name all sensors of a station, as no sensor is named."""
    return f"@{station}"


class Turns:
    """Changes of sensors, of stations and of what holds for everyone.

    >>> turns = Turns()
    >>> turns.changed("JFK:wind")
    >>> turns.now, turns.since(0, {"JFK:wind": None, "LGA:wind": None})
    (1, {'JFK:wind'})
    """

    def __init__(self) -> None:
        self.now = 0
        """Rises with every change."""
        self._last: dict[str, int] = {}

    def changed(self, about: str) -> None:
        """Note a change that has been made: whoever sees the turn finds things as they are since.

        ``about`` is a sensor, a station (:func:`station_key`), or :data:`EVERYONE`.
        """
        self._last[about] = self.now + 1
        self.now += 1

    def since(self, turn: int, known: Mapping[str, Stationed]) -> set[str]:
        """Name the sensors, of those that are known, that a change after this turn concerns."""
        about = {name for name, at in list(self._last.items()) if at > turn}
        if EVERYONE in about:
            return set(known)
        found = about & known.keys()
        if any(name.startswith("@") for name in about):
            found |= {name for name, one in known.items() if station_key(one.station) in about}
        return found
