"""The columns of the reading tables, derived once from the Avro schemas.

A column has the name of its Avro field. Only ``op`` has none: a delete becomes ``deleted_at``, the
time at which it was processed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from schemas import avsc
from schemas.topics import clean_schema

KEY: Final = ("sensor_id", "observed_at")
VERSION: Final = ("source_version", "revision")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES: Final = frozenset({"sensor_id", "station_id"})
_SMALL: Final = frozenset({"source_rank"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column, as the table has it; ``named`` says that its text may not be empty."""

    name: str
    sql_type: str
    nullable: bool
    named: bool = False

    @property
    def is_time(self) -> bool:
        """Whether it holds a time."""
        return self.sql_type.startswith("timestamp")


@dataclass(frozen=True, slots=True)
class Table:
    """A reading table: ``name`` is its parameter, ``columns`` are those that are loaded."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that are loaded."""
        return tuple(column.name for column in self.columns)


def moment(micros: int) -> datetime:
    """Give a time that is counted in microseconds, as the database is told of it.

    >>> str(moment(1_500_000))
    '1970-01-01 00:00:01.500000+00:00'
    """
    return _EPOCH + timedelta(microseconds=micros)


@cache
def table(parameter: str) -> Table:
    """Derive the table of a parameter from the schema of its clean topic.

    >>> table("pressure").names[1], table("wind").names[-1]
    ('sensor_id', 'deleted_at')
    """
    fields = avsc.load(clean_schema(parameter))["fields"]
    loaded = [_column(field) for field in fields if field["name"] != "op"]
    deleted = Column("deleted_at", "timestamp with time zone", nullable=True)
    return Table(parameter, (*loaded, deleted))


def _column(field: dict[str, Any]) -> Column:
    name, kind = field["name"], field["type"]
    nullable = isinstance(kind, list)
    plain = kind[1] if isinstance(kind, list) else kind
    return Column(name, _sql_type(name, plain), nullable, named=name in _NAMES)


def _sql_type(name: str, kind: str | dict[str, str]) -> str:
    if isinstance(kind, dict):
        local = kind["logicalType"].startswith("local-")
        return f"timestamp {'without' if local else 'with'} time zone"
    if kind == "int" and (name.startswith("flag") or name in _SMALL):
        return "smallint"
    plain = {"int": "integer", "long": "bigint", "double": "double precision", "string": "text"}
    return plain[kind]
