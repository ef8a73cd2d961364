"""Two batches under way at once: one is decoded while the one before it is written.

With several connections, what a batch holds for different topics is written at once, each share in
a transaction of its own, beside its own offsets; the next batch waits until all of them are
committed, so that the order of each partition is kept.

Both steps run outside the thread that polls Kafka, so neither a slow database nor one that is away
can get the sink thrown out of its group. Whatever is transient is tried again here, until told to
stop; all else ends the pipeline when the batch is collected.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Final, NamedTuple, TypeVar

from runtime.breaker import Breaker
from sink.batch import Batch
from sink.loading import Loaded, Prepared
from sink.patience import OnRetry, Patience, breaker_of
from sink.turns import Turns

_MOST: Final = 2

Answer = TypeVar("Answer")


class _Way(NamedTuple):
    """A batch under way.

    What was prepared is kept until it is collected: to let go of ten thousand records takes 2 ms,
    for which the thread that writes has no time.
    """

    loaded: Future[Loaded]
    prepared: Future[Prepared]


class Pipeline:
    """Batches on their way, in order."""

    def __init__(
        self,
        prepare: Callable[[Batch], Prepared],
        writes: Sequence[Callable[[Prepared], Loaded]],
        turns: Turns,
        retry_seconds: float,
        database: Breaker,
        on_retry: OnRetry,
    ) -> None:
        self._prepare = prepare
        self._writes = writes
        self._turns = turns
        self._halt = threading.Event()
        self._registry = Patience(breaker_of(retry_seconds), self._halt, on_retry)
        self._database = Patience(database, self._halt, on_retry)
        self._preparing = ThreadPoolExecutor(1, "sink-prepare")
        self._writing = ThreadPoolExecutor(1, "sink-write")
        self._connections = ThreadPoolExecutor(len(writes), "sink-connection")
        self._under_way: deque[_Way] = deque()
        self._unwritten: deque[Future[Prepared]] = deque()

    @property
    def full(self) -> bool:
        """Whether no further batch can be taken."""
        return len(self._under_way) >= _MOST

    @property
    def empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._under_way

    def submit(self, batch: Batch) -> None:
        """Send a batch on its way."""
        prepared = self._preparing.submit(self._prepare_one, batch)
        self._unwritten.append(prepared)
        loaded = self._writing.submit(self._write_prepared, prepared)
        self._under_way.append(_Way(loaded, prepared))

    def wait_for_turn(self) -> None:
        """Wait, but not for long, while a batch is written and the database is asked for it."""
        self._turns.wait()

    def call(self, call: Callable[[], Answer]) -> Future[Answer]:
        """Do something else with the database, behind the batches that are under way."""
        return self._writing.submit(self._database.call, call)

    def finished(self) -> Iterator[Loaded]:
        """Give the batches that are committed by now.

        Raises:
            AosError: the next one failed.
        """
        while self._under_way and self._under_way[0].loaded.done():
            yield self._under_way.popleft().loaded.result()

    def wait_for_one(self, seconds: float) -> bool:
        """Wait for the oldest batch; say whether it is done."""
        return not self._waited([self._under_way[0]], seconds) if self._under_way else True

    def wait_for_all(self, seconds: float) -> bool:
        """Wait for every batch; say whether they are done."""
        return not self._waited(self._under_way, seconds)

    def give_up(self) -> None:
        """Wait for all that is under way and forget how it ended: its offsets tell."""
        self._waited(self._under_way, None)
        self._under_way.clear()

    def stop_retrying(self) -> None:
        """Let what is under way finish or fail, without trying again."""
        self._halt.set()

    def close(self) -> None:
        """End all threads."""
        self._halt.set()
        self._preparing.shutdown(cancel_futures=True)
        self._writing.shutdown(cancel_futures=True)
        self._connections.shutdown(cancel_futures=True)

    @staticmethod
    def _waited(ways: Iterable[_Way], seconds: float | None) -> int:
        """Wait, and give how many are not done."""
        return len(wait([way.loaded for way in ways], seconds).not_done)

    def _prepare_one(self, batch: Batch) -> Prepared:
        self.wait_for_turn()
        return self._registry.call(partial(self._prepare, batch))

    def _write_prepared(self, prepared: Future[Prepared]) -> Loaded:
        try:
            ready = prepared.result()
            self._turns.ask()
            return self._write(ready)
        finally:
            self._unwritten.popleft()
            if not (self._unwritten and self._unwritten[0].done()):  # else it goes on asking
                self._turns.rest()

    def _write(self, prepared: Prepared) -> Loaded:
        if len(self._writes) == 1:
            return self._database.call(partial(self._writes[0], prepared))
        shares = prepared.shares(len(self._writes))
        loading = [
            self._connections.submit(self._database.call, partial(write, share))
            for write, share in zip(self._writes, shares, strict=False)
        ]
        wait(loading)
        return Loaded.of([each.result() for each in loading])
