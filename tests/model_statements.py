"""Interprets the statements of cursors: what they select of a model's rows, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import BindParameter, Cast, ColumnClause, Label, Select
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BooleanClauseList,
    ExpressionClauseList,
    Grouping,
)
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import Join, TableValuedAlias

Rows = list[tuple[Any, ...]]
Environment = dict[str, dict[str, Any]]
_NOTHING: Final = {"SYS_CHANGE_VERSION": None}


def answer(database: Any, statement: Select[Any]) -> Rows:
    """Give the rows that a statement selects."""
    found = [
        env
        for env in _sources(database, statement)
        if statement.whereclause is None or value(database, statement.whereclause, env)
    ]
    chosen = list(statement.inner_columns)
    highest = _aggregated(chosen[0])
    if highest is not None:
        ids = [value(database, highest, env) for env in found]
        return [(max(ids, default=None),)]
    order = list(statement._order_by_clauses)
    found.sort(key=lambda env: [value(database, by, env) for by in order])
    found = _limited(database, statement, found, order)
    return [tuple(value(database, column, env) for column in chosen) for env in found]


def value(database: Any, what: Any, env: Environment) -> Any:
    """Compute an expression; comparing with NULL gives nothing, as in SQL."""
    for kind, compute in _KINDS.items():
        if isinstance(what, kind):
            return compute(database, what, env)
    raise NotImplementedError(type(what))


def _sources(database: Any, statement: Select[Any]) -> list[Environment]:
    froms = statement.get_final_froms()
    if not froms:
        return [{}]
    (source,) = froms
    if not isinstance(source, Join):
        return [{"aos": row} for row in database.rows.values()]
    changes = source.left
    assert isinstance(changes, TableValuedAlias)
    since = list(changes.element.clauses)[1].value
    empty = dict.fromkeys(next(iter(database.rows.values()), {"id": None}))
    return [
        {
            "ct": {"SYS_CHANGE_VERSION": version, "SYS_CHANGE_OPERATION": op, "id": row_id},
            "aos": database.rows.get(row_id, empty),
        }
        for row_id, (version, op) in database.changes.items()
        if version > since
    ]


def _limited(
    database: Any, statement: Select[Any], found: list[Environment], order: list[Any]
) -> list[Environment]:
    if statement._limit_clause is not None:
        return found[: statement._limit_clause.value]
    if statement._fetch_clause is None or len(found) <= statement._fetch_clause.value:
        return found
    assert statement._fetch_clause_options["with_ties"]
    most = statement._fetch_clause.value
    last = [value(database, by, found[most - 1]) for by in order]
    ties = [env for env in found[most:] if [value(database, by, env) for by in order] == last]
    return found[:most] + ties


def _aggregated(column: Any) -> Any:
    inner = column.element if isinstance(column, Label) else column
    is_max = isinstance(inner, FunctionElement) and inner.name == "max"
    return next(iter(inner.clauses)) if is_max else None


def _column(_database: Any, what: Any, env: Environment) -> Any:
    if what.is_literal:
        return what.name.removeprefix("N").strip("'")
    return env[what.table.name].get(what.name)


def _function(database: Any, what: Any, env: Environment) -> Any:
    parts = list(what.clauses)
    if what.name == "convert":
        return value(database, parts[1], env)
    if what.name == "dateadd":
        return _at(database.now + int(value(database, parts[1], env)) / 1000)
    return {
        "min_active_rowversion": database.lowest_active,
        "change_tracking_current_version": lambda: database.version,
        "change_tracking_min_valid_version": lambda: 0,
    }[what.name]()


def _at(seconds: float) -> str:
    from tests.model_database import text  # noqa: PLC0415 - the two files are one idea

    return text(seconds)


def _compared(database: Any, what: Any, env: Environment) -> Any:
    left, right = value(database, what.left, env), value(database, what.right, env)
    if left is None or right is None:
        return False
    if what.operator is operators.eq:
        return left == right
    return what.operator(left, right)


def _several(database: Any, what: Any, env: Environment) -> bool:
    each = (value(database, part, env) for part in what.clauses)
    return all(each) if what.operator is operators.and_ else any(each)


_KINDS: Final[dict[type, Callable[[Any, Any, Environment], Any]]] = {
    BindParameter: lambda _database, what, _env: what.value,
    Label: lambda database, what, env: value(database, what.element, env),
    Grouping: lambda database, what, env: value(database, what.element, env),
    Cast: lambda database, what, env: value(database, what.clause, env),
    BinaryExpression: _compared,
    BooleanClauseList: _several,
    ExpressionClauseList: _several,
    FunctionElement: _function,
    ColumnClause: _column,
}
