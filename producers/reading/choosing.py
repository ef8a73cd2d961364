"""Which sensors the rows of a page are of.

There are few sensors and many rows: every different combination of station, code and position gets
a number once, and rows are looked at by these numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from producers.publishing.encoding import Record
from producers.reading.columns import Values
from producers.reading.identifiers import identifier
from producers.reading.makers import Maker, makers_by_parameter
from schemas.columnar import Integers

_SAFE: Final = (str, int, type(None))
"""Values of one of these types are equal only where their texts are."""
Key = tuple[Any, ...]


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
        self._numbered = _Numbered([station])
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
        self._numbered = _Numbered(places)
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


class _Numbered:
    """Gives each combination of values a number, in the order in which they are met."""

    def __init__(self, places: Sequence[int]) -> None:
        self.keys: list[Key] = []
        self._places = places
        self._known: dict[tuple[type, ...], _Known] = {}

    def __call__(self, columns: Sequence[Values]) -> Integers:
        """Give the number of each row."""
        wanted = [columns[place] for place in self._places]
        kinds = tuple(type(values[0]) for values in wanted)
        if all(map(_may_be, kinds, wanted)):
            try:
                return self._of(kinds).numbers(wanted)
            except TypeError:  # what stands further on is of another kind
                pass
        told = [_told_apart(values) for values in wanted]
        return self._of(tuple(kind for _, kind in told)).numbers([values for values, _ in told])

    def _of(self, kinds: tuple[type, ...]) -> _Known:
        if kinds not in self._known:
            self._known[kinds] = _Known(kinds, self.keys)
        return self._known[kinds]


class _Known(dict[Key, int]):
    """Numbers of combinations of these kinds; one that is new is given the next.

    Whatever is found here *is* of these kinds, since nothing else equals a text or None: it need
    not be looked at. Whole numbers alone are equal to others, which is seen to before.
    """

    def __init__(self, kinds: tuple[type, ...], keys: list[Key]) -> None:
        super().__init__()
        self._kinds = kinds
        self._keys = keys

    def numbers(self, columns: Sequence[Values]) -> Integers:
        """Give the number of each row.

        Raises:
            TypeError: one is of other kinds.
        """
        each = zip(*columns, strict=True)
        return np.fromiter(map(self.__getitem__, each), np.int64, len(columns[0]))

    def __missing__(self, key: Key) -> int:
        if tuple(map(type, key)) != self._kinds:
            raise TypeError(key)
        self[key] = number = len(self._keys)
        self._keys.append(key)
        return number


def _may_be(kind: type, values: Values) -> bool:
    """Say whether values can be told apart as they are, if they are all of the first one's kind."""
    return kind in _SAFE and (kind is not int or set(map(type, values)) == {int})


def _told_apart(values: Values) -> tuple[Values, type]:
    """Give values that are equal only where they mean the same: 1, 1.0 and True are equal, too."""
    kinds = set(map(type, values))
    (kind,) = kinds if len(kinds) == 1 else (object,)
    if kind in _SAFE:
        return values, kind
    return list(map(identifier, values)), str
