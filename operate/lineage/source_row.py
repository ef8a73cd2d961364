"""The row of the source that a reading was made of, looked up by its key as it stands today."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, FromClause, select
from sqlalchemy.types import Date, DateTime, Time

from producers.backfill.connection import open_quiet, quietly
from producers.connection.dialects import AnyType, dialect_of
from producers.cursors.values import id_reader
from producers.reading.rows import columns_of
from producers.reading.tables import Types, check_mapping, mapped_table
from producers.settings import SourceSettings
from runtime.errors import Configuration
from schemas.mapping import AnyTable, Mapping, read_mapping

_TIMES: Final = (DateTime, Date, Time)


def source_row(settings: SourceSettings, table: str, key: str) -> dict[str, Any] | None:
    """Give the mapped columns of a row, None where it is not there any more.

    Raises:
        Configuration: the mapping does not name the table, or the database has no such.
        Transient: the database does not answer.
    """
    mapping = read_mapping(settings.mapping)
    mapped = next((each for each in mapping.tables if each.table == table), None)
    if mapped is None:
        problem = f"the mapping of {mapping.source} does not name the table {table} any more"
        raise Configuration(problem, mend="look the row up by hand")
    database = open_quiet(settings)
    try:
        database.settle(lambda: None)
        look = partial(_looked_up, mapping=mapping, mapped=mapped, key=key)
        return quietly(database).ask(f"looking at a row of {table}", look)
    finally:
        database.dispose()


def _looked_up(
    connection: Connection, mapping: Mapping, mapped: AnyTable, key: str
) -> dict[str, Any] | None:
    alone = mapping.model_copy(update={"tables": (mapped,), "metadata": None})
    types = check_mapping(connection, mapping=alone)[mapped.table]
    source = mapped_table(mapped)
    names = list(dict.fromkeys([*columns_of(mapped), *mapped.cursor.columns]))
    where = _is(source, mapped, types, key, connection.dialect.name)
    row = connection.execute(select(*(source.c[name] for name in names)).where(*where)).first()
    return None if row is None else dict(zip(names, row, strict=True))


def _is(
    source: FromClause, mapped: AnyTable, types: Types, key: str, dialect: str
) -> list[ColumnElement[bool]]:
    """Give the condition for a row to have this key, every part in its column's own type."""
    texts = key.split("|")
    if len(texts) != len(mapped.key):
        problem = f"{key} is no key of {mapped.table}, whose key is {', '.join(mapped.key)}"
        raise Configuration(problem, mend="look the row up by hand")
    return [
        source.c[name] == _value(text, types.get(name), dialect)
        for name, text in zip(mapped.key, texts, strict=True)
    ]


def _value(text: str, kind: AnyType | None, name: str) -> Any:
    dialect = dialect_of(name)
    if isinstance(kind, _TIMES):
        return dialect.moment(text, kind)
    return dialect.value(text if kind is None else id_reader(kind)(text), kind)
