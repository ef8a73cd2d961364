"""A worker and its partitions: no error is lost, none holds up another, nothing piles up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from confluent_kafka import KafkaError, KafkaException

from runtime.errors import AosError, Fenced, System, Transient
from schemas.columnar import Strings, packed
from stream_app.outputs.delivery import Outbox, Outputs, Single, bulk
from stream_app.settings import StreamSettings
from stream_app.transport.batch import Batch, Records
from stream_app.worker import Worker

BUG = ValueError("a bug of ours")


class FakePartition:
    """Does with its batches what it is told."""

    def __init__(self, act: Callable[[Batch], int]) -> None:
        self.positions = {"raw": 5}
        self.process = act
        self.closed = False

    def interrupt(self) -> None:
        """Have nothing to wait for."""

    def close(self) -> None:
        self.closed = True


class Rig:
    """A worker of two partitions, and what it says of failures."""

    def __init__(self, acts: dict[int, Callable[[Batch], int] | Exception]) -> None:
        self.failures: list[BaseException] = []
        self._acts = acts
        tools: Any = SimpleNamespace(settings=StreamSettings(buffered_batches=2))
        opened: Any = self._open
        self.worker = Worker(tools, cast("Any", None), self.failures.append, opened)

    def _open(self, number: int, *_tools: object) -> FakePartition:
        act = self._acts[number]
        if isinstance(act, Exception):
            raise act
        return FakePartition(act)

    def fetch(self, number: int) -> bool:
        """Hand on a batch, if the partition has room."""
        if number in self.worker.full:
            return False
        at = np.array([1], np.int64)
        records = Records("raw", number, at, at, [b"JFK"], [b"value"])
        self.worker.process(Batch(number, {"raw": records}, self.worker.epoch))
        return True

    async def settle(self) -> None:
        await self.worker.stop()
        await asyncio.sleep(0)


def fail(error: Exception) -> Callable[[Batch], int]:
    def act(_batch: Batch) -> int:
        raise error

    return act


@pytest.mark.requirement("D3")
@pytest.mark.parametrize("error", [System("disk"), Fenced("newer"), BUG, MemoryError()])
def test_what_a_partition_cannot_mend_is_told_and_the_others_work_on(error: Exception) -> None:
    rig = Rig({0: fail(error), 1: len})

    async def run() -> None:
        await rig.worker.take({0, 1})
        assert rig.fetch(0)
        assert rig.fetch(1)
        await rig.settle()

    asyncio.run(run())
    assert rig.failures == [error]
    assert rig.worker.readings == 1


def test_a_wait_that_was_interrupted_is_no_failure() -> None:
    rig = Rig({0: fail(Transient("away"))})

    async def run() -> None:
        await rig.worker.take({0})
        rig.fetch(0)
        await rig.settle()

    asyncio.run(run())
    assert rig.failures == []


@pytest.mark.parametrize("error", [Transient("no broker"), System("dropped"), BUG])
def test_a_partition_that_cannot_be_opened_ends_the_process_not_its_readings(
    error: Exception,
) -> None:
    rig = Rig({0: error, 1: len})

    async def run() -> None:
        await rig.worker.take({0, 1})
        rig.fetch(0)  # of a partition that is not open: nobody commits anything for it
        rig.fetch(1)
        await rig.settle()

    asyncio.run(run())
    assert rig.failures == [error]
    assert rig.worker.readings == 1


@pytest.mark.requirement("B2")
def test_a_slow_partition_is_fetched_no_further_and_holds_up_no_other() -> None:
    go = threading.Event()
    done = threading.Event()
    rig = Rig({0: lambda batch: go.wait(20) and len(batch), 1: lambda _: done.set() or 1})

    async def run() -> None:
        await rig.worker.take({0, 1})
        assert [rig.fetch(0) for _ in range(4)] == [True, True, False, False]
        assert rig.worker.full == {0}
        rig.fetch(1)
        assert await asyncio.to_thread(done.wait, 20)
        go.set()
        await rig.settle()

    asyncio.run(run())
    assert rig.worker.readings == 3
    assert not rig.worker.full


@pytest.mark.requirement("B2")
def test_where_others_fill_the_time_no_partition_holds_a_second_batch_ready() -> None:
    go = threading.Event()
    rig = Rig({number: lambda batch: go.wait(20) and len(batch) for number in range(3)})

    async def run() -> None:
        await rig.worker.take({0, 1, 2})
        assert [rig.fetch(0) for _ in range(2)] == [True, False]
        go.set()
        await rig.settle()

    asyncio.run(run())
    assert rig.worker.readings == 1


@pytest.mark.requirement("B2")
def test_whoever_waits_for_room_goes_on_when_a_batch_is_done_and_after_a_while_without() -> None:
    go = threading.Event()
    rig = Rig({number: lambda batch: go.wait(20) and len(batch) for number in range(3)})

    async def run() -> None:
        await rig.worker.take({0, 1, 2})
        rig.fetch(0)
        await rig.worker.room(0.01)
        assert rig.worker.full == {0}  # nothing was done meanwhile: it was the time that was over
        waiting = asyncio.create_task(asyncio.wait_for(rig.worker.room(3600), 20))
        await asyncio.sleep(0)
        go.set()
        await waiting
        assert not rig.worker.full
        await rig.settle()

    asyncio.run(run())


def test_what_was_fetched_under_another_owner_is_left_out() -> None:
    rig = Rig({0: len})

    async def run() -> None:
        await rig.worker.take({0})
        records = Records("raw", 0, np.array([1]), np.array([1]), packed([b"JFK"]), packed([b"v"]))
        rig.worker.process(Batch(0, {"raw": records}, rig.worker.epoch - 1))
        await rig.settle()

    asyncio.run(run())
    assert rig.worker.readings == 0


class FakeProducer:
    """Takes what it is given; says of it what became of it when it is asked."""

    def __init__(self, fate: int | None = None) -> None:
        self.failure: KafkaError | None = None
        self.sent: list[bytes] = []
        self._fate = fate

    def produce(self, _topic: str, keys: Strings, values: Strings, _partition: int) -> None:
        assert len(keys.lengths) == len(values.lengths)
        self.sent += values.bytes()

    def produce_one(self, _topic: str, _key: bytes, value: bytes, _headers: object) -> None:
        self.sent.append(value)

    def flush(self) -> None:
        if self._fate is not None:
            self.failure = KafkaError(self._fate)


OUTPUTS = Outputs(
    [bulk("t", 0, [(b"k", str(n).encode()) for n in range(5)])],
    [Single("dead", b"k", b"dead", []), Single("dead", b"k", b"more", [])],
)


def test_nothing_is_left_out_or_out_of_order() -> None:
    producer = FakeProducer()
    outbox = Outbox(producer)
    outbox.send(OUTPUTS)
    producer.flush()
    outbox.check("delivering")
    assert producer.sent == [b"0", b"1", b"2", b"3", b"4", b"dead", b"more"]


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("fate", "expected"),
    [
        (KafkaError.NOT_ENOUGH_REPLICAS, Transient),
        (KafkaError.INVALID_PRODUCER_EPOCH, Fenced),
        (KafkaError._FENCED, Fenced),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, AosError),
    ],
)
def test_a_record_that_is_not_delivered_fails_its_batch(
    fate: int, expected: type[AosError]
) -> None:
    producer = FakeProducer(fate)
    outbox = Outbox(producer)
    outbox.send(OUTPUTS)
    producer.flush()
    with pytest.raises(expected):
        outbox.check("delivering")
    outbox.check("the next batch")  # it is told once


def test_a_record_that_the_producer_refuses_fails_its_batch() -> None:
    class Refusing(FakeProducer):
        def produce(self, *_: object, **__: object) -> None:
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))

    with pytest.raises(AosError):
        Outbox(Refusing()).send(OUTPUTS)
