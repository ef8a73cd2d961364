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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Final, TypeVar

from runtime.breaker import Breaker
from sink.batch import Batch
from sink.loading import Loaded, Prepared
from sink.patience import OnRetry, Patience, breaker_of

_MOST: Final = 2

Answer = TypeVar("Answer")


class Pipeline:
    """Batches on their way, in order."""

    def __init__(
        self,
        prepare: Callable[[Batch], Prepared],
        writes: Sequence[Callable[[Prepared], Loaded]],
        retry_seconds: float,
        database: Breaker,
        on_retry: OnRetry,
    ) -> None:
        self._prepare = prepare
        self._writes = writes
        self._halt = threading.Event()
        self._registry = Patience(breaker_of(retry_seconds), self._halt, on_retry)
        self._database = Patience(database, self._halt, on_retry)
        self._preparing = ThreadPoolExecutor(1, "sink-prepare")
        self._writing = ThreadPoolExecutor(1, "sink-write")
        self._connections = ThreadPoolExecutor(len(writes), "sink-connection")
        self._under_way: deque[Future[Loaded]] = deque()

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
        prepared = self._preparing.submit(self._registry.call, partial(self._prepare, batch))
        self._under_way.append(self._writing.submit(self._write_prepared, prepared))

    def call(self, call: Callable[[], Answer]) -> Future[Answer]:
        """Do something else with the database, behind the batches that are under way."""
        return self._writing.submit(self._database.call, call)

    def finished(self) -> Iterator[Loaded]:
        """Give the batches that are committed by now.

        Raises:
            AosError: the next one failed.
        """
        while self._under_way and self._under_way[0].done():
            yield self._under_way.popleft().result()

    def wait_for_one(self, seconds: float) -> bool:
        """Wait for the oldest batch; say whether it is done."""
        return not wait([self._under_way[0]], seconds).not_done if self._under_way else True

    def wait_for_all(self, seconds: float) -> bool:
        """Wait for every batch; say whether they are done."""
        return not wait(self._under_way, seconds).not_done

    def give_up(self) -> None:
        """Wait for all that is under way and forget how it ended: its offsets tell."""
        wait(self._under_way)
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

    def _write_prepared(self, prepared: Future[Prepared]) -> Loaded:
        shares = prepared.result().shares(len(self._writes))
        loading = [
            self._connections.submit(self._database.call, partial(write, share))
            for write, share in zip(self._writes, shares, strict=False)
        ]
        wait(loading)
        return Loaded.of([each.result() for each in loading])
