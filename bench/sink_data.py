"""Clean readings for the sink: on their topics as the stream writes them, and as ready COPY bytes.

Four parameters have tables of one shape; the readings are spread evenly over them. Each sensor
reports every minute, so that neighbours in a topic are of one minute and of different sensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from numpy.typing import NDArray

from runtime.kafka import KafkaSettings
from runtime.kafka_topics import ensure_topics
from schemas import avsc
from schemas.columnar import Column, Numbers, packed
from schemas.columnar_encoding import ColumnarEncoder, constant, digits_of, strings_of
from schemas.framing import frame
from schemas.registry import Registry, subject_of
from schemas.topics import Topics, clean_schema
from sink.columns import Table, table
from sink.copying import binary
from sink.lines import Layout, Lines

PARAMETERS: Final = ("temperature", "humidity", "pressure", "rainfall")
_MINUTE: Final = 60_000_000
_START: Final = 1_750_000_000_000_000
_PIECE: Final = 20_000
_SENSORS: Final = 4200
"""Of all parameters together."""
_CONSTANT: Final[dict[str, Any]] = {
    "unit": "degC",
    "latitude": 40.633,
    "longitude": -111.97,
    "elevation": 1288.0,
    "height": 2.0,
    "metadata_version": "9a1c50d2",
    "calibration_version": "c1",
    "ruleset_version": "2025.1",
    "source_name": "aos",
    "source_rank": 0,
    "source_table": "aws_minute",
    "mapping_version": 1,
    "raw_partition": 0,
    "op": "upsert",
    "flag_spike": 2,
    "reason": None,
    "corrections": None,
    "score": 1.0,
}
_GOOD: Final = (
    "flag", "flag_time", "flag_metadata", "flag_range", "flag_step", "flag_flat_line",
    "flag_consistency",
)  # fmt: skip

Rows = NDArray[np.int64]


class Load(NamedTuple):
    """One COPY: the table, how many rows, and the bytes."""

    table: Table
    rows: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Readings:
    """The first ``count`` readings; spread over the parameters."""

    count: int

    def of(self, parameter: str) -> Rows:
        """Number those of a parameter."""
        return np.arange(PARAMETERS.index(parameter), self.count, len(PARAMETERS))

    def loads(self, batch: int, *, every: int = 1) -> Iterator[Load]:
        """Give them in batches, each in the order of its keys: no order is loaded sooner.

        With ``every`` 2, every second one alone.
        """
        for parameter in PARAMETERS:
            rows, target = self.of(parameter)[::every], table(parameter)
            for at in range(0, len(rows), batch):
                some = rows[at : at + batch]
                some = some[np.lexsort((some // _SENSORS, some % _SENSORS))]
                records = packed(_encoded(parameter, some, 0))
                lines = Lines.of(Layout.of(clean_schema(parameter), target), records)
                written = lines.write(np.arange(len(some)))
                yield Load(target, len(some), b"".join(binary([written])))


def publish(kafka: KafkaSettings, registry: Registry, topics: Topics, readings: Readings) -> None:
    """Write them to their clean topics."""
    specs = [*topics.stream_specs(), *topics.source_specs()]
    ensure_topics(AdminClient(kafka.client()), specs, topics.replication)
    registry.register(specs)
    tuning = {"compression_type": "lz4", "linger_ms": 20, "enable_idempotence": True}
    producer = Producer(kafka.client(queue_buffering_max_messages=1_000_000, **tuning))
    for at in range(0, readings.count, _PIECE):
        for parameter in PARAMETERS:
            rows = readings.of(parameter)
            some = rows[(rows >= at) & (rows < at + _PIECE)]
            topic = topics.clean(parameter)
            schema_id = registry.id_of(subject_of(topic), clean_schema(parameter))
            keys = [_station(sensor).encode() for sensor in (some % _SENSORS).tolist()]
            values = _encoded(parameter, some, schema_id)
            pairs = zip(keys, values, strict=True)
            producer.produce_batch(topic, [{"key": key, "value": value} for key, value in pairs])
        producer.poll(0)
    producer.flush()


def _encoded(parameter: str, rows: Rows, schema_id: int) -> list[bytes]:
    encode = ColumnarEncoder(avsc.load(clean_schema(parameter)))
    return encode([frame(schema_id)] * len(rows), _columns(parameter, rows))


def _columns(parameter: str, rows: Rows) -> dict[str, Column]:
    count, sensors = len(rows), (rows % _SENSORS).tolist()
    at = Numbers(_START + rows // _SENSORS * _MINUTE)
    value = Numbers(np.round(15 + np.sin(rows / 1000) * 8, 2))
    fields = avsc.load(clean_schema(parameter))["fields"]
    return {
        **{f["name"]: constant(f["default"], count) for f in fields if "default" in f},
        **{name: constant(given, count) for name, given in _CONSTANT.items()},
        **{name: constant(1, count) for name in _GOOD},
        "station_id": strings_of([_station(sensor) for sensor in sensors]),
        "sensor_id": strings_of([f"{_station(sensor)}:{parameter}" for sensor in sensors]),
        "wigos_id": strings_of([f"0-20000-0-{sensor:05d}" for sensor in sensors]),
        "parameter": constant(parameter, count),
        "raw_topic": constant(f"aos.raw.{parameter}.v1", count),
        "interval_start": Numbers(at.values - _MINUTE),
        "observed_at": at,
        "observed_local": at,
        "value": value,
        "raw_value": value,
        "source_key": digits_of(rows.tolist()),
        "source_version": Numbers(_START + rows),
        "revision": Numbers(rows),
        "raw_offset": Numbers(rows),
        "extracted_at": Numbers(at.values + 2 * _MINUTE),
        "processed_at": Numbers(at.values + 3 * _MINUTE),
    }


def _station(sensor: int) -> str:
    return f"ST-{sensor // len(PARAMETERS):05d}"
