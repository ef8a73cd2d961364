"""The columnar encoder: columns become many messages of one flat schema at once.

``ColumnarEncoder(schema, first)(heads, columns)`` gives a message for each row. What stands before
the field ``first`` is the row's *head*, encoded elsewhere and shared by many rows (the frame, and
the fields that are constant for a sensor, which stand first in our schemas): either a list of bytes
or, faster, the few different ones :func:`packed` together and taken by their numbers. For every
field from ``first`` on there is a column, all as long as there are heads:

* numbers, whole or floating: ``Numbers(array, present)``; ``present`` is a mask, None: all are;
* strings: :func:`strings_of` a list of ``str | None``, or ``Strings`` that lie in a buffer anyway;
* the same in every row: :func:`constant`, which costs next to nothing.

    >>> from schemas.avsc import load
    >>> encode = ColumnarEncoder(load("raw_index"), "first_offset")
    >>> heads = packed([b"one", b"two"]).take(np.array([0, 1, 1]))
    >>> columns = {"first_offset": Numbers(np.arange(3)), "last_offset": constant(9, 3)}
    >>> columns |= dict.fromkeys(("least_observed_at", "greatest_observed_at"), constant(None, 3))
    >>> encode(heads, columns | {"readings": Numbers(np.array([1, 2, 3]))})[2].hex(" ")
    '74 77 6f 04 12 00 00 06'

How a message comes of them is for :mod:`schemas.columnar_wire`. The bytes are those of
:class:`schemas.codec.Encoder`; a property test holds the two together.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from runtime.scratch import empty
from schemas.avsc import Schema, without_logical_types
from schemas.columnar import Bytes, Column, Integers, Mask, Numbers, Strings, packed
from schemas.columnar_decoding import kind_of
from schemas.columnar_wire import Plan

_TENS: Final = 10 ** np.arange(9, dtype=np.uint32)
_MOST_DIGITS: Final = 10**9
_ZERO: Final = ord("0")
END: Final = "\0"
"""Ends a text where many are joined."""


class ColumnarEncoder:
    """Encodes the fields of a schema from ``first`` on; what stands before is the head's.

    With ``end``, the fields from there on are somebody else's, too; see :meth:`piece`.
    """

    def __init__(self, schema: Schema, first: str | None = None, end: str | None = None) -> None:
        fields = without_logical_types(schema)["fields"]
        names = [field["name"] for field in fields]
        places = (names.index(name) if name else None for name in (first, end))
        self.fields = tuple((f["name"], *kind_of(f["type"])) for f in fields[slice(*places)])

    def __call__(
        self, heads: Sequence[bytes] | Strings, columns: Mapping[str, Column]
    ) -> list[bytes]:
        """Give a message for each head; every column is as long as there are heads.

        Raises:
            KeyError: a column is missing.
        """
        return self.strings(heads, columns).bytes()

    def strings(self, heads: Sequence[bytes] | Strings, columns: Mapping[str, Column]) -> Strings:
        """Give the same messages as a column.

        Raises:
            KeyError: a column is missing.
        """
        head = heads if isinstance(heads, Strings) else packed(heads)
        plan = Plan(len(head.lengths))
        plan.bare(head)
        return self._written(plan, columns)

    def piece(self, columns: Mapping[str, Column]) -> Strings:
        """Encode the columns without heads, to be put :func:`side_by_side` with other pieces.

        Raises:
            KeyError: a column is missing.
        """
        return self._written(Plan(rows_of(columns[self.fields[0][0]])), columns)

    def _written(self, plan: Plan, columns: Mapping[str, Column]) -> Strings:
        for name, kind, nullable in self.fields:
            plan.field(columns[name], kind, nullable=nullable)
        return plan.written()


def side_by_side(parts: Sequence[Strings]) -> Strings:
    """Join strings row by row; all columns are of one length.

    >>> side_by_side([strings_of(["a", "b"]), strings_of(["1", "23"])]).bytes()
    [b'a1', b'b23']
    """
    lengths = parts[0].lengths.astype(np.int64)
    for part in parts[1:]:
        lengths += part.lengths
    ends = np.cumsum(lengths)
    out = empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    at = starts = ends - lengths
    for part in parts:
        part.write(out, at)
        at = at + part.lengths
    return Strings(out, starts, lengths)


def rows_of(column: Column) -> int:
    """Say how long a column is."""
    return len(column.lengths if isinstance(column, Strings) else column.values)


def as_strings(block: Bytes) -> Strings:
    """Make strings of rows of bytes, all of one length."""
    count, width = block.shape
    return Strings(block.reshape(-1), np.arange(count) * width, np.full(count, width))


def strings_of(values: Sequence[str | None]) -> Strings:
    """Make a column of strings; None is null.

    >>> strings_of(["a", None, "bcd"]).bytes()
    [b'a', b'', b'bcd']
    """
    given: Any = values
    if not values or values[0] is not None:
        try:
            return _texts(given, None)
        except TypeError:  # a null further on, or no text at all, of which the join below tells
            pass
    missing = values.count(None)
    if missing == len(values):  # columns that a source does not have are common
        return _nothing(missing)
    present = np.array([value is not None for value in values], np.bool_)
    return _texts(["" if value is None else value for value in values], present)


def digits_of(values: Sequence[int] | Integers) -> Strings:
    """Make a column of whole numbers as text.

    >>> digits_of([7, 120, -3]).bytes(), digits_of([0, 120]).bytes()
    ([b'7', b'120', b'-3'], [b'0', b'120'])

    Raises:
        TypeError: one is no whole number.
    """
    numbers = _fitting(values)
    if numbers is None or not len(numbers) or numbers.min() < 0 or numbers.max() >= _MOST_DIGITS:
        return strings_of(list(map(str, values)))
    left = numbers.astype(np.uint32)
    widths = np.maximum(np.searchsorted(_TENS, left, side="right"), 1)
    widest = int(widths.max())
    written = np.empty((len(left), widest), np.uint8)
    for place in range(widest - 1, -1, -1):
        tenth = left // 10
        written[:, place] = left - tenth * 10 + _ZERO
        left = tenth
    starts = np.arange(len(left)) * widest + (widest - widths)
    return Strings(written.reshape(-1), starts, widths)


def _fitting(values: Sequence[int] | Integers) -> Integers | None:
    if isinstance(values, np.ndarray):
        return values
    try:
        return np.frombuffer(array("q", values), np.int64)
    except OverflowError:
        return None


def numbers_of(values: Sequence[float | None]) -> Numbers:
    """Make a column of doubles; None is null.

    >>> numbers_of([1.5, None]).present.tolist()
    [True, False]

    Raises:
        TypeError: one is no number.
    """
    whole = doubles_of(values)
    if whole is not None:
        return whole
    missing = values.count(None)
    if missing == len(values):
        return Numbers(np.zeros(missing), np.zeros(missing, np.bool_))
    if not missing:
        problem = "a column of numbers holds something else"
        raise TypeError(problem)
    doubles = np.array(values, np.float64)  # None becomes NaN
    present = ~np.isnan(doubles)
    if np.count_nonzero(present) + missing < len(values):  # a NaN that was given is a number, too
        present = np.array([value is not None for value in values], np.bool_)
    return Numbers(doubles, present)


def doubles_of(values: Sequence[float | None]) -> Numbers | None:
    """Make a column of doubles where every value is a number; None: one is not.

    >>> doubles_of([1.5, None]) is None, doubles_of([1.5]).values.tolist()
    (True, [1.5])
    """
    given: Any = values
    try:  # to look for a null first would take as long
        return Numbers(np.frombuffer(array("d", given), np.float64))
    except TypeError:
        return None


def constant(value: str | float | None, count: int) -> Column:
    """Make a column that says the same in every row.

    >>> constant("upsert", 2).bytes()
    [b'upsert', b'upsert']
    """
    once = np.zeros(count, np.int64)
    if value is None:
        return _nothing(count)
    if isinstance(value, str):
        return strings_of([value]).take(once)
    return Numbers(np.broadcast_to(np.array(value), count))


def _nothing(count: int) -> Strings:
    nothing = np.zeros(count, np.int64)
    return Strings(np.empty(0, np.uint8), nothing, nothing, np.zeros(count, np.bool_))


def _texts(values: Sequence[str], present: Mask | None) -> Strings:
    """Encode all at once; a byte that is in none of them tells where each ends."""
    found = ended((END.join(values) + END).encode())
    if len(found.lengths) != len(values) or not values:
        found = packed([value.encode() for value in values])
    return Strings(found.data, found.starts, found.lengths, present)


def ended(joined: bytes) -> Strings:
    """Make a column of texts, each ended by ``END``, which none of them has in it.

    >>> ended((END.join(["a", "bc"]) + END).encode()).bytes()
    [b'a', b'bc']
    """
    data = np.frombuffer(joined, np.uint8)
    ends = np.flatnonzero(data == 0)
    starts = np.concatenate(([0], ends[:-1] + 1))
    return Strings(data, starts, ends - starts)
