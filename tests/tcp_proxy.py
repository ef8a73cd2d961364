"""A TCP proxy that can fall silent, or cut, in the middle of an answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Literal

from tests.tcp_relay import Pump, Relay, hang_up

Fault = Literal["stall", "cut"]


class Proxy(Relay):
    """Stands before a server; a context manager.

    After ``fault_after`` bytes of the server's have been passed on, nothing comes through any more:
    with ``stall`` the connections stay open and silent, with ``cut`` they break. Either way new
    ones are accepted and get no answer, until :meth:`mend`.
    """

    def __init__(
        self, port: int, fault: Fault = "stall", fault_after: float = float("inf")
    ) -> None:
        self._fault = fault
        self._left = fault_after
        self._closed = False
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.connections = 0
        self.passed = 0
        super().__init__(port, self._between)

    def __exit__(self, *_: object) -> None:
        self._closed = True
        super().__exit__()
        self._break()

    @property
    def faulty(self) -> bool:
        """Whether the fault has come."""
        return self._left <= 0

    def fail(self) -> None:
        """Let the fault come now."""
        self._left = 0
        if self._fault == "cut":
            self._break()

    def mend(self) -> None:
        """Serve new connections; what has hung until now is broken."""
        self._left = float("inf")
        self._break()

    def _between(self, client: socket.socket, server: socket.socket) -> Iterator[Pump]:
        self.connections += 1
        with self._lock:
            self._sockets += [client, server]
        if self._closed:  # while this connection was being made
            self._break()
            return
        yield partial(self._pump, client, server, answers=False)
        yield partial(self._pump, server, client, answers=True)

    def _pump(self, source: socket.socket, sink: socket.socket, *, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 14):
                if answers and not self._passes(data, sink):
                    return
                if not answers:
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def _passes(self, data: bytes, sink: socket.socket) -> bool:
        """Pass on what may still be passed on; say whether all of it was."""
        with self._lock:
            part = data[: int(max(0, min(self._left, len(data))))]
            self._left -= len(data)
            self.passed += len(part)
        sink.sendall(part)
        if len(part) < len(data) and self._fault == "cut":
            self._break()
        return len(part) == len(data)

    def _break(self) -> None:
        with self._lock:
            broken, self._sockets = self._sockets, []
        hang_up(broken)
