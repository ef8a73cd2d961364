"""A network's history as a source may tell it: late, twice, corrected, taken back, with spikes.

All of it lies within the lateness that the stream remembers, so what is finally said of a reading
must not depend on how the history is cut into batches, nor on who dies while it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from numpy.typing import NDArray

from runtime.kafka import KafkaSettings
from runtime.kafka_topics import ensure_topics
from schemas import avsc
from schemas.codec import Encoder
from schemas.columnar import Column, Numbers
from schemas.columnar_encoding import ColumnarEncoder, constant, strings_of
from schemas.framing import frame
from schemas.mapping import Mapping
from schemas.registry import Registry, subject_of
from schemas.topics import PARAMETERS, Topics, raw_schema
from tests.unit.stream_fakes import UNITS, WIND_UNITS, interval, metadata

MINUTE: Final = 60_000_000
START: Final = 1_380_000_000_000_000
_BASES: Final = np.array(
    [{"rainfall": 2, "temperature": 15, "humidity": 60, "wind": 6, "pressure": 1010}[p]
     for p in PARAMETERS], np.float64
)  # fmt: skip
_MOST_LATE: Final = 6
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Told:
    """What the source says, in its order: n rows.

    Attributes:
        station: (n,) number of the station.
        parameter: (n,) index into the parameters.
        minute: (n,) of observation.
        version: (n,) the source's version of the reading.
        value: (n,) in the parameter's unit.
        deleted: (n,) whether the reading is taken back.
    """

    station: Integers
    parameter: Integers
    minute: Integers
    version: Integers
    value: NDArray[np.float64]
    deleted: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.station)

    def take(self, rows: Any) -> Told:
        """Pick rows."""
        return Told(*(getattr(self, name)[rows] for name in self.__slots__))


def history(stations: int, minutes: int, seed: int) -> Told:
    """Make ``stations * minutes`` readings of each parameter, and what is said of them later."""
    draw = np.random.default_rng(seed)
    shape = (minutes, stations, len(PARAMETERS))
    minute, station, parameter = (each.ravel() for each in np.indices(shape))
    number = len(minute)
    value = _BASES[parameter] + np.sin(minute / 20 + station) + draw.normal(0, 0.05, number)
    value += np.where(draw.random(number) < 0.006, 14.0, 0.0)
    nothing = np.zeros(number, np.bool_)
    first = Told(station, parameter, minute, np.ones(number, np.int64), value.round(2), nothing)
    said = minute + np.where(draw.random(number) < 0.03, draw.integers(1, _MOST_LATE, number), 0)
    parts, times = [first], [said]
    for kind, share in (("repeated", 0.02), ("corrected", 0.02), ("deleted", 0.01)):
        rows = np.flatnonzero(draw.random(number) < share)
        parts.append(_again(first.take(rows), kind))
        times.append(said[rows] + draw.integers(0, _MOST_LATE, len(rows)))
    together = Told(*map(np.concatenate, zip(*map(_fields, parts), strict=True)))
    return together.take(np.lexsort((draw.random(len(together)), np.concatenate(times))))


def _fields(told: Told) -> list[NDArray[Any]]:
    return [getattr(told, name) for name in Told.__slots__]


def _again(told: Told, kind: str) -> Told:
    later = {"repeated": 0, "corrected": 1, "deleted": 2}[kind]
    value = told.value + (0.5 if kind == "corrected" else 0)
    deleted = np.full(len(told), kind == "deleted")
    version = told.version + later
    return Told(told.station, told.parameter, told.minute, version, value, deleted)


class Teller:
    """Publishes a history to the raw topics of a deployment, as often as is wanted the same way."""

    def __init__(self, kafka: KafkaSettings, registry: Registry, topics: Topics) -> None:
        self._topics = topics
        self._registry = registry
        ensure_topics(AdminClient(kafka.client()), topics.specs(), topics.replication)
        registry.register(topics.specs())
        self._producer = Producer(
            kafka.client(
                transactional_id=topics.named("test-teller"),
                compression_type="lz4",
                queue_buffering_max_messages=1_000_000,
            )
        )
        self._producer.init_transactions()

    def describe(self, stations: int) -> None:
        """Write mapping and metadata."""
        document = {
            "source": "sample", "version": 1, "document": _mapping().as_json(), "published_at": 0,
        }  # fmt: skip
        sensors = [f"{station_name(n)}:{p}" for n in range(stations) for p in PARAMETERS]
        self._producer.begin_transaction()
        self._describe(self._topics.mapping, "mapping", "sample:1", document)
        for sensor in sensors:
            record = metadata(sensor, interval(0, scale=1.1))
            self._describe(self._topics.metadata, "sensor_metadata", sensor, record)
        self._producer.commit_transaction()

    def tell(self, told: Told, piece: int) -> None:
        """Write a history, a transaction for each piece; now and then one is aborted first."""
        for place, at in enumerate(range(0, len(told), piece)):
            rows = told.take(slice(at, at + piece))
            if place % 7 == 3:
                self._write(rows, commit=False)
            self._write(rows, commit=True)

    def close_every_partition(self, stations: int, minute: int) -> None:
        """Write one reading of every sensor: behind it stands the mark of its transaction only."""
        parameter, station = (e.ravel() for e in np.indices((len(PARAMETERS), stations)))
        one = np.ones(len(station), np.int64)
        last = Told(station, parameter, one * minute, one, _BASES[parameter], one == 0)
        self._write(last, commit=True)

    def _write(self, told: Told, *, commit: bool) -> None:
        self._producer.begin_transaction()
        for topic, messages in self._messages(told):
            self._producer.produce_batch(topic, messages)
            self._producer.poll(0)
        self._producer.flush()
        self._producer.commit_transaction() if commit else self._producer.abort_transaction()

    def _messages(self, told: Told) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        for number, parameter in enumerate(PARAMETERS):
            chosen = told.take(told.parameter == number)
            topic = self._topics.raw(parameter)
            head = frame(self._registry.id_of(subject_of(topic), raw_schema(parameter)))
            encode = ColumnarEncoder(avsc.load(raw_schema(parameter)))
            values = encode([head] * len(chosen), _columns(chosen, parameter))
            keys = [station_name(n).encode() for n in chosen.station.tolist()]
            yield topic, [{"key": k, "value": v} for k, v in zip(keys, values, strict=True)]

    def _describe(self, topic: str, schema: str, key: str, record: dict[str, Any]) -> None:
        encode = Encoder(schema, self._registry.id_of(subject_of(topic), schema))
        self._producer.produce(topic, encode(record), key.encode())


def station_name(number: int) -> str:
    """Name a station."""
    return f"S{number:03d}"


def _columns(told: Told, parameter: str) -> dict[str, Column]:
    n, local = len(told), START + told.minute * MINUTE
    stations = [station_name(number) for number in told.station.tolist()]
    constants = {
        "zone": "UTC", "source": "sample", "source_table": "t", "source_flag": None,
        "observed_text": None, "cursor": "c", "source_rank": 0, "mapping_version": 1,
    }  # fmt: skip
    return {
        **{name: constant(value, n) for name, value in constants.items()},
        "station_id": strings_of(stations),
        "sensor_id": strings_of([f"{station}:{parameter}" for station in stations]),
        "op": strings_of(["delete" if gone else "upsert" for gone in told.deleted.tolist()]),
        "observed_local": Numbers(local),
        "source_key": strings_of([str(minute) for minute in told.minute.tolist()]),
        "source_version": Numbers(told.version),
        "extracted_at": Numbers(local + 30 * MINUTE),
        **_measures(parameter, told.value),
    }


def _measures(parameter: str, value: NDArray[np.float64]) -> dict[str, Column]:
    n = len(value)
    if parameter != "wind":
        unit = constant(UNITS[parameter], n)
        return {"unit": unit, "value": Numbers(value), "value_text": constant(None, n)}
    numbers = {"speed": value, "direction": (value * 10) % 360, "gust": value + 2}
    return {
        **{f"{name}_unit": constant(unit, n) for name, unit in WIND_UNITS.items()},
        **{f"{name}_text": constant(None, n) for name in WIND_UNITS},
        **{name: Numbers(given) for name, given in numbers.items()},
    }


def _mapping() -> Mapping:
    measures: dict[str, dict[str, Any]] = {
        p: {"value": {"column": p, "unit": unit}} for p, unit in UNITS.items()
    }
    measures["wind"] = {n: {"column": n, "unit": unit} for n, unit in WIND_UNITS.items()}
    table = {
        "shape": "wide",
        "table": "t",
        "key": ["id"],
        "cursor": {"column": "modified_at", "id": "id"},
        "station": "station_id",
        "time": {"column": "observed_at", "zone": "UTC"},
        "readings": [{"parameter": p, "measures": measures[p]} for p in PARAMETERS],
    }
    return Mapping.model_validate({"source": "sample", "version": 1, "tables": [table]})
