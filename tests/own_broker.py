"""A broker of a test's own, which it may kill: the session's is shared with other tests."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack.cache import cache_directory
from devstack.kafka import Kafka
from devstack.process import Running, start
from devstack.process import stop as end
from devstack.server import Place
from devstack.state import free_port
from runtime.kafka import KafkaSettings


class Broker:
    """Apache Kafka with data and ports that outlive its process; a context manager."""

    def __init__(self, directory: Path) -> None:
        port = free_port()
        ports = {"kafka": port, "kafka-controller": free_port({port})}
        self._server = Kafka(Place(directory, cache_directory(), ports, ""))
        self._running: Running | None = None
        self.kafka = KafkaSettings(bootstrap_servers=self._server.address)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, where it was, and wait until it answers."""
        self._server.prepare()
        self._running = start(self._server.command(), self._server.log)
        self._server.wait_until_ready(self._running, threading.Event())

    def kill(self) -> None:
        """End it at once."""
        if self._running is not None and (process := self._running.process()) is not None:
            process.kill()
            end(self._running)
