"""Faust's transport, bent to batches: one event for each partition number and fetch round.

Faust's own path hands on record by record and commits by what agents acknowledge, which is slow and
loses data when an agent raises (docs/decisions/0002). Here Faust keeps what it is good at: group
membership, assignment, fetching, flow control and supervision. An event is a whole
:class:`~stream_app.transport.batch.Batch`; its transaction, and nothing else, commits offsets.

The order on assignment matters: the owner's hooks run *before* Faust seeks, because only after they
have ended the dead owner's transaction does the committed offset hold still.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Set
from typing import Any, Final, Protocol, cast

import aiokafka
import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message
from faust.types.tuples import ConsumerMessage

from runtime.errors import Transient
from stream_app.transport.batch import Batch, Records, by_partition, joined
from stream_app.transport.filling import Filling
from stream_app.transport.unwrapped import unwrap_records

_LONGEST_FETCH_MS: Final = 100
_SOON_SECONDS: Final = 0.005
_WHILE_SECONDS: Final = 0.1
_COMMIT_SECONDS: Final = 30.0


class Owner(Protocol):
    """Whoever processes the partitions that this worker is given."""

    @property
    def epoch(self) -> int:
        """A number that rises whenever ownership changes."""

    @property
    def full(self) -> Set[int]:
        """Partitions of which no more batches are to be fetched for now."""

    async def room(self, seconds: float) -> None:
        """Wait until a batch of any partition is done, but no longer than this."""

    async def take(self, partitions: set[int]) -> None:
        """Make ready to process these partitions and no others."""

    async def release(self, partitions: set[int]) -> None:
        """Finish what is running for these partitions; they belong to somebody else soon."""

    async def forgotten(self) -> bool:
        """Say whether to stay away, now that the group has forgotten this worker."""

    def process(self, batch: Batch) -> None:
        """Start to process a batch, unless it was fetched under another epoch; wait for nothing."""

    def positions(self) -> Mapping[TP, int]:
        """Give the offset at which reading goes on, for each partition of each raw topic."""


class BatchSchema(faust.Schema[Any, Any]):
    """Hands the batch to the agent as it is: decoding is the agent's work, column by column."""

    def loads_key(self, app: Any, message: Message, **_options: Any) -> Any:
        """Give no key: a batch has many."""

    def loads_value(self, app: Any, message: Message, **_options: Any) -> Any:  # noqa: ARG002
        """Give the batch."""
        return message.value


class Fetched(dict[TP, list[Records]]):
    """Columns of a fetch round, and the epoch at the moment they left the fetcher."""

    epoch = 0


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Fetches up to a batch for each partition number, and only what is committed."""

    app: BatchApp

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust reads uncommitted records unless its own exactly_once is on, which we do not use.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        consumer._fetch_max_bytes = self.app.most_fetched_bytes  # noqa: SLF001
        # A partition that was full joins the next fetch, and that waits for the one under way.
        consumer._fetch_max_wait_ms = _LONGEST_FETCH_MS  # noqa: SLF001 - Faust's are 1.5 s
        return consumer

    async def _fetch_records(self, consumer: Any, *args: Any, **kwargs: Any) -> Fetched:
        # Stamped after the fetch: it may wait through a whole rebalance before records leave it,
        # and those then belong to the new epoch.
        fetched = Fetched()
        unwrap_records(consumer._fetcher, self.app.filling.helping)  # noqa: SLF001
        try:
            fetched.update(await super()._fetch_records(consumer, *args, **kwargs))
        except NoOffsetForPartitionError:
            if self.consumer.flow_active:
                raise
            return fetched  # a partition that was just assigned: the seek is still to come
        if fetched and self.consumer.flow_active:
            await self.app.filling.fill(consumer._fetcher, fetched, *args)  # noqa: SLF001
        fetched.epoch = self.app.owner.epoch
        return fetched

    @property
    def forgotten(self) -> bool:
        """Whether the group has said that it does not know this member."""
        coordinator: Any = self._ensure_consumer()._coordinator  # noqa: SLF001
        return bool(coordinator.generation == driver.DEFAULT_GENERATION_ID)

    def still_here(self) -> None:
        """Note that we have room for nothing by intent: aiokafka leaves out whoever is idle."""
        with self._ensure_consumer()._subscription.fetch_context():  # noqa: SLF001
            pass

    def stay_away(self) -> None:
        """Join the group no more: aiokafka leaves out whoever has been idle for too long."""
        coordinator: Any = self._ensure_consumer()._coordinator  # noqa: SLF001
        coordinator._max_poll_interval = 0  # noqa: SLF001

    async def commit_positions(self, offsets: Mapping[TP, int]) -> None:
        """Commit the group's next offsets, as the member that this consumer is."""
        committed = {TopicPartition(*tp): OffsetAndMetadata(at, "") for tp, at in offsets.items()}
        await self.call_thread(self._ensure_consumer().commit, committed)


class BatchConsumer(driver.Consumer):
    """Yields a message for each partition number; its offset is that of its topic's last record."""

    app: BatchApp

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109
        """Fetch for those partitions alone that have room; where none has, wait until one has."""
        full = self.app.owner.full
        if not full:
            return await super()._getmany(active_partitions, timeout)
        active = {tp for tp in active_partitions or self.assignment() if tp.partition not in full}
        if active:
            return await super()._getmany(active, _SOON_SECONDS)
        cast("BatchConsumerThread", self._thread).still_here()
        await self.app.owner.room(_WHILE_SECONDS)
        return Fetched()

    async def getmany(  # Faust's own signature
        self,
        timeout: float,  # noqa: ASYNC109
    ) -> AsyncIterator[tuple[TP, Message]]:
        """Fetch a round and yield it as batches.

        What arrives while a rebalance is under way is left out: a seek ends every rebalance.
        """
        fetched, active = await self._wait_next_records(timeout)
        if not isinstance(fetched, Fetched) or self.should_stop:
            return
        wanted = (
            joined(tp.topic, tp.partition, found)
            for tp, found in fetched.items()
            if active is None or tp in active or tp in self._buffered_partitions
        )
        for batch in by_partition(wanted, fetched.epoch):
            if not self.flow_active:
                return
            topic, last = next((topic, records) for topic, records in batch.records.items())
            tp = TP(topic, batch.partition)
            yield tp, self._message(tp, int(last.offsets[-1]), batch)

    def _message(self, tp: TP, offset: int, batch: Batch) -> Message:
        value, generation = cast("Any", batch), self.app.consumer_generation_id
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            offset,
            timestamp=time.time(),
            timestamp_type=0,
            headers=[],
            key=None,
            value=value,
            checksum=None,
            tp=tp,
            generation_id=generation,
        )

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let the owner take its partitions before Faust asks where to go on."""
        await self.app.owner.take({tp.partition for tp in assigned})
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the owner finish its running transactions before the partitions go."""
        thread = cast("BatchConsumerThread", self._thread)
        if revoked and thread.forgotten and await self.app.owner.forgotten():
            thread.stay_away()
        await self.app.owner.release({tp.partition for tp in revoked})
        await super().on_partitions_revoked(revoked)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to the owner's positions; Kafka's committed offsets were read when they were taken."""
        positions = {
            tp: at for tp, at in self.app.owner.positions().items() if tp in self.assignment()
        }
        await self.seek_wait(positions)
        return positions

    async def commit_positions(self, offsets: Mapping[TP, int]) -> None:
        """Commit the group's next offsets, as the member that this consumer is."""
        await cast("BatchConsumerThread", self._thread).commit_positions(offsets)


class BatchTransport(driver.Transport):
    """The aiokafka transport with our consumer."""

    Consumer = BatchConsumer


class BatchApp(faust.App):
    """A Faust app whose partitions have an owner."""

    owner: Owner
    filling: Filling
    most_fetched_bytes: int

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)


def committer(
    app: BatchApp, loop: asyncio.AbstractEventLoop
) -> Callable[[int, Mapping[str, int]], None]:
    """Give a function, for other threads than the loop's, that commits a partition's positions.

    Raises (the function given):
        Transient: the group is being rebalanced, or its coordinator does not answer.
    """

    def commit(partition: int, positions: Mapping[str, int]) -> None:
        offsets = {TP(topic, partition): at for topic, at in positions.items()}
        consumer = cast("BatchConsumer", app.consumer)
        asked = asyncio.run_coroutine_threadsafe(consumer.commit_positions(offsets), loop)
        try:
            asked.result(_COMMIT_SECONDS)
        except (KafkaError, TimeoutError) as error:
            problem = f"the offsets of partition {partition} cannot be committed: {error!r}"
            raise Transient(problem, mend="see whether the brokers are up") from error

    return commit
