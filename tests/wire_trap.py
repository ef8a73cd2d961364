"""A proxy before PostgreSQL that understands its wire protocol, and holds a client where told.

So a process can be killed exactly there, and nothing in the product knows of it. The protocol is in
PostgreSQL's documentation, chapter "Frontend/Backend Protocol": each message of a client has a
letter, a length and a body; only the first ones have no letter.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from typing import Final

from tests.tcp_relay import Pump, Relay, hang_up

_STARTUP: Final = 196_608
_QUERIES: Final = b"QP"
_COPY_DATA: Final = ord("d")
_COPY_HEADER: Final = 19
"""Bytes before the first row; behind the last are fewer."""


class Boundary(StrEnum):
    """Where a client is held."""

    CLAIM = "before its claim of partitions"
    BEFORE_COPY = "before a COPY"
    IN_COPY = "in the middle of a COPY"
    BEFORE_COMMIT = "before the commit of a batch"
    AFTER_COMMIT = "behind the commit of a batch, its answer still to come"


class Trap(Relay):
    """Stands before a server; a context manager. It passes everything on until :meth:`arm`."""

    def __init__(self, port: int) -> None:
        self._boundary: Boundary | None = None
        self._skip = 0
        self._lock = threading.Lock()
        self._cut = False
        self._caught = threading.Event()
        self._released = threading.Event()
        super().__init__(port, self._between)

    def __exit__(self, *_: object) -> None:
        self.cut()
        super().__exit__()

    def arm(self, boundary: Boundary, skip: int = 0) -> None:
        """Hold the next client that comes to the boundary, or the one ``skip`` times later."""
        with self._lock:
            self._caught.clear()
            self._released.clear()
            self._boundary, self._skip, self._cut = boundary, skip, False

    def wait(self) -> None:
        """Wait until a client is held."""
        assert self._caught.wait(60), f"nobody came to the boundary {self._boundary}"

    def release(self) -> None:
        """Let it go on."""
        self._released.set()

    def cut(self) -> None:
        """Let nothing more of it reach the server: it is dead."""
        self._cut = True
        self._released.set()

    def springs(self, boundary: Boundary) -> bool:
        """Say whether a client at this boundary is to be held."""
        with self._lock:
            if boundary is not self._boundary:
                return False
            self._skip -= 1
            if self._skip >= 0:
                return False
            self._boundary = None
            return True

    def hold(self) -> None:
        """Hold whoever calls until :meth:`release`.

        Raises:
            EOFError: it was cut off meanwhile.
        """
        self._caught.set()
        self._released.wait()
        if self._cut:
            raise EOFError

    def _between(self, client: socket.socket, server: socket.socket) -> Iterable[Pump]:
        connection = _Connection(self, client, server)
        return connection.ask, connection.answer


class _Connection:
    """One client and its server."""

    def __init__(self, trap: Trap, client: socket.socket, server: socket.socket) -> None:
        self._trap = trap
        self._client = client
        self._server = server
        self._rest = b""
        self._copied = False
        self._holds_answer = False

    def ask(self) -> None:
        """Pass on what the client says, message by message."""
        with suppress(OSError, EOFError):
            while int.from_bytes((first := self._first())[4:8]) != _STARTUP:
                self._server.sendall(first)  # asks for encryption, which is refused
            self._server.sendall(first)
            while True:
                self._pass_on(self._read(5))
        self._close()

    def answer(self) -> None:
        """Pass on what the server says."""
        with suppress(OSError, EOFError):
            while data := self._server.recv(1 << 16):
                if self._holds_answer:
                    self._holds_answer = False
                    self._trap.hold()
                self._client.sendall(data)
        self._close()

    def _pass_on(self, head: bytes) -> None:
        body = self._read(int.from_bytes(head[1:]) - 4)
        boundary = self._boundary(head[0], body)
        if boundary is not None and self._trap.springs(boundary):
            if boundary is Boundary.IN_COPY:
                half = len(body) // 2
                self._server.sendall(head + body[:half])
                head, body = b"", body[half:]
            self._trap.hold()
        if self._copied and _is(head, body, b"COMMIT"):
            self._copied = False
            self._holds_answer = self._trap.springs(Boundary.AFTER_COMMIT)
        self._server.sendall(head + body)

    def _boundary(self, letter: int, body: bytes) -> Boundary | None:
        if letter == _COPY_DATA:
            return Boundary.IN_COPY if len(body) > _COPY_HEADER else None
        if letter not in _QUERIES:
            return None
        if b"COPY " in body:
            self._copied = True
            return Boundary.BEFORE_COPY
        if b"INSERT INTO ops.sink_offset" in body:
            return Boundary.CLAIM
        return Boundary.BEFORE_COMMIT if self._copied and b"COMMIT" in body[:16] else None

    def _first(self) -> bytes:
        size = self._read(4)
        return size + self._read(int.from_bytes(size) - 4)

    def _read(self, size: int) -> bytes:
        while len(self._rest) < size:
            data = self._client.recv(1 << 16)
            if not data:
                raise EOFError
            self._rest += data
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _close(self) -> None:
        hang_up((self._client, self._server))


def _is(head: bytes, body: bytes, word: bytes) -> bool:
    return head[:1] in {b"Q", b"P"} and word in body[:16]
