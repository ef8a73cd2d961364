"""The columns of the reading tables, derived once from the Avro schemas.

A column has the name of its Avro field. Only ``op`` has none: a delete becomes ``deleted_at``, the
time at which it was processed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from schemas import avsc
from schemas.topics import clean_schema

Check = Callable[[Sequence[Any]], bool]

KEY: Final = ("sensor_id", "observed_at")
VERSION: Final = ("source_version", "revision")

_NAMES: Final = frozenset({"sensor_id", "station_id"})
_SMALL: Final = frozenset({"source_rank"})
_YEAR_1: Final = -62_135_596_800_000_000
_YEAR_10000: Final = 253_402_300_800_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``wire`` names the binary form in which it is sent, ``fits`` judges many values.

    ``fits`` gets values that are not null. Times are sent as whole numbers, which is what a binary
    timestamp of PostgreSQL is.
    """

    name: str
    sql_type: str
    wire: str
    nullable: bool
    fits: Check


@dataclass(frozen=True, slots=True)
class Table:
    """A reading table: ``columns`` are loaded, ``fields`` are the Avro fields they come from."""

    name: str
    fields: tuple[str, ...]
    columns: tuple[Column, ...]

    def position(self, column: str) -> int:
        """Say at which place of a row a column stands."""
        return [c.name for c in self.columns].index(column)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that are loaded."""
        return tuple(column.name for column in self.columns)


@cache
def table(parameter: str) -> Table:
    """Derive the table of a parameter from the schema of its clean topic.

    >>> table("pressure").columns[1].name, table("wind").columns[-1].name
    ('sensor_id', 'deleted_at')
    """
    fields = avsc.load(clean_schema(parameter))["fields"]
    loaded = [_column(field, parameter) for field in fields if field["name"] != "op"]
    deleted = Column("deleted_at", "timestamp with time zone", "int8", nullable=True, fits=_is_time)
    return Table(parameter, tuple(field["name"] for field in fields), (*loaded, deleted))


def _column(field: dict[str, Any], parameter: str) -> Column:
    name, kind = field["name"], field["type"]
    nullable = isinstance(kind, list)
    plain = next(k for k in kind if k != "null") if nullable else kind
    sql_type, wire, fits = _form(name, plain)
    if name == "parameter":
        fits = frozenset({parameter}).issuperset
    return Column(name, sql_type, wire, nullable, fits)


def _form(name: str, kind: str | dict[str, str]) -> tuple[str, str, Check]:
    if isinstance(kind, dict):
        local = kind["logicalType"].startswith("local-")
        return f"timestamp {'without' if local else 'with'} time zone", "int8", _is_time
    if kind == "int" and (name.startswith("flag") or name in _SMALL):
        return "smallint", "int2", _within(16)
    forms: dict[str, tuple[str, str, Check]] = {
        "int": ("integer", "int4", _within(32)),
        "long": ("bigint", "int8", _within(64)),
        "double": ("double precision", "float8", _is_finite),
        "string": ("text", "text", _is_name if name in _NAMES else _is_text),
    }
    return forms[kind]


def _within(bits: int) -> Check:
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return lambda values: not values or (least <= min(values) and max(values) <= most)


def _is_time(values: Sequence[int]) -> bool:
    """Years 1 to 9999: what PostgreSQL, Python and every client can hold."""
    return not values or (min(values) >= _YEAR_1 and max(values) < _YEAR_10000)


def _is_finite(values: Sequence[float]) -> bool:
    return all(map(math.isfinite, values))


def _is_text(values: Sequence[str]) -> bool:
    """PostgreSQL's text holds every character but the one of number 0."""
    return "\0" not in "".join(values)


def _is_name(values: Sequence[str]) -> bool:
    return "" not in values and _is_text(values)
