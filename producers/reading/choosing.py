"""Which sensors the rows of a page are of.

There are few sensors and many rows: every different combination of station, code and position gets
a number once, and rows are looked at by these numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from producers.publishing.encoding import Record
from producers.reading.combinations import Key, Numbered
from producers.reading.identifiers import identifier
from producers.reading.makers import Maker, makers_by_parameter
from producers.reading.values import Values
from schemas.columnar import Integers


class Chosen(NamedTuple):
    """The readings of one parameter: of which of ``sensors`` each is, and in which row it stands.

    ``rows`` None: in every row, in order.
    """

    maker: Maker
    sensors: Sequence[Record]
    numbers: Integers
    rows: Integers | None


class EveryMaker:
    """Of a wide table: each row has a reading of each maker, at a position that never changes."""

    def __init__(self, station: int, makers: Sequence[tuple[Maker, object]]) -> None:
        self._numbered = Numbered([station])
        self._makers = makers
        self._sensors: list[list[Record]] = [[] for _ in makers]

    def __call__(self, columns: Sequence[Values], _unmapped: Counter[str]) -> Iterator[Chosen]:
        """Choose for a page."""
        numbers = self._numbered(columns)
        for (maker, position), sensors in zip(self._makers, self._sensors, strict=True):
            for (station,) in self._numbered.keys[len(sensors) :]:
                sensors.append(maker.sensor(identifier(station), position))
            yield Chosen(maker, sensors, numbers, None)


class MakerByCode:
    """Of a long table: each row has one reading, by its code; codes that have none are counted."""

    def __init__(
        self, station: int, code: int, position: int | None, makers: dict[str, Maker]
    ) -> None:
        places = [station, code] if position is None else [station, code, position]
        self._numbered = Numbered(places)
        self._by_code = makers
        self._makers = [same[0] for same in makers_by_parameter([*makers.values()]).values()]
        self._parameters = [maker.parameter for maker in self._makers]
        self._sensors: list[Record] = []
        self._whose = np.empty(0, np.int64)

    def __call__(self, columns: Sequence[Values], unmapped: Counter[str]) -> Iterator[Chosen]:
        """Choose for a page."""
        numbers = self._numbered(columns)
        self._meet(self._numbered.keys[len(self._sensors) :])
        whose = self._whose[numbers]
        self._count(numbers[whose < 0], unmapped)
        for place, maker in enumerate(self._makers):
            rows = np.flatnonzero(whose == place)
            if len(rows):
                yield Chosen(maker, self._sensors, numbers[rows], rows)

    def _meet(self, keys: Sequence[Key]) -> None:
        """Make the sensors of combinations that are new."""
        new = []
        for station, code, *position in keys:
            maker = self._by_code.get(identifier(code))
            new.append(-1 if maker is None else self._parameters.index(maker.parameter))
            where = position[0] if position else None
            self._sensors.append({} if maker is None else maker.sensor(identifier(station), where))
        if new:
            self._whose = np.concatenate([self._whose, np.array(new, np.int64)])

    def _count(self, numbers: Integers, unmapped: Counter[str]) -> None:
        for number, count in Counter(numbers.tolist()).items():
            unmapped[identifier(self._numbered.keys[number][1])] += count
