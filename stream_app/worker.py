"""One worker of the stream: the partitions it owns, each with a thread and a queue of its own.

So a partition that has to wait (for the broker's commit, or for better times) holds up no other;
when its queue is full, nothing more is fetched for it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final

from faust.types import TP

from runtime.control.helm import Helm
from runtime.errors import AosError, Fenced, System, Transient
from stream_app.outputs.delivery import Delivery
from stream_app.partition import Partition
from stream_app.tools import Tools
from stream_app.transport.batch import Batch
from stream_app.transport.namesakes import refuse_namesake

_LOG: Final = logging.getLogger("aos.stream.worker")
ROUND_SECONDS: Final = 0.5
"""How often a partition gets its turn to send readings again."""
_ENOUGH: Final = 3
"""Partitions of which one judges and the others commit, so that none has to hold a batch ready."""
_FORCE_SECONDS: Final = 10.0
"""What the other partitions have to finish their batches in when one hangs."""
_DEADLINE_SECONDS: Final = 45.0
"""A batch that takes longer has been given up by the broker, and by the group as well."""


class _Seat:
    """A partition at work: its thread, and how many of its batches are not done yet."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.pool = ThreadPoolExecutor(1, thread_name_prefix=f"partition-{number}")
        self.batches = 0
        self.looks = False
        self.revises = False
        self.partition: Partition


class Worker:
    """Owns partitions, and processes the batches of each in turn, several partitions side by side.

    ``on_failure`` is told of an error that nothing here can mend; the process is to end then.
    """

    def __init__(
        self,
        tools: Tools,
        delivery: Callable[[int], Delivery],
        on_failure: Callable[[BaseException], None],
        opened: Callable[[int, Tools, Callable[[int], Delivery]], Partition] = Partition.open,
        helm: Helm | None = None,
    ) -> None:
        self._opened = opened
        self._helm = helm or Helm()
        self._tools = tools
        self._delivery = delivery
        self._on_failure = on_failure
        self._seats: dict[int, _Seat] = {}
        self._room = asyncio.Event()
        self.readings = 0
        self.epoch = 0
        """Rises whenever ownership changes: batches fetched under another epoch are stale."""

    @property
    def full(self) -> Set[int]:
        """Partitions that have as many batches as they may; all of them while we are paused."""
        if self._helm.paused:
            return self._seats.keys()
        most = 1 if len(self._seats) >= _ENOUGH else self._tools.settings.buffered_batches
        return {number for number, seat in self._seats.items() if seat.batches >= most}

    async def room(self, seconds: float) -> None:
        """Wait until a batch is done, but no longer than this."""
        self._room.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._room.wait(), seconds)

    @property
    def partitions(self) -> int:
        """How many partitions are ours."""
        return len(self._seats)

    @property
    def batches(self) -> int:
        """How many batches are not done yet, those that wait included."""
        return sum(seat.batches for seat in list(self._seats.values()))

    async def take(self, partitions: set[int]) -> None:
        """Open these partitions, each fenced before its position is read."""
        self.epoch += 1
        opening = (self._open(number) for number in sorted(partitions))
        for error in await asyncio.gather(*opening, return_exceptions=True):
            if error is not None:
                # Told, not raised: aiokafka would log it and go on as if the partition were ours.
                self._on_failure(error)
        _LOG.info("partitions taken", extra={"partitions": sorted(self._seats)})

    async def release(self, partitions: set[int]) -> None:
        """Wait for the running batches of these partitions, then forget them."""
        self.epoch += 1
        closing = [self._close(number) for number in partitions & self._seats.keys()]
        await asyncio.gather(*closing)
        if partitions:
            _LOG.info("partitions released", extra={"partitions": sorted(partitions)})

    def positions(self) -> Mapping[TP, int]:
        """Give the next offset of every topic partition that is owned."""
        return {
            TP(topic, number): offset
            for number, seat in self._seats.items()
            for topic, offset in seat.partition.positions.items()
        }

    def process(self, batch: Batch) -> None:
        """Put a batch into the queue of its partition."""
        seat = self._seats.get(batch.partition)
        if batch.epoch != self.epoch or seat is None:
            return  # the partition has moved since the batch was fetched: its owner reads it again
        loop = asyncio.get_running_loop()
        started = loop.run_in_executor(seat.pool, seat.partition.process, batch)
        seat.batches += 1
        started.add_done_callback(partial(self._done, seat))

    async def forgotten(self) -> bool:
        """Say whether to stay away from the group, since another worker bears our name."""
        settings = self._tools.settings
        if not settings.instance:
            return False
        try:
            await asyncio.to_thread(
                refuse_namesake, self._tools.kafka, settings.group, settings.instance
            )
        except Transient as error:
            _LOG.warning("joining again, though perhaps under a taken name: %s", error)
        except AosError as error:
            self._on_failure(error)
            return True
        return False

    async def watch(self) -> None:
        """Let every partition look for silent sensors now and then, behind its batches."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._tools.settings.silence_check_seconds)
            self._end_if_stuck()
            waiting = [] if self._helm.paused else [*self._seats.values()]
            for seat in [seat for seat in waiting if not seat.looks]:
                seat.looks = True
                looked = loop.run_in_executor(seat.pool, seat.partition.look)
                looked.add_done_callback(partial(self._looked, seat))

    async def revise(self) -> None:
        """Let every partition that has to send readings again do so, behind its batches."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            if self._helm.paused:
                continue
            try:
                await loop.run_in_executor(None, self._tools.reference.catch_up_with_all)
            except Transient as error:
                _LOG.warning("changes are looked for later: %s", error)
            for seat in self._seats.values():
                if not seat.revises and seat.partition.to_revise:
                    seat.revises = True
                    revised = loop.run_in_executor(seat.pool, seat.partition.revise)
                    revised.add_done_callback(partial(self._revised, seat))

    async def stop(self) -> None:
        """Finish everything that is running."""
        await self.release(set(self._seats))

    async def _open(self, number: int) -> None:
        seat = _Seat(number)
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(seat.pool, self._opened, number, self._tools, self._delivery)
        seat.partition = await opening
        self._seats[number] = seat

    async def _close(self, number: int) -> None:
        seat = self._seats.pop(number)
        seat.partition.interrupt()
        loop = asyncio.get_running_loop()
        # Behind the batch that is running; those that wait are begun no more.
        closing = loop.run_in_executor(seat.pool, seat.partition.close)
        seat.pool.shutdown(wait=False)
        try:
            await asyncio.wait_for(closing, _DEADLINE_SECONDS)
        except TimeoutError:
            problem = f"partition {number} did not finish its batch in {_DEADLINE_SECONDS:.0f} s"
            self._on_failure(System(problem, mend="see whether the brokers are up; start again"))

    def _done(self, seat: _Seat, finished: asyncio.Future[int]) -> None:
        seat.batches -= 1
        self._room.set()
        error = finished.exception()
        if error is None:
            self.readings += finished.result()
        elif not isinstance(error, Transient):
            # Else interrupted while it waited for a better moment; the next owner tries again.
            self._fail(error)

    def _end_if_stuck(self) -> None:
        """End the process where a partition hangs; by force, since its thread would outlive it."""
        for number in [seat.number for seat in self._seats.values() if seat.partition.stuck]:
            problem = f"partition {number} hears no more of its transaction"
            self._fail(System(problem, mend="start the stream again: it goes on where it was"))
            force = threading.Timer(_FORCE_SECONDS, os._exit, [System.exit_code])
            force.daemon = True
            force.start()
            return

    def _looked(self, seat: _Seat, finished: asyncio.Future[None]) -> None:
        seat.looks = False
        error = finished.exception()
        if isinstance(error, Transient):
            _LOG.warning("silences are told later: %s", error)
        elif error is not None:
            self._fail(error)

    def _revised(self, seat: _Seat, finished: asyncio.Future[None]) -> None:
        seat.revises = False
        error = finished.exception()
        if isinstance(error, Transient):
            _LOG.warning("readings are sent again later: %s", error)
        elif error is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        level = logging.INFO if isinstance(error, Fenced) else logging.ERROR
        _LOG.log(level, "a batch cannot go on: %s", error)
        self._on_failure(error)
