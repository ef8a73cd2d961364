"""Values of cursors: positions as text and back, and the range that a mapping sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Integer, Numeric

from producers.connection.dialects import AnyType
from runtime.errors import Configuration
from schemas.cursors import Ranged

AsParameter = Callable[[str], Any]


def id_reader(kind: AnyType | None) -> Callable[[str], object]:
    """Tell how the text of an id becomes an id again; without a known type it is a whole number."""
    if kind is None or isinstance(kind, Integer):
        return int
    return Decimal if isinstance(kind, Numeric) else str


def beginning(
    how: Ranged, column: ColumnElement[Any], value: AsParameter
) -> Sequence[ColumnElement[bool]]:
    """Give the condition under which a row may be the first of all."""
    if how.initial_value is None:
        return ()
    least = value(how.initial_value)
    return (column >= least if how.range_start == "closed" else column > least,)


def ending(
    how: Ranged, column: ColumnElement[Any], value: AsParameter
) -> Sequence[ColumnElement[bool]]:
    """Give the condition under which a row is in the range that ends at ``end_value``."""
    if how.end_value is None:
        return ()
    most = value(how.end_value)
    return (column < most if how.range_end == "open" else column <= most,)


def bad_position(mode: str, position: str) -> Configuration:
    """Make the error of a position that another kind of cursor, or nobody, wrote."""
    problem = f"the stored position {position!r} is none of a {mode} cursor"
    return Configuration(
        problem, mend="give the source a new name, or mend its record for this table"
    )


def gone_back(counter: str, position: str, now: str) -> Configuration:
    """Make the error of a database whose counter stands before what was read of it already."""
    problem = f"the database's {counter} is {now}, but {position} was read already"
    mend = (
        "if a backup was restored, or the table emptied and its numbers begun anew, give the "
        "source a new name in its mapping, so that the table is read from its start"
    )
    return Configuration(problem, mend=mend)
