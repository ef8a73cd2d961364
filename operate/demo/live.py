"""``aos demo --live``: AOS goes on reporting, and its readings are watched until they are visible.

Latency is taken from the moment at which the rows are committed in AOS to the moment at which this
process, which asks ten times a second, first sees the reading in its table.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from devstack.sample import insert_live
from operate.demo.place import Place
from operate.demo.stages import NAMES, Stages
from operate.settings import load
from sink.database import connect

_EVERY_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.1
_SHOWN: Final = 12
_REMEMBERED: Final = 2000
_SECONDS_BACK: Final = 60
_ARRIVED: Final = """
SELECT parameter, station_id, sensor_id, observed_at, round(value::numeric, 2), unit, flag
FROM weather.reading_all
WHERE observed_at >= now() - make_interval(secs => %s) AND measure IN (parameter, 'wind_speed')
ORDER BY observed_at, station_id, parameter
"""


class Seen(NamedTuple):
    """A reading as it stands in its table."""

    parameter: str
    station: str
    sensor: str
    observed_at: datetime
    value: Decimal | None
    unit: str
    flag: int


@dataclass(slots=True)
class Arrivals:
    """Matches what was committed in AOS with what becomes visible; seconds count from 1970."""

    inserted: int = 0
    visible: int = 0
    recent: deque[tuple[Seen, float]] = field(default_factory=lambda: deque(maxlen=_SHOWN))
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _committed: dict[datetime, float] = field(default_factory=dict)
    _seen: set[tuple[str, datetime]] = field(default_factory=set)

    def insert(self, observed_at: datetime, rows: int, now: float) -> None:
        """Note rows that are committed by now, and forget those that were long ago."""
        self.inserted += rows
        self._committed[observed_at] = now
        self._committed = {at: c for at, c in self._committed.items() if now - c < _SECONDS_BACK}
        self._seen = {known for known in self._seen if known[1] in self._committed}

    def see(self, readings: Iterable[Seen], now: float) -> None:
        """Note what is visible by now; only what is ours and was not seen before counts."""
        for reading in readings:
            known = (reading.sensor, reading.observed_at)
            committed = self._committed.get(reading.observed_at)
            if committed is not None and known not in self._seen:
                self._seen.add(known)
                self.visible += 1
                self.latencies.append(now - committed)
                self.recent.append((reading, now - committed))


def watch(place: Place, stages: Stages, console: Console) -> None:
    """Insert and watch until Ctrl-C.

    Raises:
        System: a stage has ended.
    """
    console.print(Text("AOS goes on reporting, once a second. Ctrl-C ends it.", style="bold"))
    arrivals, pause, due = Arrivals(), threading.Event(), time.monotonic()
    database = connect(load(place.settings).sink)
    with closing(database), suppress(KeyboardInterrupt), _screen(console) as draw:
        while True:
            stages.check(*NAMES)
            if time.monotonic() >= due:
                due += _EVERY_SECONDS
                _insert(place, arrivals)
            rows = database.execute(_ARRIVED, (_SECONDS_BACK,)).fetchall()
            arrivals.see(map(Seen._make, rows), time.time())
            draw(arrivals)
            pause.wait(_LOOK_SECONDS)


@contextmanager
def _screen(console: Console) -> Iterator[Callable[[Arrivals], None]]:
    """Give what draws arrivals: again and again on a terminal, a line a second in a log."""
    if console.is_terminal:
        with Live(console=console) as screen:
            yield lambda arrivals: screen.update(drawn(arrivals))
    else:
        yield Lines(console)


class Lines:
    """Prints a line, unless rows were not inserted since the last one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = 0

    def __call__(self, arrivals: Arrivals) -> None:
        """Say how it stands."""
        if arrivals.inserted > self._told:
            self._told = arrivals.inserted
            now = datetime.now(UTC)
            self._console.print(Text(f"{now:%H:%M:%S} ").append(_summary(arrivals)), soft_wrap=True)


def _insert(place: Place, arrivals: Arrivals) -> None:
    at = datetime.now(UTC)
    rows = insert_live(place.sample, at)
    arrivals.insert(at.replace(microsecond=0), rows, time.time())


def drawn(arrivals: Arrivals) -> RenderableType:
    """Draw the last arrivals, and how long readings take."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("observed (UTC)", "station", "parameter"):
        table.add_column(name, overflow="fold")
    table.add_column("value", justify="right", overflow="fold")
    table.add_column("unit", overflow="fold")
    for name in ("flag", "latency"):
        table.add_column(name, justify="right", overflow="fold")
    for r, seconds in arrivals.recent:
        value = "null" if r.value is None else f"{r.value}"
        shown = (f"{r.observed_at:%H:%M:%S}", r.station, r.parameter, value, r.unit, str(r.flag))
        table.add_row(*shown, f"{seconds:.2f} s")
    return Group(table, _summary(arrivals))


def _summary(arrivals: Arrivals) -> Text:
    told = f"{arrivals.inserted:,} rows inserted · {arrivals.visible:,} readings visible"
    if len(arrivals.latencies) > 1:
        median = statistics.median(arrivals.latencies)
        slow = statistics.quantiles(arrivals.latencies, n=100)[98]
        told += f" · from insert to visible: median {median:.2f} s, 99 of 100 within {slow:.2f} s"
    return Text(told, style="dim")
