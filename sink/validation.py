"""Validation before the load: what would not fit the columns never reaches the database.

Nothing is changed, rounded or cut to make it fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from runtime.errors import DataQuality
from schemas.columnar import Bytes, Mask, Numbers, Strings, rows_by_length, strings
from schemas.columnar import Column as Values
from sink.columns import Column, Table

OPS: Final = (b"upsert", b"delete")

_YEARS_1_TO_9999: Final = (-62_135_596_800_000_000, 253_402_300_799_999_999)
RANGES: Final = {
    "timestamp with time zone": _YEARS_1_TO_9999,
    "timestamp without time zone": _YEARS_1_TO_9999,
    "smallint": (-(2**15), 2**15 - 1),
    "integer": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
_ASCII: Final = 0x7F
_CONTINUES: Final = 0b1000_0000, 0b1011_1111
"""Least and greatest byte that goes on with a character of UTF-8 and begins none (RFC 3629)."""


def faults(table: Table, columns: Mapping[str, Values]) -> dict[int, DataQuality]:
    """Say which rows do not fit the table, and why."""
    found: dict[int, DataQuality] = {}
    for name, values, bad in _judged(table, columns):
        for row in [] if bad is None else np.flatnonzero(bad).tolist():
            problem = f"column {name} cannot hold {_shown(values, row)}"
            found[row] = DataQuality(problem, reason="does_not_fit_column")
    return found


def equal(values: Strings, word: bytes) -> Mask:
    """Say which strings are a certain word."""
    same: Mask = values.lengths == len(word)
    rows = slice(None) if same.all() else np.flatnonzero(same)
    same[rows] = (values.of_length(len(word), rows) == np.frombuffer(word, np.uint8)).all(axis=1)
    return same


def _judged(
    table: Table, columns: Mapping[str, Values]
) -> Iterator[tuple[str, Values, Mask | None]]:
    for column in table.columns:
        if column.name in columns:  # ``deleted_at`` is made of others
            values = columns[column.name]
            yield column.name, values, _bad(column, values)
    op, parameter = strings(columns, "op"), strings(columns, "parameter")
    yield "op", op, ~(equal(op, OPS[0]) | equal(op, OPS[1]))
    yield "parameter", parameter, ~equal(parameter, table.name.encode())


def _bad(column: Column, values: Values) -> Mask | None:
    """Say which do not fit; None: all do."""
    if isinstance(values, Strings):
        bad = _bad_text(values)
        return bad | (values.lengths == 0) if column.named else bad
    numbers = _bad_numbers(column, values.values)
    return numbers if numbers is None or values.present is None else numbers & values.present


def _bad_numbers(column: Column, values: NDArray[Any]) -> Mask | None:
    if column.sql_type == "double precision":
        finite: Mask = np.isfinite(values)
        return None if finite.all() else ~finite
    least, most = RANGES[column.sql_type]
    if values.min(initial=0) >= least and values.max(initial=0) <= most:
        return None
    bad: Mask = (values < least) | (values > most)
    return bad


def _bad_text(values: Strings) -> Mask:
    """PostgreSQL's text is UTF-8 without the character of number 0."""
    bad = np.zeros(len(values.lengths), np.bool_)
    for length, rows in rows_by_length(values.lengths):
        text = values.of_length(length, rows)
        if text.min() == 0 or (text.max() > _ASCII and not _are_utf8(text)):
            bad[rows] = [not _is_text(each.data) for each in text]
    return bad


def _are_utf8(text: Bytes) -> bool:
    """Judge all at once: sound as a whole, and no string begins within a character."""
    least, most = _CONTINUES
    return _is_text(text.data) and not ((text[:, 0] >= least) & (text[:, 0] <= most)).any()


def _is_text(found: bytes | memoryview) -> bool:
    try:
        return "\0" not in str(found, "utf-8")
    except UnicodeDecodeError:
        return False


def _shown(values: Values, row: int) -> str:
    one = values.take(np.array([row]))
    return f"{one.values[0].item() if isinstance(one, Numbers) else one.bytes()[0]!r:.80}"
