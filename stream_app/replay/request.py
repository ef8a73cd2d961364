"""What a replay is asked for, and what follows: which series are read, judged and sent.

The tests look at neighbours, so readings of the two weeks before are judged, too, and so is what
follows for an hour. Where other rules are tried, values may come and go, and that is felt for two
weeks behind: then more is sent than was asked for.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from schemas.topics import PARAMETERS
from stream_app.again.task import GAP_MICROS, MEMORY_MICROS, PARTNER, Key, Wanted, Window
from weather.ruleset import Ruleset


class _Anyone(Container[bytes | None]):
    def __contains__(self, key: object) -> bool:
        return True


ANYONE: Final = _Anyone()
"""The keys of all stations."""


@dataclass(frozen=True, slots=True)
class Request:
    """Readings that were observed from ``since`` until before ``until``, in UTC microseconds.

    ``stations`` and ``parameters`` are those that are meant, no stations being all of them.
    ``ruleset`` judges in the place of what holds then; None leaves that as it is.
    """

    since: int
    until: int
    stations: tuple[str, ...] = ()
    parameters: tuple[str, ...] = PARAMETERS
    ruleset: Ruleset | None = None

    @property
    def asked(self) -> Window:
        """The times that are asked for."""
        return Window(self.since, self.until)

    @property
    def judged(self) -> Window:
        """The times that have to be judged for that.

        >>> hour = 3_600_000_000
        >>> found = Request(1000 * hour, 1001 * hour).judged
        >>> (found.since // hour, found.until // hour)
        (664, 1002)
        """
        on = GAP_MICROS if self.ruleset is None else MEMORY_MICROS
        return Window(self.since - MEMORY_MICROS, self.until + on)

    @property
    def sent(self) -> Window:
        """The times of which verdicts are sent."""
        if self.ruleset is None:
            return self.asked
        return Window(self.since - GAP_MICROS, self.judged.until)

    @property
    def is_of_all(self) -> bool:
        """Whether all stations and parameters are meant, as a ruleset means them."""
        return not self.stations and set(self.parameters) == set(PARAMETERS)

    @property
    def read(self) -> tuple[str, ...]:
        """The parameters that have to be read, some only since others are judged beside them."""
        beside = {PARTNER[name] for name in self.parameters if name in PARTNER}
        return tuple(name for name in PARAMETERS if name in beside.union(self.parameters))

    @property
    def keys(self) -> Container[bytes | None]:
        """The keys of the raw records that are meant."""
        return frozenset(name.encode() for name in self.stations) or ANYONE

    @property
    def held(self) -> Ruleset | None:
        """The ruleset as it is to hold: for the times that are asked for, and no others."""
        if self.ruleset is None:
            return None
        return replace(self.ruleset, valid_from=self.since, valid_until=self.until)

    def wanted(self) -> Mapping[Key, Wanted]:
        """Give what is wanted of each series."""
        felt = () if self.ruleset is None else (self.sent,)
        of = {name: Wanted(self.judged, felt) for name in self.read}
        of |= {name: Wanted(self.judged, (self.sent,)) for name in self.parameters}
        return _Series(of, self.stations)


class _Series(Mapping[Key, Wanted]):
    """What is wanted of any station's series; it does not know them by name."""

    def __init__(self, of: Mapping[str, Wanted], stations: tuple[str, ...]) -> None:
        self._of = of
        self._stations = stations

    def __getitem__(self, key: Key) -> Wanted:
        parameter, name = key
        station = name.removeprefix("@")
        if station == name or (self._stations and station not in self._stations):
            raise KeyError(key)
        return self._of[parameter]

    def __iter__(self) -> Iterator[Key]:
        return ((parameter, f"@{name}") for parameter in self._of for name in self._stations)

    def __len__(self) -> int:
        return len(self._of) * len(self._stations)
