"""The demo from its first step to its last."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from confluent_kafka.admin import AdminClient
from rich.console import Console
from rich.text import Text

from devstack.events import Bars, Event
from devstack.sample import build
from operate.control.sender import let_all_run
from operate.demo import live, showing
from operate.demo.flow import Watch
from operate.demo.place import Place
from operate.demo.queries import HOURLY_MEANS, WORST, Answer, ask
from operate.demo.report import Report
from operate.demo.screen import Screen
from operate.demo.stages import API, NAMES, StageEnded, Stages
from operate.demo.tally import held_by_source, tally
from operate.settings import Settings, load
from runtime.kafka_topics import ensure_topics
from sink.database import Database

_LOOK_SECONDS: Final = 0.2
_STAY: Final = "Kafka, registry and database stay up, as they were before: `aos down` stops them"
_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo found, how many rows it added, and how many seconds each part of it took."""

    report: Report
    answers: tuple[Answer, ...]
    added: int
    seconds: dict[str, float]

    def as_document(self) -> dict[str, Any]:
        """Give it as JSON will have it."""
        seconds = {name: round(value, 1) for name, value in self.seconds.items()}
        queries = [found.as_document() for found in self.answers]
        told = {"rows_added": self.added, "seconds": seconds, "queries": queries}
        return {**self.report.as_document(), **told}


class Demo:
    """One run of the demo in one place."""

    def __init__(self, place: Place, console: Console) -> None:
        self._place = place
        self._console = console
        self._stages = Stages(place)
        self._seconds: dict[str, float] = {}

    def play(self, *, keep: bool = False, go_on: bool = False) -> Outcome:
        """Run the demo; ``keep`` leaves it running, ``go_on`` watches new rows until Ctrl-C.

        Whatever ends it, nothing stays that was not asked for.

        Raises:
            AosError: a part did not come up, or a stage has ended.
        """
        were_up = self._place.is_up()
        stays = False
        with _signals_interrupt():
            try:
                outcome = self._play(carry_on=keep or go_on)
                if go_on:
                    live.watch(self._place, self._stages, self._console)
                stays = keep
            except StageEnded as ended:
                self._quote(ended.stage)
                raise
            finally:
                if not stays:
                    self._clear(down=not were_up)
        return outcome

    def _play(self, *, carry_on: bool) -> Outcome:
        began = time.monotonic()
        if kept := self._stages.running():
            self._console.print(f"Stopping what an earlier demo left running: {', '.join(kept)}.")
        self._stages.stop()
        with self._timed("stack"):
            settings = self._prepare()
        with self._timed("flow"):
            added = self._flow(settings)
        with self._timed("counting"), self._console.status("counting the keys at every hop"):
            outcome = Outcome(tally(settings), _answers(settings), added, self._seconds)
        if carry_on:
            self._stages.start("source")  # this time without an end
            self._stages.start(API)
        self._seconds["total"] = time.monotonic() - began
        showing.page(self._console, outcome.report, outcome.answers)
        self._console.print(showing.times(added, self._seconds))
        if carry_on:
            showing.at_work(self._console, self._place.page)
        return outcome

    def _prepare(self) -> Settings:
        with Bars(self._console) as bars, ThreadPoolExecutor(1) as pool:
            bars(Event("sample", "building"))
            sample = pool.submit(build, self._place.sample)
            sample.add_done_callback(lambda _: bars(Event("sample", "ready")))
            self._place.stack.up(bars)
            sample.result()
        self._place.write_settings()
        settings = load(self._place.settings)
        admin = AdminClient(settings.kafka.client())
        made = ensure_topics(admin, settings.topics.specs(), settings.topics.replication)
        if settings.topics.control not in made:
            let_all_run(settings)  # an earlier session may have paused one of them
        return settings

    def _flow(self, settings: Settings) -> int:
        """Let the readings flow until all are loaded; give the number of rows that were added."""
        held = {parameter: h.readings for parameter, h in held_by_source(settings).items()}
        with closing(Watch(settings)) as watch:
            before = watch.look(0).inserted
            self._stages.start("source", "--once")
            self._stages.start("stream")
            self._stages.start("sink")
            showing.stages(self._console, {name: self._stages.pid(name) for name in NAMES})
            with Screen(self._console, held) as screen:
                self._watch(watch, screen)
            return watch.flow.inserted - before

    def _watch(self, watch: Watch, screen: Screen) -> None:
        began = time.monotonic()
        published = False
        while not (published and watch.is_drained()):
            self._stages.check("stream", "sink")
            published = published or self._stages.has_finished("source")
            doing = "the source has published all" if published else "the source is reading"
            screen.draw(watch.look(_LOOK_SECONDS), f"{doing} · {time.monotonic() - began:.0f} s")
        screen.finish(watch.flow, time.monotonic() - began)

    def _quote(self, stage: str) -> None:
        self._console.print(f"\nThe last lines of the {stage}'s log:", style="bold red")
        for line in self._stages.last_lines(stage):
            self._console.print(Text(f"  {line}"))

    def _clear(self, *, down: bool) -> None:
        with _signals_ignored(), self._console.status("stopping what was started"):
            self._stages.stop()
            if down:
                self._place.stack.down()
        told = "Kafka, registry and database are stopped, too" if down else _STAY
        self._console.print(f"\nThe stages are stopped; {told}. The data stay.")

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._seconds[part] = time.monotonic() - began


def _answers(settings: Settings) -> tuple[Answer, ...]:
    with (
        closing(Database(settings.sink)) as database,
        database.transaction("asking") as connection,
    ):
        return tuple(ask(connection, query) for query in (HOURLY_MEANS, WORST))


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let whatever asks us to end do it as Ctrl-C does: through every ``finally``."""
    before = [signal.signal(number, _interrupt) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Finish what must be finished; every step of it has an end of its own."""
    chosen = (*_SIGNALS, signal.SIGINT)
    before = [signal.signal(number, signal.SIG_IGN) for number in chosen]
    try:
        yield
    finally:
        for number, handler in zip(chosen, before, strict=True):
            signal.signal(number, handler)
