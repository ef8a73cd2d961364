"""Cursors: how increments of a table are found. Pure: they give SQL and binds, and take rows.

A cursor reads the table in keyset pages, from where it stands up to a *bound* that is asked of
the database before the read: beyond it, a transaction that is still open may yet put a row with an
older mark. Where it stands is a text, exactly as the database wrote it, and is stored with what was
read. A new kind of cursor is a class with the shape of :class:`Cursor`, a part of
``schemas/cursors.py``, and a line in ``producers/cursors/choice.py``.
"""

from producers.cursors.change_tracking import ChangeTrackingCursor
from producers.cursors.interface import Columns, Cursor, Doubt, Mark
from producers.cursors.numbers import IdCursor, RowversionCursor
from producers.cursors.timestamps import TimestampCursor, TimestampIdCursor

__all__ = [
    "ChangeTrackingCursor", "Columns", "Cursor", "Doubt", "IdCursor", "Mark", "RowversionCursor",
    "TimestampCursor", "TimestampIdCursor",
]  # fmt: skip
