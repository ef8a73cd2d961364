"""Columns: one field of many messages, as numbers or as strings that lie somewhere in a buffer.

Strings are moved, picked and joined without a Python object for each. What reads them out of
messages is :mod:`schemas.columnar_decoding`, what writes them is :mod:`schemas.columnar_encoding`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.scratch import empty
from schemas.columnar_kernels import high_bits, put
from schemas.numbering_kernels import number

Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Value = bytes | None

_PADDING: Final = bytes(16)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole or floating-point numbers; where not ``present``, the number means nothing."""

    values: NDArray[Any]
    present: Mask | None = None

    def there(self) -> Mask:
        """Say which are present."""
        return np.ones(len(self.values), np.bool_) if self.present is None else self.present

    def take(self, rows: Integers) -> Numbers:
        """Pick rows, in the order given."""
        return Numbers(self.values[rows], None if self.present is None else self.present[rows])


@dataclass(frozen=True, slots=True)
class Strings:
    """Strings inside ``data``, not checked to be UTF-8; those not ``present`` are empty."""

    data: Bytes
    starts: Integers
    lengths: Integers
    present: Mask | None = None

    def take(self, rows: Integers | slice) -> Strings:
        """Pick rows, in the order given; the bytes are shared."""
        present = None if self.present is None else self.present[rows]
        return Strings(self.data, self.starts[rows], self.lengths[rows], present)

    def there(self) -> Mask:
        """Say which are present."""
        return np.ones(len(self.lengths), np.bool_) if self.present is None else self.present

    def bytes(self) -> list[bytes]:
        """Give each string as bytes."""
        found = np.full(len(self.lengths), b"", object)
        if not len(found):
            return []
        for length, rows in rows_by_length(self.lengths):
            found[rows] = windows(self.data, length)[self.starts[rows]]
        each: list[bytes] = found.tolist()
        return each

    def optional(self) -> list[Value]:
        """Give each string as bytes, None where there is none."""
        each: list[Value] = [*self.bytes()]
        for row in () if self.present is None else np.flatnonzero(~self.present).tolist():
            each[row] = None
        return each

    def one(self, row: int) -> Value:
        """Give one string, None where there is none."""
        if self.present is not None and not self.present[row]:
            return None
        start = int(self.starts[row])
        return self.data[start : start + int(self.lengths[row])].tobytes()

    def padded(self) -> Strings:
        """Make sure that a few bytes behind every string may be read, too."""
        last = int((self.starts + self.lengths).max(initial=0))
        if last + len(_PADDING) <= len(self.data):
            return self
        data = np.concatenate([self.data, np.frombuffer(_PADDING, np.uint8)])
        return Strings(data, self.starts, self.lengths, self.present)

    def write(self, out: Bytes, at: Integers) -> None:
        """Write each string at its place in ``out``."""
        starts, lengths = np.ascontiguousarray(self.starts), np.ascontiguousarray(self.lengths)
        put(self.data, starts, lengths, out, np.ascontiguousarray(at))

    def is_ascii(self) -> bool:
        """Say whether all are plain ASCII.

        >>> packed([b"ab", b""]).is_ascii(), packed(["é".encode()]).is_ascii()
        (True, False)
        """
        starts, lengths = np.ascontiguousarray(self.starts), np.ascontiguousarray(self.lengths)
        return not high_bits(self.data, starts, lengths)

    def of_length(self, length: int, rows: Integers | slice) -> Bytes:
        """Give the bytes of strings that are all of one length, a row for each."""
        found = windows(self.data, length)[self.starts[rows]]
        return found.view(np.uint8).reshape(-1, length)

    def numbered(self) -> tuple[Integers, Integers]:
        """Number them as they are met; give the number of each, and where each was met first.

        >>> [each.tolist() for each in packed([b"b", b"a", b"b"]).numbered()]
        [[0, 1, 0], [0, 1]]
        """
        count = len(self.lengths)
        table = np.full(1 << max(4, (2 * count - 1).bit_length()), -1, np.int64)
        numbers, firsts = np.empty(count, np.int64), np.empty(count, np.int64)
        places = np.ascontiguousarray(self.starts), np.ascontiguousarray(self.lengths)
        met = number(self.data, *places, table, numbers, firsts)
        return numbers, firsts[:met]

    def places(self) -> Integers:
        """Give the place of every byte of every string, one string after the other."""
        before = np.cumsum(self.lengths) - self.lengths
        return np.repeat(self.starts - before, self.lengths) + np.arange(self.lengths.sum())


Column = Numbers | Strings


@dataclass(frozen=True, slots=True)
class Keyed:
    """Keys and values of messages for one topic; both columns are equally long.

    >>> Keyed.of([(b"k", b"v"), (b"gone", None)]).pairs()
    [(b'k', b'v'), (b'gone', None)]
    """

    keys: Strings
    values: Strings

    @classmethod
    def of(cls, pairs: Iterable[tuple[bytes | None, bytes | None]]) -> Keyed:
        """Make columns of single messages."""
        keys, values = [], []
        for key, value in pairs:
            keys.append(key)
            values.append(value)
        return cls(packed(keys), packed(values))

    def __len__(self) -> int:
        return len(self.values.lengths)

    def pairs(self) -> list[tuple[bytes | None, bytes | None]]:
        """Give single messages, for those who look at each."""
        return list(zip(self.keys.optional(), self.values.optional(), strict=True))


def packed(values: Sequence[bytes | None]) -> Strings:
    """Make a column of bytes; None is null.

    >>> packed([b"a", None]).optional()
    [b'a', None]
    """
    given: Any = values
    present = None
    try:  # to look for a null first would take as long
        joined = b"".join(given)
    except TypeError:
        present = np.array([value is not None for value in values], np.bool_)
        given = [value or b"" for value in values]
        joined = b"".join(given)
    lengths = np.fromiter(map(len, given), np.int64, len(given))
    data = np.frombuffer(joined, np.uint8)
    return Strings(data, np.cumsum(lengths) - lengths, lengths, present)


def rows_by_length(lengths: Integers) -> Iterator[tuple[int, Integers | slice]]:
    """Part strings by their length, but for the empty ones; where all are alike, they are a slice.

    Strings of one length are moved by one array operation, however long they are.

    >>> [(length, rows.tolist()) for length, rows in rows_by_length(np.array([3, 0, 5, 3]))]
    [(3, [0, 3]), (5, [2])]
    """
    if not len(lengths):
        return
    least, most = int(lengths.min()), int(lengths.max())
    if least == most:
        if most:
            yield most, slice(None)
        return
    for length in np.unique(lengths).tolist():
        if length:
            yield length, np.flatnonzero(lengths == length)


def windows(data: Bytes, length: int) -> NDArray[np.void]:
    """See all strings of one length inside ``data``, wherever they begin; nothing is copied."""
    count = len(data) - length + 1
    return np.ndarray((count,), f"V{length}", data, strides=(1,))


def concatenated(columns: Sequence[Strings]) -> Strings:
    """Put columns of strings one behind the other; bytes that they share are kept once.

    >>> concatenated([packed([b"a"]), packed([None, b"d"])]).optional()
    [b'a', None, b'd']
    """
    if len(columns) == 1:
        return columns[0]
    shift: dict[int, int] = {}
    pieces: list[Bytes] = []
    size = 0
    for data in (column.data for column in columns):
        if id(data) not in shift:
            shift[id(data)] = size
            size += len(data)
            if len(data):
                pieces.append(data)
    nothing = np.empty(0, np.int64)
    present = None
    if any(column.present is not None for column in columns):
        present = np.concatenate([column.there() for column in columns])
    return Strings(
        pieces[0] if len(pieces) == 1 else one_behind_another(pieces),
        np.concatenate([nothing, *(column.starts + shift[id(column.data)] for column in columns)]),
        np.concatenate([nothing, *(column.lengths for column in columns)]),
        present,
    )


def one_behind_another(pieces: Sequence[Bytes]) -> Bytes:
    """Put bytes one behind the other.

    >>> one_behind_another([np.array([1], np.uint8), np.array([2, 3], np.uint8)]).tolist()
    [1, 2, 3]
    """
    whole = empty(sum(map(len, pieces)), np.uint8)
    return np.concatenate(pieces, out=whole) if pieces else whole


def joined_columns(columns: Sequence[Column]) -> Column:
    """Put columns of one kind one behind the other.

    >>> joined_columns([Numbers(np.array([1])), Numbers(np.array([2, 3]))]).values.tolist()
    [1, 2, 3]
    """
    texts = [column for column in columns if isinstance(column, Strings)]
    if texts:
        return concatenated(texts)
    each = [column for column in columns if isinstance(column, Numbers)]
    present = None
    if any(column.present is not None for column in each):
        present = np.concatenate([column.there() for column in each])
    return Numbers(np.concatenate([column.values for column in each]), present)


def numbers(columns: Mapping[str, Column], name: str) -> NDArray[Any]:
    """Give the numbers of a column that holds some."""
    column = columns[name]
    if not isinstance(column, Numbers):
        raise TypeError(name)
    return column.values


def strings(columns: Mapping[str, Column], name: str) -> Strings:
    """Give a column that holds strings."""
    column = columns[name]
    if not isinstance(column, Strings):
        raise TypeError(name)
    return column
