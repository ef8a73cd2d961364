"""What every server of the stack is: a command, a readiness check, a log, data of its own."""

from __future__ import annotations

import signal
import socket
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from devstack.process import Command, Running, last_lines
from devstack.state import LOOPBACK
from runtime.errors import System

if TYPE_CHECKING:
    import threading

READY_SECONDS: Final = 120.0
"""How long a server may take to answer; a cold, busy machine is slow."""

_LOOK_EVERY_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server lives: its stack's directory, the ports it was given, the fetched files."""

    directory: Path
    cache: Path
    ports: dict[str, int]
    password: str


class Ended(System):
    """A server ended while it was waited for."""


class Server(ABC):
    """One server of one stack."""

    name: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]]
    polite_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, place: Place) -> None:
        self.place = place
        self.data = place.directory / "data" / self.name
        self.conf = place.directory / "conf"
        self.log = place.directory / "logs" / f"{self.name}.log"

    @property
    def port(self) -> int:
        """The port that clients use."""
        return self.place.ports[self.port_names[0]]

    @property
    def address(self) -> str:
        """``host:port`` for clients."""
        return f"{LOOPBACK}:{self.port}"

    @abstractmethod
    def has_data(self) -> bool:
        """Tell whether an earlier start left data."""

    @abstractmethod
    def prepare(self) -> None:
        """Write configuration, make the first data, mend what a crash left; the server is down."""

    @abstractmethod
    def command(self) -> Command:
        """Say how to start it."""

    @abstractmethod
    def answers(self) -> bool:
        """Ask it something real, and tell whether it answered; never waits for long."""

    def settle(self) -> None:  # noqa: B027 - most servers have nothing to settle
        """Do what can only be done once it answers."""

    def wait_until_ready(self, running: Running, halt: threading.Event) -> None:
        """Return when it answers.

        Raises:
            Ended: its process ended first.
            System: it did not answer in time. Both messages quote its log.

        """
        for _ in range(int(READY_SECONDS / _LOOK_EVERY_SECONDS)):
            if not running.alive():
                raise self._failure(Ended, "ended before it was ready")
            if self.answers():
                return self.settle()
            if halt.wait(_LOOK_EVERY_SECONDS):
                break
        raise self._failure(System, f"did not answer at {self.address} in time")

    def _failure(self, kind: type[System], what: str) -> System:
        problem = f"{self.name} {what}. The end of {self.log}:\n{last_lines(self.log)}"
        return kind(problem, mend=f"read {self.log}, then start again")


def exchange(port: int, request: bytes, size: int) -> bytes:
    """Send bytes to a loopback port and read ``size`` bytes back; fewer or none when it fails."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(request)
            return connection.recv(size, socket.MSG_WAITALL)
    except OSError:
        return b""
