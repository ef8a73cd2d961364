"""What every proxy before a server does: it takes clients in, each with a way on to the server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Self

Pump = Callable[[], None]
Ways = Callable[[socket.socket, socket.socket], Iterable[Pump]]
"""Of a client and its server: what carries the bytes between them, each pump in a thread."""


class Relay:
    """Listens before the server at ``port`` of loopback; a context manager.

    ``ways`` is asked for the pumps of each new connection. A client is turned away while the
    server takes no connection.
    """

    def __init__(self, port: int, ways: Ways) -> None:
        self._target = port
        self._ways = ways
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                self._relay(client)

    def _relay(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        for pump in self._ways(client, server):
            threading.Thread(target=pump, daemon=True).start()


def hang_up(sockets: Iterable[socket.socket]) -> None:
    """Break connections, whoever waits at them."""
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
