"""The API over fakes: workers that say what a test wants, orders that are written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient

from operate.api.app import build
from operate.api.context import Context
from operate.control.offsets.places import kafka_document
from operate.control.words import Heard, Snapshot
from operate.lag.sampling import Report
from operate.settings import Settings
from runtime.control.orders import Kind, Order, State, Status, Task

HERE = "http://127.0.0.1:8083"
WORKER = "host-a:7"


def status(connector: str, state: State = State.RUNNING, **more: Any) -> Status:
    """Give the word of a worker that began a minute ago and speaks each second."""
    now = datetime.now(UTC)
    begun = now - timedelta(minutes=1)
    given = {"worker": WORKER, "version": "0.1.0", "tasks": (Task("load", 5),), **more}
    told = {"since": begun, "started_at": begun, "told_at": now, "every_seconds": 1.0, **given}
    return Status(connector=connector, state=state, **told)


def heard(one: Status, ago: float = 0.0) -> Heard:
    """Say that it was heard so many seconds ago."""
    return Heard(one, datetime.now(UTC) - timedelta(seconds=ago))


@dataclass
class Fleet:
    """Workers and orders; also what listens to them, and what gives orders."""

    words: dict[str, Heard] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    restarts: list[tuple[str, str | None]] = field(default_factory=list)

    def says(self, one: Status, ago: float = 0.0) -> None:
        self.words[one.key] = heard(one, ago)

    def snapshot(self) -> Snapshot:
        return Snapshot(dict(self.words), dict(self.orders))

    def close(self) -> None:
        return

    def tell(self, connector: str, state: str) -> None:
        order = Order(Kind.STATE, connector, state, datetime.now(UTC))
        self.orders[order.key] = order

    def restart(self, connector: str, worker: str | None = None) -> None:
        self.restarts.append((connector, worker))

    def level(self, logger: str, level: str) -> None:
        order = Order(Kind.LEVEL, "", level, datetime.now(UTC), name=logger)
        self.orders[order.key] = order


@dataclass
class Lag:
    """The lag that a test wants."""

    found: list[Report] = field(default_factory=list)

    def reports(self) -> list[Report]:
        return self.found

    def begin(self) -> None:
        return

    def close(self) -> None:
        return


@dataclass
class Places:
    """Offsets that remember how they were moved."""

    moved: list[tuple[str, Any]] = field(default_factory=list)

    def read(self, stage: str) -> dict[str, Any]:
        return kafka_document({("weather.clean.wind.v1", 0): 125_000})

    def move(self, stage: str, asked: Any) -> None:
        self.moved.append((stage, asked))


@dataclass
class Api:
    """The app, and all that stands behind it."""

    settings: Settings = field(default_factory=Settings)
    fleet: Fleet = field(default_factory=Fleet)
    lag: Lag = field(default_factory=Lag)
    places: Places = field(default_factory=Places)

    def forget(self) -> None:
        """Begin anew, with the app that was built: that takes longer than most tests."""
        for kept in (self.fleet.words, self.fleet.orders, self.fleet.restarts):
            kept.clear()
        self.lag.found.clear()
        self.places.moved.clear()

    def client(self, base_url: str = HERE) -> TestClient:
        context = Context(self.settings, self.fleet, self.fleet, self.lag, self.places)
        return TestClient(build(context), base_url=base_url, raise_server_exceptions=False)
