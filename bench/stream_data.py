"""What `bench-stream` measures on: synthetic readings of a network, and what must come of them.

Stations report five parameters once a minute, in standard units and a fixed zone. Each sensor's
value drifts by less than one unit a minute; every 997th reading is a spike of 40, so a step check
has something to find. Reading ``i`` is of sensor ``i % sensors`` in minute ``i // sensors`` and its
``source_version`` is ``VERSION + i``: so each output can be held against its input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from numpy.typing import NDArray

from runtime.kafka import KafkaSettings
from runtime.kafka_topics import ensure_topics
from schemas import avsc
from schemas.codec import Encoder, Record
from schemas.columnar import Column, Numbers
from schemas.columnar_encoding import ColumnarEncoder, strings_of
from schemas.framing import frame
from schemas.mapping import Mapping
from schemas.registry import Registry, subject_of
from schemas.topics import PARAMETERS, Topics, raw_schema

MINUTE: Final = 60_000_000
START: Final = 1_750_000_000_000_000
VERSION: Final = START + 5 * MINUTE
STEP: Final = 10.0
_SPIKE: Final = 40.0
_SPIKE_EVERY: Final = 997
_PIECE: Final = 20_000
_UNITS: Final = {"rainfall": "mm", "temperature": "degC", "humidity": "%", "pressure": "hPa"}
_LEVELS: Final = {
    "rainfall": 2.0,
    "temperature": 15.0,
    "humidity": 50.0,
    "wind": 6.0,
    "pressure": 1000.0,
}
_BASES: Final = np.array([_LEVELS[parameter] for parameter in PARAMETERS])
_SOURCE, _TABLE, _ZONE = "bench", "aws_minute", "-07:00"
_WEST_OF_UTC: Final = 7 * 60 * MINUTE

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Readings:
    """The first ``count`` readings of a network of ``sensors`` sensors."""

    count: int
    sensors: int = 4200

    def values(self, rows: Rows | None = None) -> NDArray[np.float64]:
        """Give the value of these readings, or of all."""
        rows = np.arange(self.count) if rows is None else rows
        sensors = rows % self.sensors
        drift = np.sin(rows // self.sensors / 20 + sensors)
        spikes = np.where(rows % _SPIKE_EVERY == _SPIKE_EVERY - 1, _SPIKE, 0.0)
        return np.round(_BASES[sensors % len(PARAMETERS)] + drift + spikes, 3)

    def steps(self) -> NDArray[np.bool_]:
        """Say of each reading whether it lies too far from the last one of its sensor."""
        values = self.values()
        far = np.zeros(self.count, np.bool_)
        far[self.sensors :] = np.abs(values[self.sensors :] - values[: -self.sensors]) > STEP
        return far


def station_of(sensor: int) -> str:
    """Name the station of a sensor.

    >>> station_of(12)
    'ST-00002'
    """
    return f"ST-{sensor // len(PARAMETERS):05d}"


def sensor_name(sensor: int) -> str:
    """Name a sensor.

    >>> sensor_name(1)
    'ST-00000:temperature'
    """
    return f"{station_of(sensor)}:{PARAMETERS[sensor % len(PARAMETERS)]}"


class Publisher:
    """Writes readings, and what the stream must know of them, as the source does."""

    def __init__(self, kafka: KafkaSettings, registry: Registry, topics: Topics) -> None:
        self._topics = topics
        self._registry = registry
        ensure_topics(AdminClient(kafka.client()), topics.source_specs(), topics.replication)
        registry.register(topics.source_specs())
        self._producer = Producer(
            kafka.client(
                enable_idempotence=True,
                compression_type="lz4",
                linger_ms=20,
                queue_buffering_max_messages=1_000_000,
                queue_buffering_max_kbytes=1 << 20,
            )
        )

    def publish(self, readings: Readings) -> int:
        """Write mapping, metadata and readings; give the bytes of the readings, keys included."""
        self._describe(self._topics.mapping, "mapping", {f"{_SOURCE}:1": _mapping()})
        metadata = {sensor_name(sensor): _metadata(sensor) for sensor in range(readings.sensors)}
        self._describe(self._topics.metadata, "sensor_metadata", metadata)
        return self.add(readings)

    def add(self, readings: Readings, first: int = 0) -> int:
        """Write the readings from the ``first`` on; give their bytes, keys included."""
        pieces = range(first, readings.count, _PIECE)
        size = sum(
            self._piece(readings, np.arange(at, min(at + _PIECE, readings.count))) for at in pieces
        )
        self._producer.flush()
        return size

    def _describe(self, topic: str, schema: str, records: dict[str, Record]) -> None:
        encode = Encoder(schema, self._registry.id_of(subject_of(topic), schema))
        for key, record in records.items():
            self._producer.produce(topic, encode(record), key.encode())

    def _piece(self, readings: Readings, rows: Rows) -> int:
        size = 0
        for number, parameter in enumerate(PARAMETERS):
            chosen = rows[rows % readings.sensors % len(PARAMETERS) == number]
            topic = self._topics.raw(parameter)
            head = frame(self._registry.id_of(subject_of(topic), raw_schema(parameter)))
            encode = ColumnarEncoder(avsc.load(raw_schema(parameter)))
            values = encode([head] * len(chosen), _columns(readings, chosen, parameter))
            keys = [station_of(sensor).encode() for sensor in (chosen % readings.sensors).tolist()]
            messages = [{"key": k, "value": v} for k, v in zip(keys, values, strict=True)]
            self._producer.produce_batch(topic, messages)
            self._producer.poll(0)
            size += sum(map(len, keys)) + sum(map(len, values))
        return size


def _columns(readings: Readings, rows: Rows, parameter: str) -> dict[str, Column]:
    count, sensors = len(rows), (rows % readings.sensors).tolist()
    local = START + rows // readings.sensors * MINUTE
    constants: dict[str, Any] = {
        "zone": _ZONE,
        "source": _SOURCE,
        "source_table": _TABLE,
        "op": "upsert",
        "source_flag": "OK",
    }
    return {
        "station_id": strings_of([station_of(sensor) for sensor in sensors]),
        "sensor_id": strings_of([sensor_name(sensor) for sensor in sensors]),
        **{name: strings_of([value] * count) for name, value in constants.items()},
        "source_rank": Numbers(np.zeros(count, np.int64)),
        "mapping_version": Numbers(np.ones(count, np.int64)),
        "observed_local": Numbers(local),
        "observed_text": strings_of([None] * count),
        "source_key": strings_of([str(row) for row in rows.tolist()]),
        "source_version": Numbers(VERSION + rows),
        "cursor": strings_of([f"2025-06-15 15:06:40.000000|{row}" for row in rows.tolist()]),
        # Behind the observation in UTC: readings of times to come would be nobody's neighbours.
        "extracted_at": Numbers(local + _WEST_OF_UTC + 2 * MINUTE),
        **_measures(parameter, readings.values(rows)),
    }


def _measures(parameter: str, values: NDArray[np.float64]) -> dict[str, Column]:
    nothing = strings_of([None] * len(values))
    if parameter != "wind":
        unit = strings_of([_UNITS[parameter]] * len(values))
        return {"unit": unit, "value": Numbers(values), "value_text": nothing}
    units = {"speed": "m/s", "direction": "degree", "gust": "m/s"}
    numbers = {"speed": values, "direction": np.full(len(values), 270.0), "gust": values + 2}
    return {
        **{f"{name}_unit": strings_of([unit] * len(values)) for name, unit in units.items()},
        **{name: Numbers(given) for name, given in numbers.items()},
        **{f"{name}_text": nothing for name in numbers},
    }


def _mapping() -> Record:
    one = {p: {"value": {"column": "value", "unit": unit}} for p, unit in _UNITS.items()}
    wind = {
        "speed": {"column": "value", "unit": "m/s"},
        "direction": {"column": "direction", "unit": "degree"},
        "gust": {"column": "gust", "unit": "m/s"},
    }
    table = {
        "shape": "long",
        "table": _TABLE,
        "key": ["id"],
        "cursor": {"column": "modified_at", "id": "id"},
        "station": "station_id",
        "time": {"column": "observed_at", "zone": _ZONE},
        "code": "element",
        "readings": [
            {"parameter": p, "code": p, "interval_seconds": 60, "measures": measures}
            for p, measures in {**one, "wind": wind}.items()
        ],
    }
    mapping = Mapping.model_validate({"source": _SOURCE, "version": 1, "tables": [table]})
    return {
        "source": _SOURCE,
        "version": 1,
        "document": mapping.as_json(),
        "published_at": START,
    }


def _metadata(sensor: int) -> Record:
    interval = {
        "valid_from": START - 1000 * MINUTE,
        "valid_to": None,
        "metadata_version": "m1",
        "calibration_version": "c1",
        "x": -120.0 + sensor % 50,
        "y": 30.0 + sensor % 20,
        "crs": "EPSG:4326",
        "elevation": 100.0,
        "height": 2.0,
        "model": "HMP155",
        "serial": str(sensor),
        "scale": 1.0,
        "offset": 0.0,
        "calibration_due": None,
    }
    return {
        "station_id": station_of(sensor),
        "sensor_id": sensor_name(sensor),
        "parameter": PARAMETERS[sensor % len(PARAMETERS)],
        "station_name": f"Station {sensor}",
        "wigos_id": f"0-20000-0-{sensor:05d}",
        "source": _SOURCE,
        "intervals": [interval],
        "published_at": START,
    }
