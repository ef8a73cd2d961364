"""Valid clean records, and a way to publish them as the stream does: in a Kafka transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import Producer

from runtime.kafka import KafkaSettings
from schemas.codec import Encoder, Record
from schemas.registry import Registry, RegistrySettings, subject_of
from schemas.topics import Topics, clean_schema

SECOND = 1_000_000
HOUR = 3600 * SECOND
START = 1_357_020_000 * SECOND
"""2013-01-01 06:00 UTC: 01:00 in New York."""

_MEASURES: dict[str, dict[str, Any]] = {
    "wind": {
        "speed": 5.5,
        "raw_speed": 5.5,
        "flag_speed_range": 1,
        "flag_speed_step": 1,
        "flag_speed_spike": 2,
        "flag_speed_flat_line": 1,
        "direction": 270.0,
        "raw_direction": 270.0,
        "flag_direction_range": 1,
        "flag_direction_flat_line": 1,
        "gust": None,
        "raw_gust": None,
        "flag_gust_range": 9,
        "eastward": 5.5,
        "northward": 0.0,
        "flag_consistency": 1,
        "flag_anomaly": 2,
    },
}
_ONE_MEASURE: dict[str, Any] = {
    "value": 4.5,
    "raw_value": 4.4,
    "flag_range": 1,
    "flag_step": 1,
    "flag_spike": 2,
    "flag_flat_line": 1,
    "flag_consistency": 1,
    "flag_anomaly": 2,
}
_UNITS = {
    "wind": "m/s",
    "rainfall": "mm",
    "temperature": "degC",
    "humidity": "%",
    "pressure": "hPa",
}


def clean(parameter: str, number: int = 0, station: str = "JFK", **changes: Any) -> Record:
    """Make the ``number``-th hourly reading of a station's sensor.

    >>> clean("wind", 1)["sensor_id"]
    'JFK:wind'
    """
    observed_at = START + number * HOUR
    return {
        "station_id": station,
        "sensor_id": f"{station}:{parameter}",
        "wigos_id": None,
        "parameter": parameter,
        "unit": _UNITS[parameter],
        "latitude": 40.63,
        "longitude": -73.77,
        "elevation": 4.0,
        "height": 2.0,
        "metadata_version": "m1",
        "calibration_version": None,
        "ruleset_version": "r1",
        "source_name": "aos",
        "source_rank": 0,
        "source_table": "weather",
        "mapping_version": 1,
        "raw_topic": f"aos.raw.{parameter}.v1",
        "raw_partition": 0,
        "op": "upsert",
        "interval_start": observed_at - HOUR,
        "observed_at": observed_at,
        "flag": 1,
        "flag_time": 1,
        "flag_metadata": 1,
        "flag_calibration": 1,
        "flag_buddy": 2,
        "flag_health": 2,
        **_MEASURES.get(parameter, _ONE_MEASURE),
        "score": 1.0,
        "reason": None,
        "corrections": None,
        "observed_local": observed_at - 5 * HOUR,
        "source_key": str(number),
        "source_version": 1,
        "revision": 1,
        "raw_offset": number,
        "extracted_at": observed_at + HOUR,
        "processed_at": observed_at + 2 * HOUR,
        **changes,
    }


def sensor(sensor_id: str = "JFK:wind", **changes: Any) -> Record:
    """Make the metadata of a sensor; ``changes`` may give its ``intervals``."""
    station, parameter = sensor_id.split(":")[:2]
    return {
        "station_id": station,
        "sensor_id": sensor_id,
        "parameter": parameter,
        "station_name": f"Station {station}",
        "wigos_id": None,
        "source": "aos",
        "intervals": [interval("m1", START)],
        "published_at": START,
        **changes,
    }


def interval(version: str, valid_from: int, valid_to: int | None = None, **changes: Any) -> Record:
    """Make one validity interval of a sensor."""
    return {
        "valid_from": valid_from,
        "valid_to": valid_to,
        "metadata_version": version,
        "calibration_version": None,
        "x": -73.77,
        "y": 40.63,
        "crs": "EPSG:4326",
        "elevation": 4.0,
        "height": 2.0,
        "model": None,
        "serial": None,
        "scale": 1.0,
        "offset": 0.0,
        "calibration_due": None,
        **changes,
    }


class Publisher:
    """Publishes records in transactions of one id."""

    def __init__(self, kafka: KafkaSettings, registry: RegistrySettings, topics: Topics) -> None:
        self.topics = topics
        self._registry = Registry(registry)
        self._encoders: dict[str, Encoder] = {}
        config = kafka.client(transactional_id=f"{topics.namespace}.test", linger_ms=5)
        self._producer = Producer(config)
        self._producer.init_transactions(30)

    def readings(self, records: Iterable[Record], commit: bool = True) -> None:
        """Publish clean records in one transaction, each to the topic of its parameter."""
        self.send(
            (self.topics.clean(r["parameter"]), r["station_id"].encode(), self.encoded(r))
            for r in records
        )
        self.end(commit)

    def metadata(self, *records: Record) -> None:
        """Publish what is known of sensors."""
        encode = self._encoder(self.topics.metadata, "sensor_metadata")
        self.send((self.topics.metadata, r["sensor_id"].encode(), encode(r)) for r in records)
        self.end(commit=True)

    def close(self) -> None:
        """Let go of the registry."""
        self._registry.close()

    def send(self, messages: Iterable[tuple[str, bytes, bytes | None]]) -> None:
        """Begin a transaction and put (topic, key, value) into it."""
        self._producer.begin_transaction()
        for topic, key, value in messages:
            self._produce(topic, key, value)

    def end(self, commit: bool) -> None:
        """End the transaction."""
        end = self._producer.commit_transaction if commit else self._producer.abort_transaction
        end(30)

    def encoded(self, record: Mapping[str, Any]) -> bytes:
        """Encode a clean record as the stream does."""
        parameter = record["parameter"]
        return self._encoder(self.topics.clean(parameter), clean_schema(parameter))(record)

    def _encoder(self, topic: str, schema: str) -> Encoder:
        if topic not in self._encoders:
            schema_id = self._registry.id_of(subject_of(topic), schema)
            self._encoders[topic] = Encoder(schema, schema_id)
        return self._encoders[topic]

    def _produce(self, topic: str, key: bytes, value: bytes | None) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key)
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return
