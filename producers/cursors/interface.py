"""What every cursor can do, and what it says of a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Select

Columns = Sequence[ColumnElement[Any]]


class Mark(NamedTuple):
    """What a row says: where it lets the cursor stand, its version, and what befell it."""

    position: str
    version: int
    op: str


class Doubt(NamedTuple):
    """Rows that this kind of cursor would read late or never, and what to do about them."""

    rows: ColumnElement[bool]
    problem: str
    mend: str


class Cursor(Protocol):
    """How increments of one table are found."""

    @property
    def mode(self) -> str:
        """Name of this kind of cursor."""

    @property
    def columns(self) -> Columns:
        """What it needs of every row; it is selected behind the columns of the readings."""

    @property
    def lag_seconds(self) -> float:
        """Seconds that its bound is left behind of itself."""

    @property
    def isolation(self) -> str | None:
        """Isolation level under which bound and page belong together; None: each for itself."""

    def bound(self, held: float = 0.0) -> Select[Any]:
        """Ask the database up to where it is safe to read by now: one row for :meth:`until`.

        ``held`` seconds are to be left besides the cursor's own lag: the age of a transaction that
        is still open, or how far a replica is behind.
        """

    def until(self, row: Sequence[Any], after: str, held: float) -> str | None:
        """Read the answer to :meth:`bound`; None: nothing is safe to read yet.

        Raises:
            Configuration: the database is not any more as it was when the cursor stood at
                ``after``, so that increments would be lost.
        """

    def page(self, columns: Columns, after: str | None, until: str, rows: int) -> Select[Any]:
        """Select the next ``rows`` rows behind ``after`` (None: the first) and before ``until``.

        Raises:
            Configuration: ``after`` is not a position of such a cursor.
        """

    def mark(self, tail: Sequence[Any]) -> Mark:
        """Read the cursor's own columns of a row.

        Raises:
            DataQuality: they do not hold what such a cursor lives on.
        """

    def settled(self, position: str, until: str) -> str:
        """Say where it stands once everything before ``until`` is read."""

    def behind(self, position: str, until: str) -> float | None:
        """Say by how many seconds a position lies before a bound; None: its marks are no times."""

    def doubts(self) -> Sequence[Doubt]:
        """Name the rows that an operator should hear of at start."""
