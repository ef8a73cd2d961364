"""Values of a column as the driver gives them, kept as bytes and numbers as soon as they are there.

A page of forty thousand rows is half a million objects, more than a processor's cache holds: what
comes next would fetch each from memory once more. So whatever a column holds of one kind is packed
piece by piece, while it is at hand; the packed column gives the same values back, one by one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from operator import countOf
from typing import Any, Final, TypeVar, overload

import numpy as np

from schemas.columnar import Integers, Numbers, Strings
from schemas.columnar_encoding import END, ended, strings_of

_END: Final = END.encode()
Values = Sequence[Any]
Value = TypeVar("Value")


class Texts(Sequence[str]):
    """Texts, one behind the other.

    >>> texts = Texts()
    >>> texts.add(["a", "bc"]), texts.add(["d", None]), texts.strings.bytes()
    (True, False, [b'a', b'bc'])
    """

    kind = str

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._count = 0

    def add(self, values: list[Any]) -> bool:
        """Take more values; False: one is no text, or none that can stand here."""
        try:
            piece = (END.join(values) + END).encode()
        except (TypeError, UnicodeEncodeError):
            return False
        if len(piece) - np.count_nonzero(np.frombuffer(piece, np.uint8)) != len(values):
            return False  # one has the character that ends each
        self._pieces.append(piece)
        self._count += len(values)
        return True

    @cached_property
    def strings(self) -> Strings:
        """Give them as bytes."""
        return ended(b"".join(self._pieces))

    def at(self, rows: Integers) -> list[str]:
        """Give some of them."""
        return [text.decode() for text in self.strings.take(rows).bytes()]

    @cached_property
    def _each(self) -> list[str]:
        return b"".join(self._pieces).decode().split(END)[:-1]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if index == 0:  # what every page is asked for need not be taken apart
            return self._pieces[0].partition(_END)[0].decode()
        if index == -1:
            return self._pieces[-1][:-1].rpartition(_END)[-1].decode()
        return self._each[index]

    def __contains__(self, value: object) -> bool:
        return isinstance(value, str) and value in self._each

    def __iter__(self) -> Iterator[str]:
        return iter(self._each)


class _Array(Sequence[Value]):
    """Numbers of one kind, as the machine has them."""

    kind: type
    _code: str

    def __init__(self) -> None:
        self._array: array[Any] = array(self._code)

    def add(self, values: list[Any]) -> bool:
        """Take more values; False: one is of another kind, or too large."""
        if countOf(map(type, values), self.kind) != len(values):
            return False
        try:
            self._array.extend(array(self._code, values))
        except OverflowError:
            return False
        return True

    def __len__(self) -> int:
        return len(self._array)

    @overload
    def __getitem__(self, index: int) -> Value: ...
    @overload
    def __getitem__(self, index: slice) -> list[Value]: ...
    def __getitem__(self, index: int | slice) -> Value | list[Value]:
        found = self._array[index]
        each: Value | list[Value] = found.tolist() if isinstance(found, array) else found
        return each

    def __iter__(self) -> Iterator[Value]:
        return iter(self._array)


class Wholes(_Array[int]):
    """Whole numbers of 64 bits.

    >>> ids = Wholes()
    >>> ids.add([7, 8]), ids.add([True]), ids.add([2**63]), [*ids]
    (True, False, False, [7, 8])
    """

    kind = int
    _code = "q"

    @property
    def integers(self) -> Integers:
        """Give them as an array."""
        return np.frombuffer(self._array, np.int64)

    def at(self, rows: Integers) -> list[int]:
        """Give some of them."""
        found: list[int] = self.integers[rows].tolist()
        return found

    @property
    def numbers(self) -> Numbers:
        """Give them as a column of doubles."""
        return Numbers(self.integers.astype(np.float64))


class Doubles(_Array[float]):
    """Floating-point numbers.

    >>> values = Doubles()
    >>> values.add([7.5]), values.add([7]), values.numbers.values.tolist()
    (True, False, [7.5])
    """

    kind = float
    _code = "d"

    @property
    def numbers(self) -> Numbers:
        """Give them as a column."""
        return Numbers(np.frombuffer(self._array, np.float64))


_PACKED: Final = {packed.kind: packed for packed in (Texts, Wholes, Doubles)}


def more(column: Values, values: list[Any]) -> Values:
    """Give a column with more values behind it; it is packed for as long as all are of one kind.

    >>> type(more((), ["a"])).__name__, more(more((), ["a"]), [None])
    ('Texts', ['a', None])
    """
    if isinstance(column, list):
        column += values
        return column
    packed = column or _PACKED.get(type(values[0]), list)()
    if isinstance(packed, (Texts, _Array)) and packed.add(values):
        return packed
    return [*column, *values]


def kind_of(values: Values) -> type | None:
    """Give the type that all values are of; None: they are of several, or there are none.

    >>> kind_of([1, 2]), kind_of([1, True])
    (<class 'int'>, None)
    """
    if isinstance(values, (Texts, _Array)):
        return values.kind
    kinds = set(map(type, values))
    return kinds.pop() if len(kinds) == 1 else None


def texts_of(values: Values) -> Strings:
    """Make a column of strings; None is null.

    Raises:
        TypeError: one is no text.
    """
    return values.strings if isinstance(values, Texts) else strings_of(values)


def wholes_of(values: Values) -> Sequence[int] | Integers:
    """Give whole numbers as an array, if they are one already."""
    return values.integers if isinstance(values, Wholes) else values
