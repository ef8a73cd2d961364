"""What the window costs: CPU for each reading, bytes of changelog, memory, and recovery.

`bench/stream.py` calls :func:`measure` and prints what it gives beside its own figures; alone,
``python -m bench.stream_state`` prints them as JSON. No broker is needed: a restore is measured
from the records as a consumer hands them over, so add the time that reading them takes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.avsc import Schema, load
from stream_app.cleaned import CleanedColumns
from stream_app.window.changelog import RingReader, RingWriter
from stream_app.window.rings import K, Rings
from stream_app.window.state import State
from weather.parameters import PARAMETERS
from weather.ruleset_history import RulesetHistory

MINUTE = 60_000_000
START = 1_700_000_040_000_000
_LEVEL = {"temperature": 15.0, "humidity": 60.0, "pressure": 1005.0, "wind": 4.0, "rainfall": 0.0}


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; a sensor is a station's instrument for one parameter.

    ``changelog_bytes`` are keys and values of the records, for each reading, uncompressed.
    ``restored`` is from a compacted topic that holds all the deltas it ever does: sensors a second.
    """

    stations: int
    readings: int
    batch: int
    judge_us: float
    encode_us: float
    commit_us: float
    total_us: float
    again: int
    changelog_bytes: float
    memory_bytes_a_sensor: float
    restored: float


def measure(stations: int = 840, minutes: int = 20, batch: int = 4000) -> Figures:
    """Judge so many minutes of five parameters at each station, batch by batch, and restore."""
    state, topic = State(generation=0), dict[bytes, bytes]()
    writer, spent, bytes_out, again = RingWriter(1, state.rings), np.zeros(3), 0, 0
    batches = list(_batches(stations, minutes, batch))
    for columns in batches:
        clock = [time.thread_time()]
        overlay = state.overlay()
        verdicts = overlay.judge(columns, RulesetHistory())
        clock.append(time.thread_time())
        made = writer.messages(overlay.deltas())
        clock.append(time.thread_time())
        overlay.commit()
        clock.append(time.thread_time())
        spent += np.diff(clock)
        bytes_out += int(made.keys.lengths.sum() + made.values.lengths.sum())
        again += sum(len(verdict.again.raw_offset) for verdict in verdicts.values())
        topic.update((key or b"", value or b"") for key, value in made.pairs())
    readings = stations * minutes * len(PARAMETERS)
    each = (spent / readings * 1e6).round(3).tolist()
    sensors = stations * len(PARAMETERS)
    return Figures(
        stations=stations,
        readings=readings,
        batch=batch,
        judge_us=each[0],
        encode_us=each[1],
        commit_us=each[2],
        total_us=round(sum(each), 3),
        again=again,
        changelog_bytes=round(bytes_out / readings, 1),
        memory_bytes_a_sensor=round(_bytes(state.rings) / sensors, 1),
        restored=round(sensors / restore_seconds(topic)),
    )


def restore_seconds(topic: dict[bytes, bytes], chunk: int = 20_000) -> float:
    """Say how long a restore from these records takes."""
    rings = Rings()
    reader = RingReader(_schema_of, rings)
    keys, values = list(topic), list(topic.values())
    began = time.perf_counter()
    for start in range(0, len(keys), chunk):
        reader.restore(keys[start : start + chunk], values[start : start + chunk])
    return time.perf_counter() - began


def _batches(stations: int, minutes: int, batch: int) -> Iterator[dict[str, CleanedColumns]]:
    """Give readings minute by minute, in batches of equal size, each with all parameters."""
    random = np.random.default_rng(7)
    for first in range(0, stations * minutes, batch // len(PARAMETERS)):
        last = min(first + batch // len(PARAMETERS), stations * minutes)
        minute, station = np.divmod(np.arange(first, last), stations)
        yield {p: _columns(p, station, minute, random) for p in PARAMETERS}


def _columns(
    parameter: str,
    station: NDArray[np.int64],
    minute: NDArray[np.int64],
    random: np.random.Generator,
) -> CleanedColumns:
    n = len(station)
    values = np.round(_LEVEL[parameter] + random.normal(0, 0.3, n), 1)
    named = {"value": values}
    if parameter == "wind":
        values = np.abs(values)
        direction = random.integers(1, 361, n).astype(np.float64)
        named = {"speed": values, "direction": direction, "gust": values + 1}
    numbers, sensor = np.unique(station, return_inverse=True)
    names = [f"ST{number:05}" for number in numbers.tolist()]
    sensors = [f"{name}:{parameter}" for name in names]
    at, zeros = START + minute * MINUTE, np.zeros(n, np.int64)
    none = np.zeros(n, np.bool_)
    given = (sensor, names, at, at, named, none, none, np.arange(n), at, zeros)
    return CleanedColumns(parameter, sensors, *given)


def _bytes(rings: Rings) -> int:
    arrays = (rings.entries, rings.numbers, rings.head, rings.count, rings.delta)
    held = sum(array.nbytes for array in (*arrays, rings.station, rings.kind))
    names = sum(map(sys.getsizeof, rings.sensors)) + sum(map(sys.getsizeof, rings.stations))
    return (
        held
        + names
        + sys.getsizeof(rings.sensors)
        + sum(
            sys.getsizeof(known)
            for known in rings._row_of.values()  # noqa: SLF001
        )
    )


def _schema_of(_schema_id: int) -> Schema:
    return load("ring_delta")


if __name__ == "__main__":
    for stations_, minutes_ in ((840, 3 * K), (20_000, K + 4)):
        print(json.dumps(asdict(measure(stations_, minutes_)), indent=1))
