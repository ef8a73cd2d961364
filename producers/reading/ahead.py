"""Reading ahead: while one page is published, the next is read and encoded already.

All work on a page is done by the thread that reads it; the one that publishes hands bytes to
librdkafka and waits. Two threads that both work in Python pass the interpreter's lock to and fro
with every row, and that costs more than doing both at once saves (docs/decisions/0010).

What was read ahead is used only if the page before it was published; else it is read again, from
where the source then stands.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from typing import Protocol

from producers.reading.feed import Page


class Feed(Protocol):
    """What is read ahead of."""

    def next_page(self, after: str) -> Page:
        """Read the next page behind a position."""


class ReadAhead:
    """The pages of one feed, each read while the one before is committed.

    A feed that takes second looks is not read ahead of: what it remembers is settled by publishing.
    ``prepare`` is called with each page, in the thread that read it.
    """

    def __init__(
        self,
        feed: Feed,
        pool: Executor | None,
        prepare: Callable[[Page], object] = lambda _page: None,
    ) -> None:
        self._feed = feed
        self._pool = pool
        self._prepare = prepare
        self._last: Page | None = None
        self._next: tuple[str, Future[Page]] | None = None

    def next_page(self, after: str) -> Page:
        """Give the next page behind a position.

        Raises:
            AosError: as the feed does.
        """
        self._last = self._taken(after) or self._read(after)
        return self._last

    def begin(self) -> None:
        """Begin to read behind the last page, whose bytes are made by now."""
        page = self._last
        if self._pool and page and page.rows and not page.drained and not page.waiting:
            self._next = page.position, self._pool.submit(self._read, page.position)

    def _read(self, after: str) -> Page:
        page = self._feed.next_page(after)
        self._prepare(page)
        return page

    def _taken(self, after: str) -> Page | None:
        if self._next is None:
            return None
        (position, reading), self._next = self._next, None
        wait([reading])  # a feed reads one page at a time
        return reading.result() if position == after else None
