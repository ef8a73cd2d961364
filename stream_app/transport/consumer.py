"""Faust's transport, bent to batches: one event for each partition number and fetch round.

Faust's own path hands on record by record and commits by what agents acknowledge, which is slow and
loses data when an agent raises (docs/decisions/0002). Here Faust keeps what it is good at: group
membership, assignment, fetching, flow control and supervision. An event is a whole
:class:`~stream_app.transport.batch.Batch`; its transaction, and nothing else, commits offsets.

The order on assignment matters: the owner's hooks run *before* Faust seeks, because only after they
have ended the dead owner's transaction does the committed offset hold still.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol, cast

import aiokafka
import faust
from aiokafka.errors import NoOffsetForPartitionError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, Message

from stream_app.transport.batch import Batch, by_partition


class Owner(Protocol):
    """Whoever processes the partitions that this worker is given."""

    @property
    def epoch(self) -> int:
        """A number that rises whenever ownership changes."""

    async def take(self, partitions: set[int]) -> None:
        """Make ready to process these partitions and no others."""

    async def release(self, partitions: set[int]) -> None:
        """Finish what is running for these partitions; they belong to somebody else soon."""

    async def process(self, batch: Batch) -> None:
        """Process a batch, unless it was fetched under another epoch."""

    def positions(self) -> Mapping[TP, int]:
        """Give the offset at which reading goes on, for each partition of each raw topic."""


class BatchSchema(faust.Schema[Any, Any]):
    """Hands the batch to the agent as it is: decoding is the agent's work, column by column."""

    def loads_key(self, app: Any, message: Message, **_options: Any) -> Any:
        """Give no key: a batch has many."""

    def loads_value(self, app: Any, message: Message, **_options: Any) -> Any:  # noqa: ARG002
        """Give the batch."""
        return message.value


class Fetched(dict[TP, Any]):
    """Records of a fetch round, and the epoch at the moment they left the fetcher."""

    epoch = 0


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Reads only what is committed, since the raw topics are written in transactions."""

    app: BatchApp

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust reads uncommitted records unless its own exactly_once is on, which we do not use.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        return consumer

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> Fetched:
        # Stamped after the fetch: it may wait through a whole rebalance before records leave it,
        # and those then belong to the new epoch.
        try:
            fetched = Fetched(await super()._fetch_records(*args, **kwargs))
        except NoOffsetForPartitionError:
            if self.consumer.flow_active:
                raise
            return Fetched()  # a partition that was just assigned: the seek is still to come
        fetched.epoch = self.app.owner.epoch
        return fetched


class BatchConsumer(driver.Consumer):
    """Yields a message for each partition number; its offset is that of its topic's last record."""

    app: BatchApp

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(  # Faust's own signature
        self,
        timeout: float,  # noqa: ASYNC109
    ) -> AsyncIterator[tuple[TP, Message]]:
        """Fetch a round and yield it as batches.

        What arrives while a rebalance is under way is left out: a seek ends every rebalance.
        """
        records, active = await self._wait_next_records(timeout)
        if not isinstance(records, Fetched) or self.should_stop:
            return
        wanted = {
            (tp.topic, tp.partition): found
            for tp, found in records.items()
            if active is None or tp in active or tp in self._buffered_partitions
        }
        for batch in by_partition(wanted, records.epoch):
            if not self.flow_active:
                return
            topic, last = next((topic, found[-1]) for topic, found in batch.records.items())
            tp = TP(topic, batch.partition)
            message = self._to_message(tp, last)
            message.value = cast("Any", batch)
            yield tp, message

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let the owner take its partitions before Faust asks where to go on."""
        await self.app.owner.take({tp.partition for tp in assigned})
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Let the owner finish its running transactions before the partitions go."""
        await self.app.owner.release({tp.partition for tp in revoked})
        await super().on_partitions_revoked(revoked)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go to the owner's positions; Kafka's committed offsets were read when they were taken."""
        positions = {
            tp: at for tp, at in self.app.owner.positions().items() if tp in self.assignment()
        }
        await self.seek_wait(positions)
        return positions


class BatchTransport(driver.Transport):
    """The aiokafka transport with our consumer."""

    Consumer = BatchConsumer


class BatchApp(faust.App):
    """A Faust app whose partitions have an owner."""

    owner: Owner

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)
