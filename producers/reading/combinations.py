"""Combinations of labels: each gets a number once, and rows are looked at by these numbers.

Where all labels of a page are packed, a loop finds which are different, and only these are looked
up; a dictionary is what decides in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from producers.reading.identifiers import identifier
from producers.reading.values import Texts, Values, Wholes, kind_of
from schemas.columnar import Integers, Strings
from schemas.columnar_encoding import as_strings, side_by_side

Key = tuple[Any, ...]
_WORD: Final = 8
_SAFE: Final = (str, int, type(None))
"""Values of one of these types are equal only where their texts are."""


class Numbered:
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
        self._by_label: dict[bytes, int] = {}

    def numbers(self, columns: Sequence[Values]) -> Integers:
        """Give the number of each row.

        Raises:
            TypeError: one is of other kinds.
        """
        packed = [values for values in columns if isinstance(values, (Texts, Wholes))]
        if len(packed) == len(columns):
            return self._of_packed(packed)
        each = zip(*columns, strict=True)
        return np.fromiter(map(self.__getitem__, each), np.int64, len(columns[0]))

    def _of_packed(self, columns: Sequence[Texts | Wholes]) -> Integers:
        """Give the same, looking at each combination of a page once."""
        labels = _labels(columns)
        numbers, firsts = labels.numbered()
        each = labels.take(firsts).bytes()
        new = [place for place, label in enumerate(each) if label not in self._by_label]
        keys = zip(*(values.at(firsts[new]) for values in columns), strict=True)
        for place, key in zip(new, keys, strict=True):
            self._by_label[each[place]] = self[key]
        found = np.array([self._by_label[label] for label in each], np.int64)
        of_rows: Integers = found[numbers]
        return of_rows

    def __missing__(self, key: Key) -> int:
        if tuple(map(type, key)) != self._kinds:
            raise TypeError(key)
        self[key] = number = len(self._keys)
        self._keys.append(key)
        return number


def _labels(columns: Sequence[Texts | Wholes]) -> Strings:
    """Write the labels of each row so that no two rows of different labels are written alike.

    A text goes with what ends it, which no packed text has in it; a number as its eight bytes.
    """
    return side_by_side([_written(values) for values in columns])


def _written(values: Texts | Wholes) -> Strings:
    if isinstance(values, Wholes):
        return as_strings(values.integers.view(np.uint8).reshape(-1, _WORD))
    texts = values.strings
    return Strings(texts.data, texts.starts, texts.lengths + 1)


def _may_be(kind: type, values: Values) -> bool:
    """Say whether values can be told apart as they are, if they are all of the first one's kind."""
    return kind in _SAFE and (kind is not int or kind_of(values) is int)


def _told_apart(values: Values) -> tuple[Values, type]:
    """Give values that are equal only where they mean the same: 1, 1.0 and True are equal, too."""
    kind = kind_of(values) or object
    if kind in _SAFE:
        return values, kind
    return list(map(identifier, values)), str
