"""The course that contestants run on: raw topics of a given length, made once, and the rounds."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Final

from rich.progress import Progress

from bench.contestants import Contestant, Ours, Place, padding_for
from bench.drain import Offsets, Processes, Took
from bench.harness import Run
from bench.stream_data import Publisher, Readings
from runtime.kafka import KafkaSettings
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics

PARTITIONS: Final = 4
_SAMPLE: Final = 20_000
_WHOLE: Final = 1000


class Course:
    """A broker with sets of raw readings on it."""

    def __init__(self, directory: Path, kafka: KafkaSettings, registry: RegistrySettings) -> None:
        self._directory = directory
        self._kafka = kafka
        self._registry = registry
        self._schemas = Registry(registry)
        self._sets: dict[Readings, Topics] = {}
        self._numbers = itertools.count()
        self._padding = 0
        self.raw_bytes: dict[Readings, int] = {}

    def race(
        self, contestants: Mapping[str, Contestant], rounds: Mapping[str, int]
    ) -> dict[str, Run]:
        """Run each over a short and a long set, in its own number of rounds; give rates and CPU.

        ``rounds`` has the names of the contestants.
        """
        self._learn_padding()
        for contestant in contestants.values():  # before anybody runs, or it falls to the first
            for size in contestant.sizes:
                self._published(Readings(size))
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
        with Progress(transient=True) as progress:
            task = progress.add_task("", total=sum(rounds.values()))
            for number, name in turns(rounds):
                progress.update(task, description=f"round {number}: {name}")
                found[name].append(slope := self.slope(name, contestants[name]))
                progress.console.print(f"{name}: {slope[0]:,.0f}/s, {slope[1]:.2f} µs")
                progress.advance(task)
        return {run.name: run for name, each in found.items() for run in runs_of(name, each)}

    def slope(self, name: str, contestant: Contestant, sensors: int = 4200) -> tuple[float, float]:
        """Give readings a second and CPU microseconds a reading, between its two sizes.

        The rate is that of the long run behind its first readings: a difference of the seconds of
        two runs would hold the noise of two starts. CPU is the difference of the two runs.
        """
        less, more = contestant.sizes
        small = self.drain(name, contestant, Readings(less, sensors))
        large = self.drain(name, contestant, Readings(more, sensors), mark=less)
        return large.rate, (large.cpu - small.cpu) / (more - less) * 1e6

    def drain(self, name: str, contestant: Contestant, readings: Readings, mark: int = 1) -> Took:
        """Let a contestant drain a set, and hold its output against the set.

        Raises:
            WrongOutput: it left something out, or made something up.
        """
        place = self.place(readings)
        contestant.prepare(place)
        with Processes(contestant.commands(place), self._directory / f"{place.name}.log") as run:
            took = run.until(self.offsets(contestant, place), readings.count, mark)
        contestant.output(place).check(name, readings)
        contestant.tidy(place)
        return took

    def place(self, readings: Readings) -> Place:
        """Make a place for one run over a set."""
        topics = self._published(readings)
        return Place(
            self._kafka,
            self._registry,
            topics,
            readings,
            self._directory,
            f"bench{next(self._numbers)}",
            self._padding,
        )

    def offsets(self, contestant: Contestant, place: Place) -> Offsets:
        """Watch how far a contestant comes."""
        return Offsets(self._kafka, contestant.group(place), place.raw, place.topics.partitions)

    def one_more_minute(self, place: Place) -> Place:
        """Write a minute more behind a set, which nobody else is to use then."""
        self._sets.pop(place.readings, None)
        before = place.readings
        more = replace(before, count=before.count + before.sensors)
        Publisher(self._kafka, self._schemas, place.topics).add(more, before.count)
        return replace(place, readings=more)

    def _published(self, readings: Readings) -> Topics:
        if readings not in self._sets:
            topics = Topics(
                namespace=f"set{readings.count}x{readings.sensors}", partitions=PARTITIONS
            )
            publisher = Publisher(self._kafka, self._schemas, topics)
            self.raw_bytes[readings] = publisher.publish(readings)
            self._sets[readings] = topics
        return self._sets[readings]

    def _learn_padding(self) -> None:
        place = self.place(Readings(_SAMPLE))
        ours = Ours({}, (_SAMPLE, _SAMPLE))
        ours.prepare(place)
        with Processes(ours.commands(place), self._directory / f"{place.name}.log") as run:
            run.until(self.offsets(ours, place), _SAMPLE)
        self._padding = padding_for(ours.output(place).size / _SAMPLE)
        ours.tidy(place)


def turns(rounds: Mapping[str, int]) -> list[tuple[int, str]]:
    """Say who runs when: round by round, each until its rounds are over.

    >>> turns({"ours": 2, "theirs": 2, "slow": 1})
    [(1, 'ours'), (1, 'theirs'), (1, 'slow'), (2, 'ours'), (2, 'theirs')]
    """
    last = max(rounds.values())
    return [(n, name) for n in range(1, last + 1) for name in rounds if n <= rounds[name]]


def runs_of(name: str, found: list[tuple[float, float]]) -> list[Run]:
    """Make two lines of what the rounds found: readings a second, and CPU a reading."""
    return [line(name, "readings/s", [rate for rate, _ in found]), *cpu_of(name, found)]


def cpu_of(name: str, found: list[tuple[float, float]]) -> list[Run]:
    """Make a line of the CPU alone."""
    return [line(f"{name}: CPU", "µs/reading", [cpu for _, cpu in found])]


def line(name: str, unit: str, values: list[float]) -> Run:
    """Make a line of the result: the median, and every value."""
    digits = None if median(values) > _WHOLE else 2
    rounded = [round(value, digits) for value in values]
    return Run(name, round(median(values), digits), unit, rounded)
