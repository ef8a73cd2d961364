"""What the commands do with records, over HTTP: dead letters, reconciliations, lineage."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from operate.api.context import Context
from operate.dlq.choosing import Choice, Kind
from operate.dlq.desk import Desk
from operate.dlq.letters import Letter
from operate.dlq.redriving import Outcome
from operate.given import moment
from operate.lineage.impact import Change, impact
from operate.lineage.trace import trace
from operate.reconcile.ledger import Ledger
from operate.times import shown
from runtime.errors import AosError
from sink.database import Database

Which = Annotated[Literal["clean", "sink"] | None, Query(description="Only of this topic.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Texts = Annotated[list[str] | None, Query()]
Who = Annotated[str, Header(alias="X-Operator", description="Who asks, for the audit.")]


class Redrive(BaseModel):
    """Which letters are to be sent again: those named, or those of a reason, origin, station."""

    model_config = ConfigDict(extra="forbid")

    letters: list[str] = Field(default_factory=list)
    topic: Literal["clean", "sink"] | None = None
    reasons: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    everything: bool = False
    again: bool = False


class Edit(BaseModel):
    """What is to be changed, like ``{"value": 4.5, "unit": "degC"}``; null empties a field."""

    model_config = ConfigDict(extra="forbid")

    changes: dict[str, str | int | float | None] = Field(min_length=1)
    again: bool = False


def letters(context: Context) -> APIRouter:
    """Make the routes below ``/api/v1/dead-letters``."""
    routes = APIRouter(tags=["dead letters"])

    @routes.get("")
    def newest(
        topic: Which = None,
        reason: Texts = None,
        station: Texts = None,
        since: Annotated[str | None, Query()] = None,
        limit: Limit = 50,
    ) -> list[dict[str, Any]]:
        """Give the newest dead letters, the newest first, and whether they were redriven."""
        choice = Choice(tuple(reason or ()), (), tuple(station or ()), _moment(since))
        with Desk(context.settings) as desk:
            found = sorted(desk.letters(choice, topic), key=lambda one: one.time)
            return _told(desk, [*reversed(deque(found, limit))])

    @routes.get("/counts")
    def counts(by: Annotated[list[Kind], Query()], topic: Which = None) -> list[dict[str, Any]]:
        """Count dead letters by reason, topic, station or age."""
        with Desk(context.settings) as desk:
            return desk.counts(Choice(), by, datetime.now(UTC), topic)

    @routes.get("/history")
    def history(limit: Limit = 50) -> list[dict[str, Any]]:
        """Say who redrove what, when and where to."""
        with Desk(context.settings) as desk:
            return desk.history(limit)

    _redriving(routes, context)
    _one_letter(routes, context)
    return routes


def _redriving(routes: APIRouter, context: Context) -> None:
    @routes.post("/redrive")
    def redrive(asked: Annotated[Redrive, Body()], who: Who = "") -> list[dict[str, Any]]:
        """Send letters where they came from, as they are; each redrive stands in the audit."""
        choice = Choice(asked.reasons, asked.origins, asked.stations)
        if not (asked.letters or asked.topic or asked.everything) and choice.is_all:
            told = "name letters, give a filter, or say everything"
            raise HTTPException(HTTPStatus.BAD_REQUEST, told)
        with Desk(context.settings, who or None) as desk:
            named = map(desk.letter, asked.letters)
            chosen = named if asked.letters else desk.letters(choice, asked.topic)
            return [_outcome(one) for one in desk.redrive(chosen, again=asked.again)]


def _one_letter(routes: APIRouter, context: Context) -> None:
    @routes.get("/{letter}")
    def show(letter: Annotated[str, Path(description="Like clean:0:17.")]) -> dict[str, Any]:
        """Give one letter: headers, its record as far as it can be read, why it failed."""
        with Desk(context.settings) as desk:
            found = desk.letter(letter)
            contents = asdict(desk.contents(found))
            fields = {name: shown(name, value) for name, value in contents["fields"].items()}
            (told,) = _told(desk, [found])
        return {**told, "contents": {**contents, "fields": fields}, "headers": found.told}

    @routes.post("/{letter}/edit")
    def edit(letter: str, asked: Annotated[Edit, Body()], who: Who = "") -> dict[str, Any]:
        """Redrive a changed copy of a letter in its place; it has to fit the schema."""
        changes = [f"{n}={'null' if v is None else v}" for n, v in asked.changes.items()]
        with Desk(context.settings, who or None) as desk:
            return _outcome(desk.edit(desk.letter(letter), changes, again=asked.again))


def reconciliations(context: Context) -> APIRouter:
    """Make the routes below ``/api/v1/reconciliations``."""
    routes = APIRouter(tags=["reconciliations"])

    @routes.get("")
    def newest(limit: Limit = 20) -> list[dict[str, Any]]:
        """Give the newest comparisons of source, topics and tables."""
        with _ledger(context) as ledger:
            return ledger.newest(limit)

    @routes.get("/{run}")
    def one(run: int) -> dict[str, Any]:
        """Give all that a comparison found."""
        with _ledger(context) as ledger:
            found = ledger.one(run)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"Reconciliation {run} not found")
        return found

    return routes


def lineage(context: Context) -> APIRouter:
    """Make the routes ``/lineage`` and ``/impact`` below ``/api/v1``."""
    routes = APIRouter(tags=["lineage"])

    @routes.get("/lineage/{sensor}/{time}")
    def follow(sensor: str, time: str, history: bool = False) -> dict[str, Any]:
        """Follow a reading from the row of its source to the row of its table."""
        return asdict(trace(context.settings, sensor, moment("TIME", time), whole=history))

    @routes.get("/impact/{change}/{name}")
    def touched(
        change: Change, name: str, since: str | None = None, until: str | None = None
    ) -> list[dict[str, Any]]:
        """Count the readings that a change of a sensor, mapping, ruleset … touches."""
        found = impact(context.settings, change, name, _moment(since), _moment(until))
        return [asdict(one) for one in found]

    return routes


@contextmanager
def _ledger(context: Context) -> Iterator[Ledger]:
    with closing(Database(context.settings.sink)) as database:
        database.check()
        yield Ledger(database, "")


def _told(desk: Desk, some: Sequence[Letter]) -> list[dict[str, Any]]:
    """Give letters with how their last redrive stands; that is null where nobody can say."""
    stands: list[dict[str, Any] | None]
    try:
        stands = [asdict(one) if one else {} for one in desk.stands(some)]
    except AosError:
        stands = [None] * len(some)
    return [
        {**letter.as_document(), "redriven": stand}
        for letter, stand in zip(some, stands, strict=True)
    ]


def _outcome(one: Outcome) -> dict[str, Any]:
    letter = one.letter
    return {
        "letter": str(letter.place),
        "state": one.state,
        "to": letter.origin.topic,
        "key": letter.station,
        "why": one.why,
    }


def _moment(text: str | None) -> datetime | None:
    return moment("since", text) if text else None
