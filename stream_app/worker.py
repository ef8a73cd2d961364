"""One worker of the stream: the partitions it owns and the transactions that run for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from faust.types import TP

from runtime.errors import Fenced, Transient
from stream_app.partition import Partition, Tools
from stream_app.transport.batch import Batch

_LOG: Final = logging.getLogger("aos.stream.worker")


class Worker:
    """Owns partitions and runs one transaction at a time for each, several partitions side by side.

    ``on_failure`` is told of an error that nothing here can mend; the process is to end then.
    """

    def __init__(self, tools: Tools, on_failure: Callable[[BaseException], None]) -> None:
        self._tools = tools
        self._on_failure = on_failure
        self._partitions: dict[int, Partition] = {}
        self._running: dict[int, asyncio.Future[int]] = {}
        self._pool = ThreadPoolExecutor(tools.settings.threads, thread_name_prefix="partition")
        self.readings = 0
        self.epoch = 0
        """Rises whenever ownership changes: batches fetched under another epoch are stale."""

    async def take(self, partitions: set[int]) -> None:
        """Open these partitions, each fenced before its position is read."""
        self.epoch += 1
        opening = (self._open(number) for number in sorted(partitions))
        for error in await asyncio.gather(*opening, return_exceptions=True):
            if error is not None:
                # Told, not raised: aiokafka would log it and go on as if the partition were ours.
                self._on_failure(error)
        _LOG.info("partitions taken", extra={"partitions": sorted(self._partitions)})

    async def release(self, partitions: set[int]) -> None:
        """Wait for the running transactions of these partitions, then forget them."""
        self.epoch += 1
        for number in partitions & self._partitions.keys():
            await self._close(number)
        if partitions:
            _LOG.info("partitions released", extra={"partitions": sorted(partitions)})

    def positions(self) -> Mapping[TP, int]:
        """Give the next offset of every topic partition that is owned."""
        return {
            TP(topic, number): offset
            for number, partition in self._partitions.items()
            for topic, offset in partition.positions.items()
        }

    async def process(self, batch: Batch) -> None:
        """Start a batch's transaction once the last one of its partition is done."""
        running = self._running.get(batch.partition)
        if running is not None:
            await asyncio.wait([running])
        partition = self._partitions.get(batch.partition)
        if batch.epoch != self.epoch or partition is None:
            return  # the partition has moved since the batch was fetched: its owner reads it again
        started = asyncio.get_running_loop().run_in_executor(self._pool, partition.process, batch)
        started.add_done_callback(self._done)
        self._running[batch.partition] = started

    async def stop(self) -> None:
        """Finish everything that is running."""
        await self.release(set(self._partitions))
        self._pool.shutdown()

    async def _open(self, number: int) -> None:
        opening = asyncio.get_running_loop().run_in_executor(
            self._pool, Partition.open, number, self._tools
        )
        self._partitions[number] = await opening

    async def _close(self, number: int) -> None:
        partition = self._partitions.pop(number)
        partition.interrupt()
        running = self._running.pop(number, None)
        if running is not None:
            await asyncio.wait([running])
        await asyncio.get_running_loop().run_in_executor(self._pool, partition.close)

    def _done(self, finished: asyncio.Future[int]) -> None:
        error = finished.exception()
        if error is None:
            self.readings += finished.result()
        elif isinstance(error, Transient):
            pass  # interrupted while it waited for a better moment; the next owner tries again
        else:
            level = logging.INFO if isinstance(error, Fenced) else logging.ERROR
            _LOG.log(level, "a transaction cannot go on: %s", error)
            self._on_failure(error)
