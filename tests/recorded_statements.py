"""Every statement that any engine of this process sends, while somebody listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Engine, event


class Sent(NamedTuple):
    """A statement as the driver got it, with its parameters."""

    sql: str
    parameters: Any


@contextmanager
def recorded() -> Iterator[list[Sent]]:
    """Listen; the list grows while statements are sent."""
    found: list[Sent] = []

    def note(_connection: Any, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        found.append(Sent(sql, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)
