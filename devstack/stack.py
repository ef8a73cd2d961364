"""One embedded stack in one directory: broker, schema registry, database, all real.

>>> stack = Stack.at(".aos")                # or Stack.at(".aos", db="postgres")
>>> stack.up()                              # doctest: +SKIP
>>> stack.bootstrap_servers                 # doctest: +SKIP
'127.0.0.1:23817'

The directory holds ``state.json``, ``conf/``, ``logs/`` and ``data/``; a lock file keeps two starts
of one directory apart.
"""

from __future__ import annotations

import fcntl
import shutil
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from devstack.cache import cache_directory
from devstack.events import Event, Progressed, silent
from devstack.fetch import fetch_all
from devstack.kafka import Kafka
from devstack.parts import DATABASES, PartStatus, data_belong_together, parts, status_of
from devstack.process import start, stop
from devstack.registry import Registry
from devstack.server import Ended, Place, Server
from devstack.state import Database, State, locked
from runtime.errors import Configuration

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Database", "Event", "PartStatus", "Stack"]

Part = TypeVar("Part", bound=Server)


class Stack:
    """The servers of one directory; several stacks run side by side in several directories."""

    def __init__(self, directory: Path, db: Database | None = None) -> None:
        self.directory = directory
        self.cache = cache_directory()
        self._wanted = db
        self._state_file = directory / "state.json"
        self._guard = threading.Lock()  # over state.json, among the threads of one `up`

    @classmethod
    def at(cls, directory: Path | str, db: Database | None = None) -> Stack:
        """Name the stack of a directory; ``db`` None keeps its database, at first TimescaleDB.

        Raises:
            Configuration: there is no such kind of database.

        """
        if db is not None and db not in DATABASES:
            problem = f"there is no database {db!r}"
            raise Configuration(problem, mend=f"choose among {', '.join(DATABASES)}")
        return cls(Path(directory).absolute(), db)

    # ---- what clients need

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's ``host:port``."""
        return self._made(Kafka).address

    @property
    def registry_url(self) -> str:
        """The Confluent-compatible API, ready for ``SchemaRegistryClient({"url": ...})``."""
        return self._made(Registry).url

    @property
    def database_url(self) -> str:
        """``postgresql://user:password@host:port/database``; the password is this stack's own."""
        return self._made(DATABASES[self._load().database]).url

    # ---- the life of a stack

    def up(self, progress: Progressed = silent) -> None:
        """Fetch what is missing, start what does not run, return when every part answers.

        What runs already is left alone, so a second call is quick; what has died is started again
        on its data and its old port.

        Raises:
            Transient: a download failed; what is complete is kept.
            System: a part did not come up; the message quotes the end of its log.

        """
        with locked(self.directory / "lock"):
            state = self._load()
            self._change_database(state)
            fetch_all(self.cache, progress, timescale=state.database == "timescale")
            self._wipe_orphans(state, progress)
            self._give_ports(state)
            self._start_all(state, progress)

    def down(self) -> None:
        """Stop what `up` started; the data stay."""
        if not self._state_file.exists():
            return
        with locked(self.directory / "lock"):
            self._stop_all(self._load())

    def status(self) -> list[PartStatus]:
        """Look at every part now: its process and whether it answers."""
        state = self._load()
        return [status_of(part, state) for part in self._parts(state) if state.ports]

    def wipe(self) -> None:
        """Stop, then delete all data: topics, schema ids, tables. Ports and password stay."""
        if not self._state_file.exists():
            return
        with locked(self.directory / "lock"):
            self._wipe(self._load())

    @contextmanager
    def lease(self, progress: Progressed = silent) -> Iterator[Stack]:
        """Share the stack between processes: up for the first, down when the last one leaves.

        A holder that dies lets go as well; the next one to leave then stops the stack.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lease").open("a") as lease:
            fcntl.flock(lease, fcntl.LOCK_SH)
            self.up(progress)
            try:
                yield self
            finally:
                self._down_unless_shared(lease.fileno())

    # ---- how

    def _load(self) -> State:
        return State.load(self._state_file)

    def _place(self, state: State) -> Place:
        return Place(self.directory, self.cache, state.ports, state.password)

    def _made(self, kind: type[Part]) -> Part:
        state = self._load()
        if kind.port_names[0] not in state.ports:
            problem = f"there is no {kind.name} in {self.directory} yet"
            raise Configuration(problem, mend="start the stack first: aos up")
        return kind(self._place(state))

    def _parts(self, state: State) -> list[Server]:
        return parts(self._place(state), state.database)

    def _change_database(self, state: State) -> None:
        if self._wanted is None or self._wanted == state.database:
            return
        self._stop(DATABASES[state.database](self._place(state)), state)
        state.database = self._wanted

    def _give_ports(self, state: State) -> None:
        for part in self._parts(state):
            if not state.alive(part.name):
                for name in part.port_names:
                    state.keep_port(name)
        state.save(self._state_file)

    def _start_all(self, state: State, progress: Progressed) -> None:
        halt = threading.Event()
        servers = self._parts(state)
        with ThreadPoolExecutor(len(servers)) as pool:
            starts = [pool.submit(self._start, part, state, halt, progress) for part in servers]
            try:
                done, _ = wait(starts, return_when=FIRST_EXCEPTION)
            finally:
                halt.set()  # one has failed, or the user has had enough: the others stop waiting
        for each in done:
            each.result()

    def _start(
        self, part: Server, state: State, halt: threading.Event, progress: Progressed
    ) -> None:
        if not self._is_well(part, state, halt):
            progress(Event(part.name, "starting"))
            part.prepare()
            with self._guard:
                state.processes[part.name] = start(part.command(), part.log)
                state.save(self._state_file)
            part.wait_until_ready(state.processes[part.name], halt)
        progress(Event(part.name, "ready"))

    def _is_well(self, part: Server, state: State, halt: threading.Event) -> bool:
        if not state.alive(part.name):
            return False
        try:
            part.wait_until_ready(state.processes[part.name], halt)
        except Ended:  # it was on its way out when we looked
            return False
        return True

    def _stop_all(self, state: State) -> None:
        parts = self._parts(state)
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(lambda part: self._stop(part, state), parts))

    def _stop(self, part: Server, state: State) -> None:
        running = state.processes.get(part.name)
        if running is None:
            return
        stop(running, polite=part.polite_signal)
        with self._guard:
            del state.processes[part.name]
            state.save(self._state_file)

    def _wipe(self, state: State) -> None:
        self._stop_all(state)
        shutil.rmtree(self.directory / "data", ignore_errors=True)

    def _wipe_orphans(self, state: State, progress: Progressed) -> None:
        if not data_belong_together(self._place(state)):
            progress(Event("data", "wiped: a part had lost what others refer to"))
            self._wipe(state)

    def _down_unless_shared(self, lease: int) -> None:
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        self.down()
