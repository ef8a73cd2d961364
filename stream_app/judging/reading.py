"""What many raw readings of one table say, as arrays: values, local times, versions.

A column settles nearly all of them at once. What it leaves open (no time, text that is no number, a
version out of range) is read row by row, which gives the values or the reason of a dead letter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.errors import DataQuality
from schemas.codec import Record
from schemas.columnar import Column, Integers, Mask, Numbers, Strings, numbers, strings
from stream_app.judging.decoding import DeadLetter, Decoded
from stream_app.judging.heads import FIRST_OBSERVED
from stream_app.judging.table import Table
from stream_app.judging.values import number_of, said
from stream_app.judging.versions import MOST_RANK, MOST_VERSION, VERSION_BITS
from weather.arrays import Floats, Micros
from weather.time import parse_local


@dataclass(frozen=True, slots=True)
class Read:
    """Readings of one table and what they say; all arrays are as long as ``decoded``."""

    decoded: Decoded
    table: Table
    values: Mapping[str, Floats]
    local: Micros
    version: Integers

    def take(self, rows: Integers) -> Read:
        """Pick readings, in the order given."""
        values = {name: column[rows] for name, column in self.values.items()}
        decoded = self.decoded.take(rows)
        return Read(decoded, self.table, values, self.local[rows], self.version[rows])


def read(decoded: Decoded, table: Table, dead: list[DeadLetter]) -> Read:
    """Read what readings of one table say, and add to ``dead`` those that cannot be used."""
    columns, count = decoded.columns, len(decoded.records)
    unsettled = np.zeros(count, np.bool_)
    values: dict[str, NDArray[Any]] = {}
    for name, measure in table.measures.items():
        values[name], left, _ = _settled(
            columns, name, f"{name}_text", partial(number_of, measure=measure), np.nan
        )
        unsettled |= left
    local, left, timeless = _settled(columns, FIRST_OBSERVED, "observed_text", parse_local, 0)
    version, refused = _versions(decoded)
    unsettled |= left | timeless | refused
    made = Read(decoded, table, values, local, version)
    return _row_by_row(made, np.flatnonzero(unsettled), dead) if unsettled.any() else made


def _settled(
    columns: Mapping[str, Column],
    name: str,
    text_name: str,
    parse: Callable[[str], float | None],
    missing: float,
) -> tuple[NDArray[Any], Mask, Mask]:
    """Give a column's numbers, also those that came as text; which are no numbers; which missing.

    Each text is parsed once: sentinels and times come again and again.
    """
    column = columns[name]
    if not isinstance(column, Numbers):
        raise TypeError(name)
    none = np.zeros(len(column.values), np.bool_)
    if column.present is None:
        return column.values, none, none
    numbers = np.where(column.present, column.values, missing).astype(column.values.dtype)
    text = strings(columns, text_name)
    rows = np.flatnonzero(~column.present & (text.lengths > 0))
    if not len(rows):
        return numbers, none, ~column.present
    each = text.take(rows).bytes()
    known = {one: parse(one.decode()) for one in set(each)}
    parsed = [known[one] for one in each]
    wrong = np.fromiter((one is None for one in parsed), np.bool_, len(rows))
    numbers[rows] = [missing if one is None else one for one in parsed]
    bad, missed = none.copy(), ~column.present
    bad[rows], missed[rows] = wrong, False
    return numbers, bad, missed


def _versions(decoded: Decoded) -> tuple[Integers, Mask]:
    """Give the versions of the clean readings, and which are out of range."""
    ranks = decoded.alike.ranks[decoded.shared]
    given = numbers(decoded.columns, "source_version")
    refused = (given < -MOST_VERSION) | (given >= MOST_VERSION) | (np.abs(ranks) > MOST_RANK)
    return (np.where(refused, 0, ranks) << VERSION_BITS) + np.where(refused, 0, given), refused


def _row_by_row(made: Read, rows: Integers, dead: list[DeadLetter]) -> Read:
    """Settle what the columns have left open; those that cannot be used are left out."""
    made = made.take(np.arange(len(made.local)))  # columns may be shared
    kept = np.ones(len(made.local), np.bool_)
    for row in rows.tolist():
        try:
            found = said(_record(made.decoded, row), made.table.measures)
        except DataQuality as error:
            dead.append(DeadLetter(made.decoded.records.raw(row), error))
            kept[row] = False
        else:
            made.local[row], made.version[row] = found.local, found.version
            for column, value in zip(made.values.values(), found.values, strict=True):
                column[row] = value
    return made.take(np.flatnonzero(kept))


def _record(decoded: Decoded, row: int) -> Record:
    one = np.array([row])
    behind = {name: _item(column.take(one)) for name, column in decoded.columns.items()}
    return {**decoded.heads[decoded.head[row]].record, **behind}


def _item(column: Column) -> Any:
    if column.present is not None and not column.present[0]:
        return None
    return column.bytes()[0].decode() if isinstance(column, Strings) else column.values[0].item()
