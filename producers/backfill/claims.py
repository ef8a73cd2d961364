"""Which chunk is whose: each is handed out once, the tables in turn."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from typing import Final

from producers.backfill.plan import Chunk

_HOPELESS_AFTER: Final = 3


class Claims:
    """Hands out chunks; a table of which several failed one after the other is left alone.

    >>> a, b = Chunk("a", 0, None), Chunk("b", 0, None)
    >>> claims = Claims([[a], [b]])
    >>> claims.take() == a, claims.take() == b, claims.take()
    (True, True, None)
    """

    def __init__(self, tables: Iterable[Sequence[Chunk]]) -> None:
        in_turn = chain.from_iterable(zip_longest(*tables))
        self._chunks = deque(chunk for chunk in in_turn if chunk is not None)
        self._failures: Counter[str] = Counter()
        self._left: set[str] = set()
        self._lock = threading.Lock()

    def take(self) -> Chunk | None:
        """Give the next chunk; None: there is none left."""
        with self._lock:
            while self._chunks:
                chunk = self._chunks.popleft()
                if chunk.table not in self._left:
                    return chunk
            return None

    def succeed(self, chunk: Chunk) -> None:
        """Note that a chunk of a table went well."""
        with self._lock:
            self._failures[chunk.table] = 0

    def fail(self, chunk: Chunk, *, for_good: bool) -> bool:
        """Note that a chunk failed; say whether its table is left alone from now on."""
        with self._lock:
            self._failures[chunk.table] += 1
            if for_good or self._failures[chunk.table] >= _HOPELESS_AFTER:
                self._left.add(chunk.table)
            return chunk.table in self._left
