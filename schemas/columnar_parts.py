"""What columns become on the wire: blocks of bytes that are equally many in every row, and strings.

Blocks are the cheaper: those that stand side by side are moved as one. So whatever is of one width
in all rows of a page comes as a block: numbers that need equally many bytes, the lengths of short
texts, and all of a column that holds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from schemas.columnar import Bytes, Column, Integers, Numbers, Strings
from schemas.columnar_numbers import PRESENT, as_strings, numbers_encoded

_SHORT: Final = 64
"""A length below it takes one byte."""


def encoded(column: Column, kind: str, *, nullable: bool) -> Iterator[Strings | Bytes]:
    """Turn a column into its bytes on the wire: a branch where it may be null, then the value."""
    if isinstance(column, Strings):
        yield from _texts(column, nullable=nullable)
    elif column.values.strides == (0,) and column.present is None and len(column.values):
        yield _same(column, kind, nullable=nullable)
    else:
        yield numbers_encoded(column, kind, nullable=nullable)


def gathered(parts: Iterable[Strings | Bytes]) -> Iterator[Strings]:
    """Put blocks that stand side by side together."""
    run: list[Bytes] = []
    for part in parts:
        if not isinstance(part, Strings):
            run.append(part)
            continue
        if run:
            yield as_strings(np.concatenate(run, axis=1))
        run = []
        yield part
    if run:
        yield as_strings(np.concatenate(run, axis=1))


def _same(column: Numbers, kind: str, *, nullable: bool) -> Bytes:
    one = numbers_encoded(Numbers(column.values[:1]), kind, nullable=nullable)
    encoded = one.data if isinstance(one, Strings) else one
    return np.broadcast_to(encoded, (len(column.values), encoded.size))


def _texts(strings: Strings, *, nullable: bool) -> Iterator[Strings | Bytes]:
    present = strings.present
    if nullable and present is not None and not present.any():
        yield np.zeros((len(strings.lengths), 1), np.uint8)
        return
    yield _prefixes(strings, nullable=nullable)
    yield strings


def _prefixes(strings: Strings, *, nullable: bool) -> Strings | Bytes:
    """Give what stands before each string: its length, behind the branch where it may be null.

    There are few different lengths, so each is encoded once, if they are not that long.
    """
    lengths, present = strings.lengths, strings.present
    most = int(lengths.max(initial=0))
    if most < _SHORT and not (nullable and present is not None and not present.all()):
        return _short(lengths, nullable=nullable)
    if most > len(lengths) + _SHORT:
        return numbers_encoded(Numbers(lengths, present), "long", nullable=nullable)
    there = np.arange(most + 2) <= most
    if present is not None:
        lengths = np.where(present, lengths, most + 1)
    each = numbers_encoded(Numbers(np.arange(most + 2), there), "long", nullable=nullable)
    return as_strings(each).take(lengths)


def _short(lengths: Integers, *, nullable: bool) -> Bytes:
    block = np.empty((len(lengths), 1 + nullable), np.uint8)
    block[:, 0] = PRESENT
    block[:, -1] = lengths << 1
    return block
