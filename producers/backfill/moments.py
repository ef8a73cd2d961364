"""The column of the observation time in statements: its bounds as parameters, its rows in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, Date, DateTime, FromClause, Integer, select
from sqlalchemy.dialects import mssql

from producers.backfill.text_times import form_of, local_time
from producers.connection.dialects import AnyType, Dialect, dialect_of
from producers.reading.tables import Types
from producers.reading.times import observed
from runtime.errors import Configuration
from schemas.mapping import AnyTable
from weather.time import LocalTime, to_utc
from weather.zones import zone_of

_SAMPLES: Final = 200
_PER_SECOND: Final = {"s": 1_000_000, "ms": 1000, "us": 1}
_DAY: Final = 86_400_000_000
Written = Callable[[int], Any]


class Moments:
    """What rows of a table are found by: the observation time, or its date where that is apart.

    Attributes:
        column: the column.
        by_day: it has the date alone, so that only whole days can be asked for.
    """

    def __init__(
        self,
        column: ColumnElement[Any],
        kind: AnyType | None,
        dialect: Dialect,
        write: Written,
        *,
        as_time: bool,
        by_day: bool,
        unit: int = 0,
    ) -> None:
        self.column = column
        self._unit = unit
        self.by_day = by_day
        self._kind = kind
        self._dialect = dialect
        self._write = write
        self._as_time = as_time

    def exact_of(self, value: ColumnElement[Any]) -> ColumnElement[Any]:
        """Give a value of the column as it is selected, so that :meth:`stored` takes it again."""
        return self._dialect.exact(value) if self._as_time else value

    def between(self, start: int, end: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        """Give the conditions for local microseconds from ``start``, and before ``end``."""
        least, most = self.stored(self._write(start)), self.stored(self._write(end))
        return self.column >= least, self.column < most

    def local(self, value: object, otherwise: int) -> int:
        """Read a selected value as local microseconds, as far as a plan needs it."""
        if isinstance(value, int) and self._unit:
            return value * self._unit
        text = str(value).strip()
        found, _ = observed(f"{text} 00:00" if self.by_day else text)
        return otherwise if found is None else found

    def stored(self, value: Any) -> Any:
        """Give a value that was selected by :meth:`exact_of` as a parameter."""
        if self._as_time:
            return self._dialect.moment(value, self._kind)
        return self._dialect.value(value, self._kind)


def moments_of(
    connection: Connection, mapped: AnyTable, source: FromClause, types: Types
) -> Moments:
    """Find out how a table's rows can be asked for by observation time.

    Raises:
        Configuration: they cannot.
    """
    how, dialect = mapped.time, dialect_of(connection.dialect.name)
    name = how.column or how.date
    if not isinstance(name, str) or how.format:
        problem = f"rows of {mapped.table} cannot be searched by the time of their observation"
        mend = "map a view that has it, or at least its date, in one column, year first"
        raise Configuration(problem, mend=mend)
    column, kind = source.c[name], types.get(name)
    is_time = _is_time(kind) and connection.dialect.name != "sqlite"
    write = _writer(connection, mapped, column, kind, is_time=is_time)
    by_day = how.column is None
    unit = _PER_SECOND[how.epoch] if how.epoch else 0
    return Moments(column, kind, dialect, write, as_time=is_time, by_day=by_day, unit=unit)


def _writer(
    connection: Connection,
    mapped: AnyTable,
    column: ColumnElement[Any],
    kind: AnyType | None,
    *,
    is_time: bool,
) -> Written:
    """Tell how a local time is written as a value of the column."""
    zone, epoch = mapped.time.zone, mapped.time.epoch
    if epoch:
        return lambda local: local // _PER_SECOND[epoch]
    if is_time:
        return (
            _aware_writer(zone)
            if _is_aware(kind)
            else lambda local: local_time(local).isoformat(timespec="seconds")
        )
    samples: Sequence[Any] = connection.scalars(
        select(column).where(column.is_not(None)).limit(_SAMPLES)
    ).all()
    form = form_of(f"{mapped.table}.{column.name}", map(str, samples))
    if isinstance(kind, Integer):
        return lambda local: int(form.write(local))
    return form.write


def _aware_writer(zone: str) -> Written:
    """Write local times as UTC, so that later ones are never earlier.

    Of a time that came twice it is the first; of one that never came, because the clocks went
    forward over it, the moment at which they did.
    """
    starts = zone_of(zone).starts

    def write(local: int) -> str:
        utc, status = to_utc(np.array([local], dtype=np.int64), zone)
        if status[0] == LocalTime.MISSING:
            change = starts[np.searchsorted(starts, local, side="right") - 1]
            utc, _ = to_utc(np.array([change], dtype=np.int64), zone)
        return local_time(int(utc[0])).isoformat(timespec="seconds") + "+00:00"

    return write


def whole_days(start: int, end: int) -> tuple[int, int]:
    """Widen a stretch of local time to days."""
    return start // _DAY * _DAY, -(-end // _DAY) * _DAY


def _is_time(kind: AnyType | None) -> bool:
    return isinstance(kind, DateTime | Date)


def _is_aware(kind: AnyType | None) -> bool:
    return isinstance(kind, mssql.DATETIMEOFFSET) or bool(getattr(kind, "timezone", False))
