"""The endpoints of a source: servers of the same data, the first that answers is read.

They stand in the order in which they are preferred. While one is away its breaker is open, and it
is probed beside the reading; once it answers, reading returns to it. A question is asked of the
next endpoint in the same breath, so a page that was cut off in its middle is read there, whole.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from sqlalchemy import Engine, make_url

from producers.connection import archive
from producers.connection.database import open_engine
from producers.connection.endpoint import Endpoint, StrangerError, Work
from producers.connection.faults import Away, Busy
from producers.settings import SourceSettings
from runtime.breaker import Breaker, Circuit
from runtime.errors import AosError, System, Transient

_LOGGER: Final = logging.getLogger("aos.source")
Result = TypeVar("Result")
Opening = Callable[[SourceSettings, str], Engine]


class Endpoints:
    """A source database, wherever it is to be had at the moment."""

    def __init__(self, endpoints: list[Endpoint]) -> None:
        self._endpoints = endpoints
        self._used = endpoints[0]
        self.dialect = endpoints[0].engine.dialect.name

    @classmethod
    def open(cls, settings: SourceSettings, opening: Opening = open_engine) -> Endpoints:
        """Make the endpoints that the settings name; nothing is connected yet.

        ``opening`` makes the engine of an address, where it is to be another than usual.

        Raises:
            Configuration: an address is none, or its driver is not here.
        """
        longest = max(settings.login_timeout_seconds, settings.query_timeout_seconds)
        step = longest + settings.grace_seconds
        return cls(
            [
                Endpoint(opening(settings, at), step, Breaker(), _declared(settings, at))
                for at in (settings.url, *settings.endpoints)
            ]
        )

    @classmethod
    @contextmanager
    def settled(cls, settings: SourceSettings) -> Iterator[Endpoints]:
        """Lend endpoints that are known to be one database, for a look at it; then close them.

        Raises:
            AosError: none of them answers, or they are not one.
        """
        database = cls.open(settings)
        try:
            database.settle(lambda: None)
            yield database
        finally:
            database.dispose()

    @property
    def circuits(self) -> dict[str, Circuit]:
        """What the breaker of each endpoint does, by its shown address."""
        return {endpoint.name: endpoint.breaker.state for endpoint in self._endpoints}

    def settle(self, known: Callable[[], str | None]) -> str:
        """Find out which database this is; endpoints of another one are refused, each in one line.

        ``known`` gives the identity that stored cursors belong to; it is asked only where the
        endpoints do not agree. Otherwise the preferred endpoint decides.

        Raises:
            AosError: none of them answers: the error of the preferred one.
        """
        with ThreadPoolExecutor(len(self._endpoints)) as at_once:
            answers = list(at_once.map(_identity, self._endpoints))
        found = [answer for answer in answers if isinstance(answer, str)]
        if not found:
            raise next(answer for answer in answers if isinstance(answer, AosError))
        stored = known() if len(set(found)) > 1 else None
        chosen = stored if stored in found else found[0]
        for endpoint, answer in zip(self._endpoints, answers, strict=True):
            endpoint.expected = chosen
            if isinstance(answer, AosError):
                self._lose(endpoint, answer)
            elif answer != chosen:
                self._lose(endpoint, endpoint.stranger(answer))
        return chosen

    def ask(self, doing: str, work: Work[Result], isolation: str | None = None) -> Result:
        """Lend ``work`` a connection of the first endpoint that answers; it must only read.

        ``work`` runs in another thread, and once for each endpoint that fails in its middle.

        Raises:
            Transient: no endpoint answers, or this one may in a moment.
            Configuration: it refuses us, or lacks what the mapping names.
        """
        self._probe_those_away()
        failed: list[AosError] = []
        for endpoint in self._usable():
            try:
                result = endpoint.ask(doing, work, isolation)
            except (Away, Busy, StrangerError) as error:
                self._lose(endpoint, error)
                failed.append(error)
            except (Transient, System) as error:
                endpoint.stumble(error)
                raise
            else:
                self._use(endpoint)
                return result
        raise failed[0] if failed else self._nobody(doing)

    def dispose(self) -> None:
        """Close what is idle."""
        for endpoint in self._endpoints:
            endpoint.engine.dispose()

    def _usable(self) -> Iterator[Endpoint]:
        """Give those that answered last, by preference; behind them those whose pause is over."""
        closed = [e for e in self._endpoints if e.breaker.state is Circuit.CLOSED]
        yield from closed
        yield from (e for e in self._endpoints if e not in closed and e.breaker.allows())

    def _probe_those_away(self) -> None:
        away = [e for e in self._endpoints if e.breaker.state is not Circuit.CLOSED]
        if len(away) == len(self._endpoints):
            return
        for endpoint in away:
            if endpoint.breaker.allows():
                threading.Thread(target=_probe, args=(endpoint,), daemon=True).start()

    def _use(self, endpoint: Endpoint) -> None:
        endpoint.recover()
        if endpoint is not self._used:
            _LOGGER.warning(
                "reading goes on at %s, no longer at %s", endpoint.name, self._used.name
            )
            self._used = endpoint

    def _lose(self, endpoint: Endpoint, error: AosError) -> None:
        if endpoint.error != str(error):
            _LOGGER.warning("endpoint %s is left out: %s", endpoint.name, error)
        endpoint.lose(error, error.seconds if isinstance(error, Busy) else 0.0)

    def _nobody(self, doing: str) -> Away:
        problem = f"{doing}: no endpoint is to be asked just now; {self._used.error}"
        return Away(problem, mend="wait; it is asked again by itself")


def _declared(settings: SourceSettings, address: str) -> str | None:
    url = make_url(address)
    return settings.identity or (archive.identity_of(url) if archive.is_archive(url) else None)


def _identity(endpoint: Endpoint) -> str | AosError:
    try:
        return endpoint.identity()
    except AosError as error:
        return error


def _probe(endpoint: Endpoint) -> None:
    """Make the trial call that a breaker allows."""
    try:
        endpoint.identity()
    except AosError as error:
        endpoint.lose(error)
    else:
        endpoint.recover()
