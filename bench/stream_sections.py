"""What `bench-stream` measures of ours alone: workers, sensors, memory, changelog, recovery."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from bench.contestants import Ours, Place, delete
from bench.course import Course, cpu_of, line, runs_of
from bench.drain import Processes
from bench.harness import Bar, Run, at_most
from bench.outputs import bytes_of
from bench.stream_data import Readings

_CHANGELOG_BAR: Final = 2.0
_SENSORS: Final = (1_000, 10_000, 100_000)
_SENSOR_SIZES: Final = (100_000, 300_000)
_MEMORY_SIZES: Final = {4_200: 1_500_000, 100_000: 500_000}
"""By sensors: the readings of a backlog."""
_MEGABYTES, _MEGABYTES_A_SENSOR = 300.0, 0.004
_RECOVERED: Final = 100_000
_LEAST_SECONDS: Final = 0.1

Found = tuple[list[Run], list[Bar]]


def workers(course: Course, ours: Ours) -> Found:
    """Measure the CPU per reading of two workers together; one worker is in the race."""
    return cpu_of("2 workers", [course.slope("2 workers", replace(ours, workers=2))]), []


def sensors(course: Course, ours: Ours) -> Found:
    """Measure with few and with many sensors."""
    runs = []
    for count in _SENSORS:
        name = f"{count:,} sensors"
        runs += runs_of(name, [course.slope(name, replace(ours, sizes=_SENSOR_SIZES), count)])
    return runs, []


def memory(course: Course, ours: Ours) -> Found:
    """Look at the most that is held while a backlog is worked off."""
    runs, bars = [], []
    for sensors_, readings in _MEMORY_SIZES.items():
        name = f"memory, {sensors_:,} sensors"
        seen = course.drain(name, ours, Readings(readings, sensors_)).resident
        runs.append(line(name, "MB", [max(seen)]))
        most = _MEGABYTES + _MEGABYTES_A_SENSOR * sensors_
        bars.append(at_most(f"{name}: MB", max(seen), most))
    return runs, bars


def changelog(course: Course, ours: Ours) -> Found:
    """Compare the bytes of the state's changelog with those of the readings."""
    place = course.place(Readings(ours.sizes[1]))
    ours.prepare(place)
    with _started(ours, place) as run:
        run.until(course.offsets(ours, place), place.readings.count)
    written = bytes_of(place.kafka, place.topics.state, place.topics.partitions)
    ours.tidy(place)
    ratio = written / course.raw_bytes[place.readings]
    runs = [line("changelog", "bytes/reading", [written / place.readings.count])]
    return runs, [at_most("changelog bytes / readings' bytes", ratio, _CHANGELOG_BAR)]


def recovery(course: Course, ours: Ours) -> Found:
    """Measure what reading state back costs at a start after a kill.

    A worker is killed and started again, once with its state topic as it was and once with an empty
    one: the seconds until each first commits are equal in all but the reading of state.
    """
    place = course.place(Readings(2 * _RECOVERED, _RECOVERED))
    ours.prepare(place)
    with _started(ours, place) as run:
        run.until(course.offsets(ours, place), place.readings.count)
    place, seconds = _restarted(course, ours, place)
    delete(place.kafka, [place.topics.state])
    ours.prepare(place)
    place, without = _restarted(course, ours, place)
    ours.tidy(place)
    rate = _RECOVERED / max(seconds - without, _LEAST_SECONDS)
    name = f"recovery, {_RECOVERED:,} sensors"
    runs = [
        line(f"{name}: kill to commit", "s", [seconds]),
        line(f"{name}: without state", "s", [without]),
        line(f"{name}: state read", "sensors/s", [rate]),
    ]
    return runs, []


def _restarted(course: Course, ours: Ours, place: Place) -> tuple[Place, float]:
    """Give the seconds from a start until the first of new readings are committed."""
    done = place.readings.count
    place = course.one_more_minute(place)
    with _started(ours, place) as run:
        took = run.until(course.offsets(ours, place), done + 1)
        run.until(course.offsets(ours, place), place.readings.count)
    return place, took.seconds


def _started(ours: Ours, place: Place) -> Processes:
    return Processes(ours.commands(place), Path(place.directory) / f"{place.name}.log")
