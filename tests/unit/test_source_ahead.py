"""Reading ahead gives the pages that reading in turn gives, and none of another position."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from producers.reading.ahead import ReadAhead
from producers.reading.feed import Page
from producers.reading.rows import Readings
from runtime.errors import Transient


class Pages:
    """A feed of numbered pages; ``fails`` names positions that fail once."""

    def __init__(self, last: int, *fails: str) -> None:
        self._last = last
        self._fails = set(fails)
        self.asked: list[str] = []

    def next_page(self, after: str) -> Page:
        self.asked.append(after)
        if after in self._fails:
            self._fails.discard(after)
            problem = "away"
            raise Transient(problem)
        number = int(after or 0) + 1
        drained = number >= self._last
        return Page(Readings(), 1, str(number), 0.0, drained=drained)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


def test_pages_come_in_turn_and_each_is_read_once(pool: ThreadPoolExecutor) -> None:
    feed = Pages(4)
    ahead = ReadAhead(feed, pool)
    position, seen = "", []
    for _ in range(4):
        position = ahead.next_page(position).position
        ahead.begin()
        seen.append(position)
    assert seen == ["1", "2", "3", "4"]
    assert feed.asked == ["", "1", "2", "3"]


def test_what_was_read_ahead_of_a_page_that_failed_is_not_used(pool: ThreadPoolExecutor) -> None:
    ahead = ReadAhead(Pages(9), pool)
    ahead.next_page("")
    ahead.begin()
    assert ahead.next_page("").position == "1"
    ahead.begin()
    assert ahead.next_page("5").position == "6"


def test_an_error_ahead_is_raised_when_its_page_is_asked_for(pool: ThreadPoolExecutor) -> None:
    ahead = ReadAhead(Pages(9, "1"), pool)
    assert ahead.next_page("").position == "1"
    ahead.begin()
    with pytest.raises(Transient):
        ahead.next_page("1")
    assert ahead.next_page("1").position == "2"


def test_nothing_is_read_before_the_page_is_on_its_way(pool: ThreadPoolExecutor) -> None:
    feed = Pages(9)
    ReadAhead(feed, pool).next_page("")
    pool.shutdown()
    assert feed.asked == [""]


def test_without_a_pool_nothing_is_read_ahead() -> None:
    feed = Pages(9)
    ahead = ReadAhead(feed, None)
    ahead.next_page("")
    ahead.begin()
    assert feed.asked == [""]
