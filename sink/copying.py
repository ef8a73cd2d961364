"""Sending the lines of a binary COPY: its head, its end, and in pieces of which size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from psycopg.copy import LibpqWriter

from schemas.columnar import Bytes

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_AT_ONCE: Final = 1024 * 1024

Piece = bytes | bytearray | memoryview


def binary(parts: Iterable[Bytes]) -> list[Piece]:
    """Make one complete COPY of parts, each of whole lines, in this order."""
    return [_HEADER, *(part.data for part in parts), _TRAILER]


class LargePieces(LibpqWriter):
    """Sends what it is given in few pieces: for each of them, this thread waits for others.

    psycopg's own writer cuts it into 128 KiB, so that libpq never has to hold more than that.
    """

    def write(self, data: Piece) -> None:
        """Send it."""
        for at in range(0, len(data), _AT_ONCE):
            self._put(data[at : at + _AT_ONCE])
