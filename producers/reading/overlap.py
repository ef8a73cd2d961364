"""What was published of the last while, so that a second look publishes only what is new.

Now and then a table's last while is read again: a transaction may have lasted longer than the lag.
What was published of it is remembered as fingerprints, in chunks of one page; a chunk is written to
the topic of cursors in the very transaction that publishes its page, so that a restart remembers
exactly what readers were given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Self

_WIDTH: Final = 8
"""Bytes of a fingerprint: among a million rows, one new row in 10¹³ looks like a known one."""


def fingerprint(position: str, key: Sequence[Any]) -> bytes:
    """Tell one version of one row from all others.

    >>> fingerprint("2020-01-01|7", [7]) == fingerprint("2020-01-01|7", [7])
    True
    """
    text = "\x1f".join([position, *map(str, key)])
    return blake2b(text.encode(), digest_size=_WIDTH).digest()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Fingerprints of the rows of one page.

    Attributes:
        number: rises from page to page.
        since: all that was published of rows of this version or a later one is remembered.
        newest: highest version among its rows.
        prints: the fingerprints, one behind the other.
    """

    number: int
    since: int
    newest: int
    prints: bytes

    def as_bytes(self) -> bytes:
        """Write it; :meth:`of` reads it."""
        return b"".join(n.to_bytes(8, "big") for n in (self.since, self.newest)) + self.prints

    @classmethod
    def of(cls, number: int, data: bytes) -> Self:
        """Read what :meth:`as_bytes` wrote.

        >>> Chunk.of(3, Chunk(3, 1, 2, b"12345678").as_bytes())
        Chunk(number=3, since=1, newest=2, prints=b'12345678')
        """
        since, newest = (int.from_bytes(data[at : at + 8], "big") for at in (0, 8))
        return cls(number, since, newest, data[16:])

    def each(self) -> Iterable[bytes]:
        """Give the fingerprints one by one."""
        return (self.prints[at : at + _WIDTH] for at in range(0, len(self.prints), _WIDTH))


class Published:
    """Remembers the rows of one table that were published and are not older than ``back`` micros.

    What a page adds is *pending* until it is published: :meth:`settle` makes it count. ``since`` is
    the version from which on the memory is complete; below it nothing can be said to be new.
    """

    def __init__(self, back: int) -> None:
        self._back = back
        self._chunks: dict[int, Chunk] = {}
        self._known: set[bytes] = set()
        self.since = 0
        self.pending: Chunk | None = None
        self.outdated: tuple[int, ...] = ()

    def recall(self, chunks: Iterable[Chunk], read_to: int | None) -> None:
        """Begin with what was remembered; ``read_to`` is the version of the last row read.

        Where nothing is remembered, all rows up to that one may have been published.
        """
        self._chunks = {chunk.number: chunk for chunk in chunks}
        self._known = {each for chunk in self._chunks.values() for each in chunk.each()}
        marks = [chunk.since for chunk in self._chunks.values()]
        self.since = max(marks) if marks else (0 if read_to is None else read_to + 1)
        self.pending, self.outdated = None, ()

    def __contains__(self, each: bytes) -> bool:
        return each in self._known

    def note(self, rows: Iterable[tuple[int, bytes]], until: int) -> None:
        """Note the versions and fingerprints of a page that is to be published.

        ``until`` is the version at the bound, by which it is decided what is too old to matter.
        """
        noted = list(rows)
        since = max(self.since, until - self._back)
        self.pending, self.outdated = None, ()
        if noted:
            lately = [(version, each) for version, each in noted if version >= since]
            newest = max((version for version, _ in lately), default=since)
            prints = b"".join(each for _, each in lately)
            # A chunk without rows says since when there are none that are not remembered.
            self.pending = Chunk(max(self._chunks, default=0) + 1, since, newest, prints)
            self.outdated = tuple(
                number
                for number, chunk in self._chunks.items()
                if chunk.newest < since or not chunk.prints
            )

    def settle(self) -> None:
        """Take what is pending for published, and forget what is too old."""
        for number in self.outdated:
            self._known.difference_update(self._chunks.pop(number).each())
        if self.pending is not None:
            self._chunks[self.pending.number] = self.pending
            self._known.update(self.pending.each())
            self.since = self.pending.since
        self.pending, self.outdated = None, ()
