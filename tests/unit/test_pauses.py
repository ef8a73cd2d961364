"""A stage that is paused keeps what is its own and takes nothing new; then it goes on."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from producers.stage import Stage
from producers.start import Source
from runtime.control.helm import Helm, Run
from stream_app.settings import StreamSettings
from stream_app.worker import Worker
from tests.sources import mapping
from tests.unit.test_source_stage import SETTINGS, FakeDatabase, FakeFeed, FakeOutlet
from tests.waiting import eventually

pytestmark = pytest.mark.requirement("D5")


class Order:
    """Paused, until a test says otherwise."""

    def __init__(self) -> None:
        self.paused = True
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.paused


def test_a_paused_source_asks_for_nothing_and_goes_on_where_it_stood() -> None:
    order, stop = Order(), threading.Event()
    asked: list[str] = []

    class Feed(FakeFeed):
        cursor = SimpleNamespace(lag_seconds=0.0)

        def next_page(self, after: str) -> Any:
            asked.append(after)
            return super().next_page(after)

        def warn(self) -> int:
            return 0

    outlet = FakeOutlet(["hourly"])
    feeds: Any = (Feed("hourly", 2),)
    source = Source(mapping(), cast("Any", FakeDatabase()), feeds, cast("Any", outlet), stop.set)
    reading = threading.Thread(
        target=lambda: Stage(source, SETTINGS, Run(stop, Helm(order)), lambda _: None).read(
            once=True
        )
    )
    reading.start()
    try:
        eventually(lambda: order.asked > 1, every=0.01)
        assert not asked
        order.paused = False
        eventually(lambda: len(outlet.published) == 2, every=0.01)
    finally:
        stop.set()
        reading.join(10)


def test_a_paused_worker_of_the_stream_keeps_its_partitions_and_has_room_in_none() -> None:
    order = Order()
    tools: Any = SimpleNamespace(settings=StreamSettings())
    partition = SimpleNamespace(positions={"raw": 5}, interrupt=lambda: None, close=lambda: None)
    worker = Worker(
        tools,
        cast("Any", None),
        cast("Any", pytest.fail),
        lambda *_: cast("Any", partition),
        helm=Helm(order),
    )

    async def look() -> None:
        await worker.take({0, 3})
        assert set(worker.full) == {0, 3}
        order.paused = False
        assert set(worker.full) == set()
        assert {tp.partition for tp in worker.positions()} == {0, 3}
        await worker.stop()

    asyncio.run(look())
