"""Replays over HTTP: see them, begin one, compare it, promote it, drop it.

A replay that is begun here is at work in the API's process. It ends with it, and goes on when it is
resumed, here or by ``aos replay resume``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from operate.api.context import Context
from operate.given import micros_of
from operate.replay.asking import known_ruleset, request_of
from operate.replay.drawing import documents
from operate.replay.ledger import Entry
from operate.replay.replays import Replays
from operate.settings import Settings
from runtime.errors import AosError
from schemas.topics import PARAMETERS
from stream_app.replay.request import Request

_LOG: Final = logging.getLogger("aos.replay")

Who = Annotated[str, Header(alias="X-Operator", description="Who asks, for the audit.")]
Limit = Annotated[int, Query(ge=1, le=1000)]


class Asked(BaseModel):
    """A replay that is asked for; times name their zone."""

    model_config = ConfigDict(extra="forbid")

    since: str = Field(alias="from")
    until: str = Field(alias="to")
    stations: tuple[str, ...] = ()
    parameters: tuple[str, ...] = PARAMETERS
    ruleset: str | None = Field(default=None, description="A version, built in or published.")
    into: Literal["shadow", "live"] = "shadow"
    rate: float | None = Field(default=None, ge=1, description="Raw records a second, at most.")
    name: str | None = Field(default=None, description="Else named after what is asked for.")
    incomplete: bool = False

    def request(self, settings: Settings) -> Request:
        """Give what is asked for.

        Raises:
            Configuration: a time, a parameter or the ruleset is none.
        """
        rules = known_ruleset(settings, self.ruleset) if self.ruleset else None
        times = micros_of(self.since, "from"), micros_of(self.until, "to")
        return request_of(*times, self.stations, self.parameters, rules)


class AtWork:
    """Replays that are at work in this process, each in a thread of its own."""

    def __init__(self) -> None:
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, work: Callable[[threading.Event], object]) -> None:
        """Begin to work at a replay, unless that is being done."""
        with self._lock:
            if (before := self._threads.get(name)) is not None and before.is_alive():
                return
            made = threading.Thread(target=_worked, args=(name, work), daemon=True)
            self._threads[name] = made
            made.start()


def _worked(name: str, work: Callable[[threading.Event], object]) -> None:
    try:
        work(threading.Event())
    except AosError as error:
        # Nobody waits for it here; the ledger says so, too.
        _LOG.warning("replay %s is broken off: %s", name, error)


class Doing:
    """What changes replays, each in the name of whoever asks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._at_work = AtWork()

    def begin(self, asked: Asked, who: Who = "api") -> dict[str, Any]:
        """Begin a replay, or go on with it."""
        with Replays(self._settings, who) as desk:
            wanted = asked.request(self._settings)
            planned = desk.plan(wanted, name=asked.name, incomplete=asked.incomplete)
            entry = desk.begun(planned.name)
            entry = entry or desk.begin(planned, into_live=asked.into == "live")
        self._go_on(entry.name, who, asked.rate)
        return entry.document()

    def resume(self, name: str, who: Who = "api") -> dict[str, Any]:
        """Go on with a replay that was broken off."""
        with Replays(self._settings, who) as desk:
            entry = desk.one(name)
        self._go_on(name, who, None)
        return entry.document()

    def promote(self, name: str, who: Who = "api") -> dict[str, Any]:
        """Make a replay stand: its verdicts win, and its ruleset holds for its times."""
        with Replays(self._settings, who) as desk:
            entry = desk.promotable(name)

        def work(stop: threading.Event) -> None:
            with Replays(self._settings, who) as desk:
                desk.promote(name, stop, _nobody_looks)

        self._at_work.begin(name, work)
        return entry.document()

    def drop(self, name: str, who: Who = "api") -> dict[str, Any]:
        """Delete topics and tables of a replay; what was promoted stays."""
        with Replays(self._settings, who) as desk:
            return desk.drop(name).document()

    def _go_on(self, name: str, who: str, rate: float | None) -> None:
        def work(stop: threading.Event) -> None:
            with Replays(self._settings, who) as desk:
                desk.go_on(name, rate, stop, _nobody_looks)

        self._at_work.begin(name, work)


def router(context: Context) -> APIRouter:
    """Make the routes below ``/api/v1/replays``."""
    routes, settings = APIRouter(tags=["replays"]), context.settings
    doing, soon = Doing(settings), HTTPStatus.ACCEPTED

    @routes.get("")
    def newest() -> list[dict[str, Any]]:
        """Give the newest replays."""
        with Replays(settings) as desk:
            return [one.document() for one in desk.all()]

    @routes.get("/{name}")
    def one(name: str) -> dict[str, Any]:
        """Give all that is known of a replay."""
        with Replays(settings) as desk:
            return desk.one(name).document()

    @routes.get("/{name}/diff")
    def diff(name: str, limit: Limit = 10) -> list[dict[str, Any]]:
        """Say what would change if a replay were promoted now."""
        with Replays(settings) as desk:
            return documents(desk.differences(name, limit))

    routes.add_api_route("", doing.begin, methods=["POST"], status_code=soon)
    routes.add_api_route("/{name}/resume", doing.resume, methods=["POST"], status_code=soon)
    routes.add_api_route("/{name}/promote", doing.promote, methods=["POST"], status_code=soon)
    routes.add_api_route("/{name}", doing.drop, methods=["DELETE"])
    return routes


def _nobody_looks(_entry: Entry) -> None:
    """Draw nothing."""
