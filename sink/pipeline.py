"""Two batches under way at once: one is decoded while the one before it is written.

Both steps run outside the thread that polls Kafka, so neither a slow database nor one that is away
can get the sink thrown out of its group. Whatever is transient is tried again here, until told to
stop; all else ends the pipeline when the batch is collected.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, TypeVar

from runtime.errors import Transient
from runtime.retry import Backoff, retry
from sink.batch import Batch
from sink.loading import Loaded, Prepared

_LOGGER: Final = logging.getLogger("aos.sink")
_MOST: Final = 2

Given = TypeVar("Given")
Answer = TypeVar("Answer")
OnRetry = Callable[[Transient], None]


class Pipeline:
    """Batches on their way, in order."""

    def __init__(
        self,
        prepare: Callable[[Batch], Prepared],
        write: Callable[[Prepared], Loaded],
        retry_seconds: float,
        on_retry: OnRetry,
    ) -> None:
        self._prepare = prepare
        self._write = write
        self._retry_seconds = retry_seconds
        self._on_retry = on_retry
        self._halt = threading.Event()
        self._preparing = ThreadPoolExecutor(1, "sink-prepare")
        self._writing = ThreadPoolExecutor(1, "sink-write")
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
        prepared = self._preparing.submit(self._persistently, self._prepare, batch)
        self._under_way.append(self._writing.submit(self._write_prepared, prepared))

    def call(self, call: Callable[[], Answer]) -> Future[Answer]:
        """Do something else with the database, behind the batches that are under way."""
        return self._writing.submit(self._persistently, lambda _: call(), None)

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
        """End both threads."""
        self._halt.set()
        self._preparing.shutdown(cancel_futures=True)
        self._writing.shutdown(cancel_futures=True)

    def _write_prepared(self, prepared: Future[Prepared]) -> Loaded:
        return self._persistently(self._write, prepared.result())

    def _persistently(self, call: Callable[[Given], Answer], given: Given) -> Answer:
        """Try three times, pause, and so on, for as long as it takes."""
        while True:
            try:
                return retry(lambda: call(given), Backoff(), self._halt, self._tell)
            except Transient as error:
                self._tell(error, self._retry_seconds)
                if self._halt.wait(self._retry_seconds):
                    raise

    def _tell(self, error: Transient, wait_seconds: float) -> None:
        _LOGGER.warning("%s; again in %.1f s", error, wait_seconds)
        self._on_retry(error)
