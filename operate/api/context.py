"""What every route works with: the settings, and what they lead to, opened when it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, Self

from confluent_kafka.admin import AdminClient

from operate.control.connectors import channel_of
from operate.control.offsets.desk import OffsetDesk, Offsets
from operate.control.sender import Sender
from operate.control.words import Followed, Snapshot, Words
from operate.lag.looking import Looker
from operate.lag.sampling import Lags, Report, Sampler
from operate.settings import Settings
from runtime.kafka import check_reachable
from schemas.registry import Registry
from sink.database import Connection, Database


class Commands(Protocol):
    """Tells the stages what to do, wherever they run."""

    def tell(self, connector: str, state: str) -> None:
        """Say what state a connector is to be in from now on: RUNNING, PAUSED or STOPPED.

        Raises:
            AosError: the brokers do not answer.
        """

    def restart(self, connector: str, worker: str | None = None) -> None:
        """Have a connector's run ended cleanly and begun again; of one worker, or of all.

        Raises:
            AosError: the brokers do not answer.
        """

    def level(self, logger: str, level: str) -> None:
        """Have every stage log from a level on.

        Raises:
            AosError: the brokers do not answer.
        """


class Nobody:
    """Words of no worker at all, and the lag of no hop."""

    def snapshot(self) -> Snapshot:
        """Give nothing."""
        return Snapshot()

    def reports(self) -> list[Report]:
        """Give nothing."""
        return []

    def begin(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Context:
    """What routes are made with; a test gives other parts, or overrides what opens."""

    settings: Settings
    commands: Commands
    words: Words = field(default_factory=Nobody)
    """What the workers of all stages say of themselves."""
    lags: Lags = field(default_factory=Nobody)
    offsets: Offsets | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Make that of a deployment; nothing is connected yet."""
        channel = channel_of(settings)
        words = Followed(channel)
        lags = Sampler(Looker(settings), words, settings.api.sample_seconds)
        return cls(settings, Sender(channel), words, lags)

    @property
    def places(self) -> Offsets:
        """What knows where the connectors stand."""
        return self.offsets or OffsetDesk(self.settings)

    @contextmanager
    def admin(self) -> Iterator[AdminClient]:
        """Give a client that asks the brokers.

        Raises:
            Configuration: no broker answers.
        """
        check_reachable(self.settings.kafka)
        yield AdminClient(self.settings.kafka.client())

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """Give a client of the schema registry."""
        with closing(Registry(self.settings.registry)) as client:
            yield client

    @contextmanager
    def database(self, doing: str = "answering a request") -> Iterator[Connection]:
        """Give a connection within a transaction: committed at the end, or rolled back.

        Raises:
            AosError: what the database answered; ``doing`` says to whom.
        """
        with closing(Database(self.settings.sink)) as database:
            database.check()
            with database.transaction(doing) as connection:
                yield connection
