"""What the database's catalogue says of a source: tables, columns, keys, and how many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Dialect, types
from sqlalchemy.dialects import mssql

_VERSION_TYPES: Final = (mssql.TIMESTAMP, mssql.ROWVERSION)
# In this order: a datetime2 is a DateTime, and every later kind is tried only after it.
_KINDS: Final[tuple[tuple[type[Any] | tuple[type[Any], ...], str], ...]] = (
    (_VERSION_TYPES, "version"),
    (types.Boolean, "flag"),
    ((types.Integer, types.Numeric, types.Float), "number"),
    (types.DateTime, "time"),
    (types.Date, "date"),
    (types.Time, "clock"),
    (types.Uuid, "text"),
    (types.String, "text"),
)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type as the database writes it, and what kind of value that is.

    ``kind`` is number, text, time, date, clock, flag, version, any (SQLite, untyped) or other.
    """

    name: str
    type: str
    kind: str
    nullable: bool = True
    default: str | None = None
    comment: str | None = None
    has_zone: bool = False


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns that name a row of another table."""

    columns: tuple[str, ...]
    table: str
    schema: str | None
    referred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """An index, or a unique constraint."""

    name: str
    columns: tuple[str, ...]
    unique: bool = False


@dataclass(frozen=True, slots=True)
class RowCount:
    """How many rows there are; ``how`` says by what: counted, at least, or an estimate."""

    rows: int
    how: str

    @property
    def exact(self) -> bool:
        """Whether they were counted, all of them."""
        return self.how == "counted"


@dataclass(slots=True)
class Table:
    """A table or view; ``unseen`` says which of its properties could not be read, and why."""

    name: str
    schema: str | None = None
    is_view: bool = False
    comment: str | None = None
    columns: list[Column] = field(default_factory=list)
    primary_key: tuple[str, ...] = ()
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    uniques: list[Index] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    count: RowCount | None = None
    unseen: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """Name with its schema, where it has one that has to be said."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def column(self, name: str) -> Column | None:
        """Find a column."""
        return next((column for column in self.columns if column.name == name), None)

    def is_unique(self, *names: str) -> bool:
        """Say whether the catalogue promises that no two rows share these columns."""
        keys = [self.primary_key, *(index.columns for index in self.uniques)]
        keys += [index.columns for index in self.indexes if index.unique]
        return any(key and set(key) <= set(names) for key in keys)

    def leads_an_index(self, *names: str) -> bool:
        """Say whether rows can be sought in the order of these columns."""
        keys = [self.primary_key, *(i.columns for i in [*self.indexes, *self.uniques])]
        return any(key[: len(names)] == names for key in keys)


@dataclass(slots=True)
class Catalogue:
    """All that was seen of a database; ``unseen`` says what was not."""

    dialect: str
    tables: list[Table] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def table(self, name: str, schema: str | None = None) -> Table | None:
        """Find a table."""
        found = [t for t in self.tables if t.name == name]
        return next((t for t in found if t.schema == schema), found[0] if found else None)


class Reader:
    """Reads the catalogue through SQLAlchemy's inspector; what is refused is noted, and passed."""

    def __init__(
        self, inspector: Any, dialect: Dialect, failures: tuple[type[Exception], ...]
    ) -> None:
        self._inspector = inspector
        self._dialect = dialect
        self._failures = failures

    def names(self, schemas: Sequence[str | None], unseen: list[str]) -> Iterator[Table]:
        """Give every table and view, still empty."""
        for schema in schemas:
            place = f" of schema {schema}" if schema else ""
            for what, is_view in (("table", False), ("view", True)):
                ask = getattr(self._inspector, f"get_{what}_names")
                with self._noting(f"{what}s{place}", unseen):
                    for name in sorted(ask(schema)):
                        yield Table(name, schema, is_view)

    def fill(self, table: Table) -> None:
        """Read what there is to know of a table but its rows."""
        at = (table.name, table.schema)
        ask, unseen = self._inspector, table.unseen
        with self._noting("its columns", unseen):
            table.columns = [self._column(found) for found in ask.get_columns(*at)]
        with self._noting("its comment", unseen):
            table.comment = ask.get_table_comment(*at).get("text")
        with self._noting("its indexes", unseen):
            table.indexes = [_index(found) for found in ask.get_indexes(*at)]
        if table.is_view:
            return
        with self._noting("its primary key", unseen):
            table.primary_key = tuple(ask.get_pk_constraint(*at).get("constrained_columns") or ())
        with self._noting("its foreign keys", unseen):
            table.foreign_keys = [_foreign(found) for found in ask.get_foreign_keys(*at)]
        with self._noting("its unique constraints", unseen):
            table.uniques = [_unique(found) for found in ask.get_unique_constraints(*at)]
        with self._noting("its check constraints", unseen):
            table.checks = [str(found["sqltext"]) for found in ask.get_check_constraints(*at)]

    def _column(self, found: Any) -> Column:
        kind = found["type"]
        default = found.get("default")
        return Column(
            name=found["name"],
            type=_written(kind, self._dialect),
            kind=_kind(kind, self._dialect.name),
            nullable=bool(found.get("nullable", True)),
            default=None if default is None else str(default),
            comment=found.get("comment"),
            has_zone=bool(getattr(kind, "timezone", False))
            or isinstance(kind, mssql.DATETIMEOFFSET),
        )

    @contextmanager
    def _noting(self, what: str, unseen: list[str]) -> Iterator[None]:
        try:
            yield
        except NotImplementedError:
            pass  # this kind of database has no such thing
        except self._failures as error:
            if getattr(error, "connection_invalidated", False):
                raise  # another endpoint may tell
            unseen.append(f"{what}: {first_line(error)}")


def first_line(error: BaseException) -> str:
    """Say in one line why something failed."""
    told = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    return told.splitlines()[0][:200]


def _kind(kind: Any, dialect: str) -> str:
    if isinstance(kind, types.NullType):
        return "any" if dialect == "sqlite" else "other"
    if isinstance(kind, types.LargeBinary | types.ARRAY | types.JSON):
        return "other"
    return next((name for of, name in _KINDS if isinstance(kind, of)), "other")


def _written(kind: Any, dialect: Dialect) -> str:
    ask: Callable[..., str] = kind.compile
    try:
        return ask(dialect=dialect)
    except Exception:  # noqa: BLE001 - types of other people's making; their name will do
        return type(kind).__name__


def _index(found: Any) -> Index:
    columns = tuple(str(name) for name in found.get("column_names") or () if name)
    return Index(str(found.get("name") or ""), columns, bool(found.get("unique")))


def _unique(found: Any) -> Index:
    return Index(str(found.get("name") or ""), tuple(found.get("column_names") or ()), unique=True)


def _foreign(found: Any) -> ForeignKey:
    return ForeignKey(
        columns=tuple(found["constrained_columns"]),
        table=found["referred_table"],
        schema=found.get("referred_schema"),
        referred=tuple(found.get("referred_columns") or ()),
    )
