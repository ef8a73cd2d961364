"""One embedded stack in one directory: broker, schema registry, database, all real.

>>> from devstack.stack import Stack
>>> stack = Stack.at(".aos")                # or Stack.at(".aos", db="postgres")
>>> stack.up()                              # doctest: +SKIP
>>> stack.bootstrap_servers                 # doctest: +SKIP
'127.0.0.1:23817'

From a shell, `python -m devstack up DIR` prints the three addresses, `status DIR`, `down DIR`
and `wipe DIR` do what they say.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Database = Literal["timescale", "postgres"]


@dataclass(frozen=True, slots=True)
class PartStatus:
    """How one server of the stack is.

    ``ready`` answers, ``starting`` has a process that does not answer yet, ``stopped`` has none.
    """

    name: str
    state: Literal["ready", "starting", "stopped"]
    pid: int | None
    address: str
    log: Path


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a long `Stack.up`: bytes when ``total`` is given, a mere step when it is not."""

    part: str
    step: str
    done: int = 0
    total: int | None = None


class Stack:
    """The servers of one directory; several stacks run side by side in several directories."""

    @classmethod
    def at(cls, directory: Path | str, db: Database | None = None) -> Stack:
        """Name the stack of a directory; ``db`` None keeps its database kind (TimescaleDB at first)."""
        raise NotImplementedError

    def up(self, progress: Callable[[Event], None] | None = None) -> None:
        """Fetch what is missing, start what does not run, return when every part answers."""
        raise NotImplementedError

    def down(self) -> None:
        """Stop what `up` started; the data stay."""
        raise NotImplementedError

    def status(self) -> list[PartStatus]:
        """Look at every part now: its process and whether it answers."""
        raise NotImplementedError

    def wipe(self) -> None:
        """Stop, then delete all data: topics, schema ids, tables. Ports and downloads stay."""
        raise NotImplementedError

    @contextmanager
    def lease(self, progress: Callable[[Event], None] | None = None) -> Iterator[Stack]:
        """Share the stack between processes: up for the first, down when the last one leaves."""
        raise NotImplementedError

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's ``host:port``."""
        raise NotImplementedError

    @property
    def registry_url(self) -> str:
        """The Confluent-compatible API, ready for ``SchemaRegistryClient({"url": ...})``."""
        raise NotImplementedError

    @property
    def database_url(self) -> str:
        """``postgresql://user:password@127.0.0.1:port/database`` (the password is random)."""
        raise NotImplementedError
