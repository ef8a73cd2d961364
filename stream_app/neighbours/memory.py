"""Clean readings of one time side by side, by cells of the globe: who stands beside whom.

Nothing waits. Whenever a reading comes, is corrected or is gone, all in the cells around it are
judged once more; so the last word depends on what there is, and not on the order in which it came.
What has not been touched for longest is forgotten: a reading that comes later finds nobody.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from weather.company import Company
from weather.grid import cell_of, cells_around
from weather.limits import Buddies
from weather.qc.buddy import Places, buddy_test
from weather.qc.company import company_test
from weather.qc.flags import Flag

OURS: Final = 8
"""Of the numbers that are free behind a verdict, those from here on are the agent's own."""
FREE: Final = 16


class Came(NamedTuple):
    """A clean reading as it comes: what the test needs, and how its record is found again.

    ``usable``: no other test failed it. ``said``: what the agent has said of it, 2 for nothing.
    ``ruleset`` is the version that judged it, ``month`` that of the local clock.
    """

    sensor: str
    at: int
    value: float
    usable: bool
    latitude: float
    longitude: float
    elevation: float
    version: tuple[int, int]
    said: int
    message: bytes
    partition: int
    ruleset: str = ""
    month: int = 1

    @property
    def ours(self) -> bool:
        """Whether the agent wrote it: by what is left of its revision."""
        return self.version[1] % FREE >= OURS


@dataclass(slots=True)
class Held:
    """A reading that is remembered: the newest word on it, and what stood before our own."""

    came: Came
    cell: int
    around: tuple[int, ...]
    message: bytes
    wanted: int = int(Flag.NOT_EVALUATED)

    @property
    def next_revision(self) -> int | None:
        """The revision of what is to be said of it now; None where all numbers are used up."""
        revision = self.came.version[1]
        following = revision + 1 if self.came.ours else revision - revision % FREE + OURS
        return following if following % FREE >= OURS else None

    def spoken(self, revision: int) -> None:
        """Remember that what is wanted has been said, under this revision."""
        version = self.came.version[0], revision
        self.came = self.came._replace(said=self.wanted, version=version)


_NOWHERE: Final = -1
LimitsOf = Callable[[str, int], Buddies | None]
"""Gives the limits that a version of the rules has in a month; None where it asks nobody."""
CompanyOf = Callable[[str], Company | None]
"""Gives the learnt model that a version of the rules carries; None where it carries none."""
Slot = dict[int, dict[str, Held]]
"""Readings of one time, by cell and sensor."""


class Memory:
    """Readings of one parameter."""

    def __init__(
        self, limits: LimitsOf, radius: float, most: int, company: CompanyOf = lambda _version: None
    ) -> None:
        """Remember so many readings at ``most``.

        ``limits`` gives those of a version and a month, ``company`` the version's model of readings
        beside their neighbours; ``radius`` is the largest in metres.
        """
        self._limits = limits
        self._company = company
        self._width = 2 * radius
        self._most = most
        self._slots: OrderedDict[int, Slot] = OrderedDict()
        self._where: dict[tuple[str, int], int] = {}

    def __len__(self) -> int:
        """Count the readings."""
        return len(self._where)

    def take(self, came: Iterable[Came]) -> list[Held]:
        """Take in readings and judge beside them; what is gone comes without a value.

        Gives those of which something else is to be said than was.
        """
        touched: dict[int, set[int]] = {}
        for one in came:
            cells = self._put(one)
            if cells:
                touched.setdefault(one.at, set()).update(cells)
                self._slots.move_to_end(one.at)
        found = [held for at, cells in touched.items() for held in self._judged(at, cells)]
        self._forget()
        return found

    def _put(self, came: Came) -> set[int]:
        """Remember a reading, unless a newer one is known; give the cells where it counts."""
        known = self._find(came)
        if known is not None and came.version <= known.came.version:
            return set()
        cell, around = self._cells(came)
        base = known.message if came.ours and known is not None else came.message
        slot = self._slots.setdefault(came.at, {})
        if known is not None:
            del slot[known.cell][came.sensor]
        slot.setdefault(cell, {})[came.sensor] = Held(came, cell, around, base)
        self._where[came.sensor, came.at] = cell
        return {*around, *(known.around if known is not None else ())}

    def _cells(self, came: Came) -> tuple[int, tuple[int, ...]]:
        """Give the cell of a reading, and those around; one without a place is by itself.

        They are twice as wide as neighbours are near: a neighbour's own decide whether it counts.
        """
        place, width = (np.array([came.latitude]), np.array([came.longitude])), self._width
        if np.isnan(place).any():
            return _NOWHERE, (_NOWHERE,)
        return int(cell_of(*place, width)[0]), tuple({*cells_around(*place, width)[0].tolist()})

    def _find(self, came: Came) -> Held | None:
        cell = self._where.get((came.sensor, came.at))
        return None if cell is None else self._slots[came.at][cell][came.sensor]

    def _judged(self, at: int, cells: set[int]) -> Iterator[Held]:
        slot = self._slots.get(at, {})
        for cell in sorted(cells & slot.keys()):
            members = slot[cell]
            if not members:
                continue
            near = set().union(*(held.around for held in members.values()))
            every = [held for one in sorted(near & slot.keys()) for held in slot[one].values()]
            every.sort(key=lambda held: held.came.sensor)
            for held, flag in zip(every, self._flags(every), strict=True):
                if held.cell == cell and flag != held.came.said:
                    held.wanted = flag
                    yield held

    def _flags(self, every: list[Held]) -> list[int]:
        """Judge readings by one another, each by what its own ruleset has for its month."""
        named = [(held.came.ruleset, held.came.month) for held in every]
        by = {
            name: _judged_by(every, self._limits(*name), self._company(name[0]))
            for name in {*named}
        }
        return [by[name][place] for place, name in enumerate(named)]

    def _forget(self) -> None:
        while len(self._where) > self._most and len(self._slots) > 1:
            at, slot = self._slots.popitem(last=False)
            for members in slot.values():
                for sensor in members:
                    del self._where[sensor, at]


def _judged_by(every: list[Held], limits: Buddies | None, company: Company | None) -> list[int]:
    """Judge readings of one time by one another: 3 and 4 are said of a reading, all else is 2."""
    came = [held.came for held in every]
    places = Places(
        np.array([one.latitude for one in came]),
        np.array([one.longitude for one in came]),
        np.array([one.elevation for one in came]),
    )
    values, usable = np.array([c.value for c in came]), np.array([c.usable for c in came])
    flags = buddy_test(places, values, limits, usable)
    if company is not None:
        odd = company_test(came[0].at, places, values, company, usable) == Flag.SUSPECT
        flags = np.where(odd & (flags != Flag.FAIL), np.int32(Flag.SUSPECT), flags)
    bad = (flags == Flag.SUSPECT) | (flags == Flag.FAIL)
    return [int(flag) for flag in np.where(bad, flags, np.int32(Flag.NOT_EVALUATED))]
