"""The sink's loop: read, close batches, send them on their way, collect what is committed.

One thread, which never waits long for anything but Kafka. A batch is closed by rows, by bytes or by
the clock on the wall; sooner, when nothing else is under way and nothing more is at hand, so that a
single reading waits for nobody. When two batches are under way and a third is full, reading is
paused.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from typing import Final, Protocol

from runtime.errors import Fenced, Transient
from runtime.kafka import KafkaSettings
from sink import offsets
from sink.batch import Batch, Partition
from sink.broker import Broker
from sink.database import Database
from sink.identity import TopicWatch
from sink.loading import Loaded
from sink.offsets import Claim
from sink.pipeline import Pipeline
from sink.reader import Reader
from sink.settings import SinkSettings

_LOGGER: Final = logging.getLogger("aos.sink")

_PATIENCE_SECONDS: Final = 2.0
"""How long to wait for a batch before reading is paused, which drops what was fetched ahead."""
_TICK_SECONDS: Final = 0.1
_NEWS_SECONDS: Final = 5.0
"""A heartbeat, which tells whether we are still a member, goes out every three seconds."""
_SOON_SECONDS: Final = 0.005
"""How often to look whether the batch before one that waits is done."""


class Progress(Protocol):
    """Is told how the sink gets on; called between batches, so it must be quick."""

    def loaded(self, batch: Loaded, lag: int) -> None:
        """A batch is committed; ``lag`` records are on the broker and were not read yet."""

    def waiting(self, error: Transient) -> None:
        """Something is away and will be tried again; comes from another thread."""


class Silent:
    """Progress that nobody watches."""

    def loaded(self, batch: Loaded, lag: int) -> None:
        """Do nothing."""

    def waiting(self, error: Transient) -> None:
        """Do nothing."""


class SinkConsumer:
    """Takes records from Kafka to loaders, in batches."""

    def __init__(
        self,
        settings: SinkSettings,
        kafka: KafkaSettings,
        group: str,
        topics: list[str],
        database: Database,
        pipeline: Pipeline,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._group = group
        self._database = database
        self._progress = progress
        self._broker = Broker(kafka)
        self._watch = TopicWatch(topics, self._broker.ask_ids)
        self._pipeline = pipeline
        self._reader = Reader(settings, kafka, group, topics, self._on_revoked)
        self._open: Batch | None = None
        self._claims: Future[dict[Partition, Claim]] | None = None
        self._left_behind = False

    def step(self, *, paused: bool = False) -> None:
        """Take what has come, and send on what is due; ``paused``, have nothing new sent.

        A sink that is paused stays in its group with what it is assigned, and loads what it read.

        Raises:
            AosError: a batch cannot be loaded, ever; or we may not go on.
        """
        self._pipeline.wait_for_turn()
        self._collect()
        if self._watch.changed():
            self._distrust()
        self._claim()
        if self._due and self._pipeline.full:
            self._hold()
            return
        if self._due and self._open:
            self._pipeline.submit(self._open)
            self._open = None
        if paused:
            self._reader.pause()
        else:
            self._reader.resume()
        self._fill()

    @property
    def lag(self) -> int:
        """How many records are on the broker and were not read, as far as is known."""
        return self._reader.lag()

    @property
    def partitions(self) -> int:
        """How many partitions are ours to read."""
        return len(self._reader.places.claimed)

    @property
    def drained(self) -> bool:
        """Whether all that was on the topics is in the database."""
        return self._reader.places.drained and not self._open and self._pipeline.empty

    def finish(self) -> None:
        """Let the batches under way be committed; what was only read is read again next time."""
        self._pipeline.stop_retrying()
        while not self._pipeline.empty:
            self._pipeline.wait_for_one(_TICK_SECONDS)
            self._collect()

    def close(self) -> None:
        """Leave the group and end all threads."""
        self._pipeline.close()
        self._reader.close()

    @property
    def _due(self) -> bool:
        batch, limit = self._open, self._settings
        if batch is None:
            return False
        old = time.monotonic() - batch.opened_at >= limit.batch_seconds
        idle = self._reader.exhausted and self._pipeline.empty
        return old or idle or batch.rows >= limit.batch_rows or batch.size >= limit.batch_bytes

    def _fill(self) -> None:
        room = self._settings.batch_rows - (self._open.rows if self._open else 0)
        seconds = _SOON_SECONDS if self._open else _TICK_SECONDS
        for piece in self._reader.read(max(1, room), seconds):
            if self._open is None:
                self._open = Batch(time.monotonic())
            self._open.add(piece.partition, piece.messages, piece.span)

    def _hold(self) -> None:
        patience = min(_PATIENCE_SECONDS, self._settings.poll_interval_seconds / 4)
        if not self._pipeline.wait_for_one(patience):
            self._reader.pause()
            self._fill()

    def _collect(self) -> None:
        try:
            for batch in self._pipeline.finished():
                self._reader.hint(batch.spans)
                self._progress.loaded(batch, self._reader.lag())
            if self._pipeline.empty:
                self._left_behind = False
        except offsets.SetBack as error:
            _LOGGER.warning("the database was set back, records are read again: %s", error)
            self._start_over()
        except Fenced:
            if not self._taken_away():
                raise
            self._start_over()

    def _taken_away(self) -> bool:
        """Hear from the group: a sink that was frozen learns only now that others took over."""
        until = time.monotonic() + _NEWS_SECONDS
        while not self._left_behind and time.monotonic() < until:
            self._reader.read(1, _TICK_SECONDS)  # what comes is read again
        return self._left_behind

    def _claim(self) -> None:
        unclaimed = frozenset(self._reader.places.unclaimed)
        if self._claims is None and unclaimed:
            self._claims = self._pipeline.call(lambda: self._claimed(unclaimed))
        elif self._claims is not None and self._claims.done():
            claims, self._claims = self._claims.result(), None
            self._reader.place(claims)

    def _claimed(self, partitions: frozenset[Partition]) -> dict[Partition, Claim]:
        logs = self._broker.logs(partitions)
        with self._database.transaction("claiming partitions") as connection:
            offsets.oust(connection, self._settings.revoke_seconds)
            return offsets.claim(connection, self._group, logs)

    def _on_revoked(self, partitions: set[Partition]) -> None:
        """Give the batches under way a moment; after that the newer owner fences them."""
        self._claims = None  # they are claimed again, should they come back
        if self._open:
            rest = self._open.without(partitions)
            self._open = rest if rest.spans else None
        if not self._pipeline.wait_for_all(self._settings.revoke_seconds):
            _LOGGER.warning("partitions were taken away before their batch was committed")
        self._left_behind = True

    def _start_over(self) -> None:
        """Go back to what the table says: a batch held partitions that are no longer ours."""
        self._pipeline.give_up()
        self._left_behind = False
        self._distrust()

    def _distrust(self) -> None:
        """Claim everything anew, which names what is lost; batches under way end before that."""
        self._open = self._claims = None
        self._reader.reclaim()
