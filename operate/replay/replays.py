"""What an operator does with replays, by the settings of a deployment: for CLI and API."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Final, Self

from operate.audit import Act, Audit, operator
from operate.given import wrong
from operate.lineage.telling import lineage_of
from operate.replay.catching_up import wait_for_sink
from operate.replay.difference import Comparison, Difference
from operate.replay.flows import flow_of_promotion, flow_of_replay
from operate.replay.ledger import Entry, Ledger
from operate.replay.planning import Plan, planned_for
from operate.replay.promotion import Promotion, let_hold, refuse_number
from operate.replay.shadow import Shadow
from operate.settings import Settings
from runtime.errors import AosError, Configuration
from schemas.registry import Registry
from schemas.topics import PARAMETERS
from sink import migrate
from sink.database import Database
from stream_app.replay.pace import Pace
from stream_app.replay.plan import plan
from stream_app.replay.request import Request
from stream_app.replay.run import replay, world

_OVER: Final = frozenset({"promoted", "dropped"})
Tell = Callable[[Entry], None]


class Replays:
    """Begins, follows, compares, promotes and drops replays."""

    def __init__(self, settings: Settings, who: str | None = None) -> None:
        self._settings = settings
        self._who = who or operator()
        self._opened = ExitStack()
        self._registry = self._opened.enter_context(closing(Registry(settings.registry)))
        self._database = self._opened.enter_context(closing(Database(settings.sink)))
        self._ledger = Ledger(self._database)

    def __enter__(self) -> Self:
        """Log in.

        Raises:
            Configuration: the database cannot be reached, or its tables are not up to date.
        """
        try:
            self._database.check()
            migrate.check_migrated(self._database)
        except BaseException:
            self._opened.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of registry and database."""
        self._opened.close()

    def all(self) -> list[Entry]:
        """Give the newest replays."""
        return self._ledger.newest()

    def one(self, name: str) -> Entry:
        """Give one.

        Raises:
            Configuration: there is none of that name.
        """
        found = self._ledger.one(name)
        if found is None:
            mend = "see `aos replay list`"
            raise wrong(name, "there is no such replay", mend, name="NAME")
        return found

    def plan(self, request: Request, *, name: str | None = None, incomplete: bool = False) -> Plan:
        """Say what a replay would read.

        Raises:
            Configuration: retention has dropped some of it, or nothing has been read so far.
            AosError: brokers or registry do not answer.
        """
        return planned_for(self._settings, self._registry, request, name, incomplete=incomplete)

    def begun(self, name: str) -> Entry | None:
        """Give the replay of a name, if it is there and not over."""
        found = self._ledger.one(name)
        return None if found is None or found.state in _OVER else found

    def begin(self, planned: Plan, *, into_live: bool = False) -> Entry:
        """Write a replay down and make its topics and tables.

        Raises:
            Configuration: its name is taken, or what it asks for cannot be promoted.
            AosError: brokers or database do not answer.
        """
        request, name = planned.request, planned.name
        if self._ledger.one(name) is not None:
            problem, mend = "a replay of this name is over", "give it another --name"
            raise wrong(name, problem, mend, name="--name")
        if into_live and request.ruleset is not None and not request.is_of_all:
            problem = "a ruleset judges all stations and parameters"
            raise Configuration(problem, mend="replay all of them, or replay --into shadow")
        values = name, self._who, request, planned.stands, planned.records
        self._ledger.begin(*values, into_live=into_live)
        entry = self.one(name)
        with self._on_record("replay", entry):
            Shadow(self._settings, self._database, name).make()
        return entry

    def go_on(self, name: str, rate: float | None, stop: threading.Event, tell: Tell) -> Entry:
        """Do what is left of a replay, until it is ready, or promoted where that is wanted.

        Raises:
            Fenced: the same replay goes on elsewhere.
            AosError: it cannot go on now; begun again, it goes on where it was.
        """
        try:
            flow = flow_of_replay(self.one(name))
            with lineage_of(self._settings, "replay", flow, beats=True):
                entry = self._readied(name, rate, stop, tell)
            if (entry.state == "ready" and entry.into_live) or entry.state == "promoting":
                return self.promote(name, stop, tell)
        except AosError as error:
            self._ledger.turn(name, self.one(name).state, str(error))
            raise
        return entry

    def differences(self, name: str, most: int = 10) -> list[Difference]:
        """Say what would change if a replay were promoted.

        Raises:
            Configuration: there is none, or it is not ready.
            AosError: the database does not answer.
        """
        entry = self._ready(name, ("ready", "promoting", "promoted"))
        number = self._ledger.promotion(name)
        found = []
        for parameter in PARAMETERS:
            with self._database.transaction("comparing a replay") as connection:
                found.append(Comparison(connection, entry, number).difference(parameter, most))
        return found

    def promote(self, name: str, stop: threading.Event, tell: Tell) -> Entry:
        """Make a replay stand: its ruleset holds from now on, and its verdicts are written.

        Raises:
            Configuration: there is none, it is not ready, or its ruleset cannot hold.
            System: no revision is left for it.
            AosError: brokers or database do not answer; said again, it does what is left.
        """
        entry = self.promotable(name)
        number = self._ledger.promotion(name)
        refuse_number(entry, number)
        told = lineage_of(self._settings, "replay.promote", flow_of_promotion(entry))
        with told, self._on_record("promote a replay", entry):
            wait_for_sink(self._settings, self._database, stop)
            let_hold(self._settings, entry, self._who)
            self._ledger.take_number(name, number)
            self._ledger.turn(name, "promoting")
            work = self._settings, self._database, self._registry, entry, number
            Promotion(*work).run(lambda _sent: tell(self.one(name)))
            self._ledger.turn(name, "promoted")
        return self.one(name)

    def promotable(self, name: str) -> Entry:
        """Give a replay that may be promoted.

        Raises:
            Configuration: there is none, or it is not ready.
        """
        return self._ready(name, ("ready", "promoting"))

    def drop(self, name: str) -> Entry:
        """Delete topics and tables of a replay; what was promoted stays, and so does the entry.

        Raises:
            Configuration: there is none.
            AosError: brokers or database do not answer.
        """
        entry = self.one(name)
        with self._on_record("drop a replay", entry):
            Shadow(self._settings, self._database, name).drop()
            self._ledger.turn(name, "dropped")
        return self.one(name)

    def _readied(self, name: str, rate: float | None, stop: threading.Event, tell: Tell) -> Entry:
        steps = {"judging": self._judge, "loading": self._load}
        while (state := self.one(name).state) in steps and not stop.is_set():
            steps[state](self.one(name), Pace(rate, stop), stop, tell)
            tell(self.one(name))
        return self.one(name)

    def _judge(self, entry: Entry, pace: Pace, stop: threading.Event, tell: Tell) -> None:
        where = self._settings.kafka, self._settings.topics, self._registry
        Shadow(self._settings, self._database, entry.name).make()
        parts, _ = plan(*where, entry.request, self._ledger.stands(entry.name))

        def told(done: int, sent: int) -> None:
            self._ledger.went_on(entry.name, done, sent)
            tell(self.one(entry.name))

        with world(entry.name, entry.request, self._settings.stream, *where) as found:
            replay(found, parts, pace, stop, told)
        if not stop.is_set():
            self._ledger.turn(entry.name, "loading")

    def _load(self, entry: Entry, _pace: Pace, _stop: threading.Event, _tell: Tell) -> None:
        Shadow(self._settings, self._database, entry.name).load(self._registry)
        self._ledger.turn(entry.name, "ready")

    def _ready(self, name: str, states: tuple[str, ...]) -> Entry:
        entry = self.one(name)
        if entry.state not in states:
            mend = f"{states[0]} is what it has to be; `aos replay resume {name}` goes on with it"
            raise wrong(name, f"it is {entry.state}", mend, name="NAME")
        return entry

    @contextmanager
    def _on_record(self, action: str, entry: Entry) -> Iterator[None]:
        """Note in ops.audit what is done, and how it ended."""
        audit = Audit(self._database, action, self._who)
        act = Act(entry.name, entry.row["started_at"], entry.row["destination"])
        numbers = audit.begin([act], entry.document(), again=True).values()
        try:
            yield
        except BaseException:
            audit.finish(numbers, "failed")
            raise
        audit.finish(numbers)
