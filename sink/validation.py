"""Validation before the load: what would not fit the columns never reaches the database.

Whole columns are judged at once; only where one does not fit is it judged value by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from runtime.errors import DataQuality
from schemas.codec import Record
from sink.columns import Column, Table

Row = tuple[Any, ...]
"""The values of one row, in the order of the table's columns, ready for the wire."""

_EPOCH_OF_POSTGRES: Final = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL starts to count ("Date/Time Types")."""
_OPS: Final = frozenset({"upsert", "delete"})


def rows_of(table: Table, records: Sequence[Record]) -> list[Row | DataQuality]:
    """Turn clean records into rows; in the place of one that does not fit stands what is wrong.

    Times count from 2000, as they are sent. Nothing is changed, rounded or cut to make it fit.
    """
    if not records:
        return []
    fields = dict(
        zip(table.fields, zip(*map(itemgetter(*table.fields), records), strict=True), strict=True)
    )
    faults = _faults_of_op(fields["op"])
    columns: list[Sequence[Any]] = [fields[c.name] for c in table.columns[:-1]]
    columns.append(_deleted_at(fields["op"], fields["processed_at"]))
    for column, values in zip(table.columns, columns, strict=True):
        faults |= _faults(column, values)
    sent = [_sent(c, v, faults) for c, v in zip(table.columns, columns, strict=True)]
    return [faults.get(i) or row for i, row in enumerate(zip(*sent, strict=True))]


def _deleted_at(ops: Sequence[str], processed_at: Sequence[int]) -> Sequence[int | None]:
    return [when if op == "delete" else None for op, when in zip(ops, processed_at, strict=True)]


def _faults_of_op(ops: Sequence[str]) -> dict[int, DataQuality]:
    if _OPS.issuperset(ops):
        return {}
    return {i: _fault("op", op) for i, op in enumerate(ops) if op not in _OPS}


def _faults(column: Column, values: Sequence[Any]) -> dict[int, DataQuality]:
    present = [v for v in values if v is not None]
    complete = column.nullable or len(present) == len(values)
    if complete and column.fits(present):
        return {}
    return {i: _fault(column.name, v) for i, v in enumerate(values) if not _fits(column, v)}


def _fits(column: Column, value: object) -> bool:
    return column.nullable if value is None else column.fits([value])


def _fault(name: str, value: object) -> DataQuality:
    problem = f"column {name} cannot hold {value!r:.80}"
    return DataQuality(problem, reason="does_not_fit_column")


def _sent(column: Column, values: Sequence[Any], faults: dict[int, DataQuality]) -> Sequence[Any]:
    if not column.sql_type.startswith("timestamp"):
        return values
    if column.nullable:
        return [v if v is None else v - _EPOCH_OF_POSTGRES for v in values]
    if faults:
        return [v if i in faults else v - _EPOCH_OF_POSTGRES for i, v in enumerate(values)]
    return [v - _EPOCH_OF_POSTGRES for v in values]
