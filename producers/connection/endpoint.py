"""One endpoint of a source: a server that is asked within bounds, and that proves who it is.

Each question runs under a watchdog. A connection on which it is overdue is never used again: the
pool is replaced, and what is left behind goes with its thread. Every connection tells the identity
of its database before it is used, so no cursor is carried on in another one, whatever a name or an
address has come to point to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, event

from producers.connection.database import identity_of, reading, shown
from producers.connection.faults import Away
from producers.connection.watchdog import OverdueError, Watch, watched
from runtime.breaker import Breaker
from runtime.errors import AosError, Configuration

Result = TypeVar("Result")
Work = Callable[[Connection], Result]

_IDENTITY: Final = "aos_identity"


class StrangerError(Configuration):
    """The endpoint is another database than the one that the cursors belong to."""


class Endpoint:
    """A server that holds the data of a source.

    Attributes:
        name: its address as it may be shown.
        breaker: says whether it is to be asked.
        error: why it was not of use when it was last asked; empty when it was.
        expected: the identity that it must have; None until one is settled.
    """

    def __init__(
        self,
        engine: Engine,
        step_seconds: float,
        breaker: Breaker,
        identity: str | None = None,
    ) -> None:
        self.engine = engine
        self.name = shown(engine.url.render_as_string())
        self.breaker = breaker
        self.error = ""
        self.expected: str | None = None
        self._step_seconds = step_seconds
        self._declared = identity

    def ask(self, doing: str, work: Work[Result], isolation: str | None = None) -> Result:
        """Lend ``work`` a connection, in a thread, and give what it gives.

        ``isolation`` is the level, in SQLAlchemy's words, where it is not the engine's.

        Raises:
            Away: there is no connection, or it died.
            StrangerError: it is another database.
            Transient: it may answer in a moment.
            Configuration: it refuses us, or lacks what the mapping names.
        """
        try:
            return watched(partial(self._work, doing, work, isolation), self._step_seconds)
        except OverdueError as error:
            self.engine.dispose(close=False)
            problem = f"{doing}: no answer for {self._step_seconds:g} s, not even a refusal"
            raise Away(problem, mend="see whether the database is up") from error

    def identity(self) -> str:
        """Ask which database it is.

        Raises:
            AosError: see :meth:`ask`.
        """
        return self.ask("asking who it is", self._told)

    def stranger(self, found: str) -> StrangerError:
        """Say that ``found`` is not the database that is expected."""
        problem = f"endpoint {self.name} is {found}, but the source is {self.expected}"
        mend = "take it out of source.endpoints; or, for copies of the same data that cannot "
        return StrangerError(problem, mend=f"{mend}tell so themselves, set source.identity")

    def lose(self, error: AosError, pause: float = 0.0) -> None:
        """Note that it is of no use now; it is left alone for ``pause`` seconds at least."""
        self.error = str(error)
        self.breaker.fail(for_sure=True, pause=pause)

    def stumble(self, error: AosError) -> None:
        """Note an error that may have been its fault."""
        self.error = str(error)
        self.breaker.fail()

    def recover(self) -> None:
        """Note that it answered."""
        self.error = ""
        self.breaker.succeed()

    def _work(self, doing: str, work: Work[Result], isolation: str | None, watch: Watch) -> Result:
        with reading(self.engine, doing) as connection:
            event.listen(connection, "before_cursor_execute", watch.renew)
            try:
                self._prove(connection)
                if isolation is not None:
                    connection.execution_options(isolation_level=isolation)
                return work(connection)
            finally:
                if watch.abandoned:
                    connection.invalidate()

    def _prove(self, connection: Connection) -> None:
        found = self._told(connection)
        if self.expected not in (None, found):
            raise self.stranger(found)

    def _told(self, connection: Connection) -> str:
        """Ask each connection once; the transaction of the question ends with it."""
        if self._declared is not None:
            return self._declared
        if _IDENTITY not in connection.info:
            connection.info[_IDENTITY] = identity_of(connection, self.engine.url)
            connection.rollback()
        return str(connection.info[_IDENTITY])
