"""What a stack remembers in its directory: database kind, password, ports, and what runs."""

from __future__ import annotations

import fcntl
import json
import os
import random
import secrets
import socket
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from devstack.process import Running
from runtime.errors import System

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Database = Literal["timescale", "postgres"]

LOOPBACK: Final = "127.0.0.1"

# Below the range that systems hand out for outgoing connections, so that nobody takes a kept
# port by accident while the stack is down.
PORTS: Final = range(20_000, 32_000)


@dataclass(slots=True)
class State:
    """The contents of ``state.json``; ``processes`` may name some that have died since."""

    database: Database = "timescale"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, Running] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> State:
        """Read the state, or begin a new one where there is none.

        Raises:
            System: the file is not one of ours.

        """
        if not path.exists():
            return cls()
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            running = {
                name: Running(**process) for name, process in stored.pop("processes").items()
            }
            return cls(**stored, processes=running)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            problem = f"{path} cannot be read: {error}"
            mend = "end the servers it names by hand, then delete the directory"
            raise System(problem, mend=mend) from error

    def save(self, path: Path) -> None:
        """Write aside and rename: a crash leaves the old state or the new. For its owner's eyes."""
        aside = path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=2)
        aside.replace(path)

    def alive(self, name: str) -> bool:
        """Tell whether the server of that name runs."""
        return name in self.processes and self.processes[name].alive()

    def keep_port(self, name: str) -> None:
        """Choose the port of a server that is down, or keep the one it had.

        A port that a stranger has taken since is given up for another.
        """
        kept = self.ports.get(name)
        if kept is None or not is_free(kept):
            self.ports[name] = free_port(avoid=self.ports.values())


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do: a connection that is still closing does not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port(avoid: Collection[int] = ()) -> int:
    """Choose a free loopback port at random: two stacks that start at once hardly meet."""
    candidates = random.sample(PORTS, len(PORTS))
    for port in candidates:
        if port not in avoid and is_free(port):
            return port
    problem = f"no free port between {PORTS.start} and {PORTS.stop}"
    raise System(problem, mend="stop some of the servers on this machine")


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a lock file; the kernel lets go of it when its holder dies, however it dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
