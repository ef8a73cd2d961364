"""Watching that the topics are still the same ones.

A topic that is deleted and made anew under its name has other records at the same offsets. A reader
in the middle of it is told by nobody: it would go on where it was, over all that came before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Any, Final

_EVERY_SECONDS: Final = 5.0

Ask = Callable[[Collection[str]], dict[str, Future[Any]]]


class TopicWatch:
    """Compares the ids of topics with the first ones it heard; ``ask`` waits for nothing."""

    def __init__(
        self, topics: Collection[str], ask: Ask, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._topics = topics
        self._ask = ask
        self._clock = clock
        self._due = clock()
        self._asked: dict[str, Future[Any]] = {}
        self._known: dict[str, str] = {}

    def changed(self) -> bool:
        """Look whether an answer has come, and say whether it tells of another topic.

        A topic of which there is no answer is told of by whoever reads it.
        """
        if not self._asked and self._clock() >= self._due:
            self._asked = self._ask(self._topics)
            self._due = self._clock() + _EVERY_SECONDS
        if not self._asked or not all(future.done() for future in self._asked.values()):
            return False
        found = {t: str(f.result().topic_id) for t, f in self._asked.items() if not f.exception()}
        self._asked = {}
        before, self._known = self._known, self._known | found
        return any(before.get(topic, number) != number for topic, number in found.items())
