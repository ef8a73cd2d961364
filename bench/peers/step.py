"""The step check of the Python peers, and how they read and write Avro: by fastavro.

It stands alone: the Quix peer runs in an environment of its own, without our packages. Logical
types are taken off the schemas, as in our own codec: datetimes for every time would only make the
peers slower.
"""

from __future__ import annotations

import json
import struct
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

from fastavro import parse_schema, schemaless_reader, schemaless_writer

MOST_STEP: Final = 10.0
GOOD: Final = 1
FAIL: Final = 4

_HERE: Final = Path(__file__).parent
_RAW: Final = _HERE.parents[1] / "schemas" / "avro"
_FRAME: Final = struct.Struct(">bI")


class Order(NamedTuple):
    """What a peer is told on its command line, in this order."""

    brokers: str
    group: str
    raw: list[str]
    out: list[str]
    schema_id: int
    padding: int
    directory: Path

    @classmethod
    def of(cls, arguments: list[str]) -> Order:
        """Read the arguments behind the program's name."""
        brokers, group, raw, out, schema_id, padding, directory = arguments
        topics = raw.split(","), out.split(",")
        return cls(brokers, group, *topics, int(schema_id), int(padding), Path(directory))


class Reader:
    """Decodes framed raw readings of one topic."""

    def __init__(self, topic: str) -> None:
        name = "raw_wind" if ".wind." in topic else "raw_reading"
        self._schema = parse_schema(_plain(json.loads((_RAW / f"{name}.avsc").read_text())))

    def __call__(self, message: bytes) -> dict[str, Any]:
        """Decode one."""
        stream = BytesIO(message)
        stream.seek(_FRAME.size)
        record: Any = schemaless_reader(stream, self._schema, None)
        return record  # type: ignore[no-any-return]  # fastavro knows not which schema it is


class Writer:
    """Encodes what became of a reading."""

    def __init__(self, schema_id: int) -> None:
        self._schema = parse_schema(json.loads((_HERE / "peer_reading.avsc").read_text()))
        self._frame = _FRAME.pack(0, schema_id)

    def __call__(self, record: dict[str, Any]) -> bytes:
        """Encode one."""
        stream = BytesIO()
        stream.write(self._frame)
        schemaless_writer(stream, self._schema, record)
        return stream.getvalue()


class Step:
    """Compares a reading with the last one of its sensor."""

    def __init__(self, topic: str, padding: int) -> None:
        self._measure = "speed" if ".wind." in topic else "value"
        self._unit = "speed_unit" if ".wind." in topic else "unit"
        self._padding = " " * padding

    def check(
        self, raw: dict[str, Any], last: list[float] | None
    ) -> tuple[dict[str, Any], list[float]]:
        """Give the outgoing record, and what to remember: time and value."""
        now = [raw["observed_local"], raw[self._measure]]
        steps = last is not None and last[0] < now[0] and abs(now[1] - last[1]) > MOST_STEP
        return self._record(raw, now, FAIL if steps else GOOD), now

    def _record(self, raw: dict[str, Any], now: list[float], flag: int) -> dict[str, Any]:
        return {
            "station_id": raw["station_id"],
            "sensor_id": raw["sensor_id"],
            "source": raw["source"],
            "source_table": raw["source_table"],
            "op": raw["op"],
            "unit": raw[self._unit],
            "observed_at": now[0],
            "source_key": raw["source_key"],
            "source_version": raw["source_version"],
            "extracted_at": raw["extracted_at"],
            "value": now[1],
            "flag_step": flag,
            "padding": self._padding,
        }


def _plain(schema: Any) -> Any:
    """Take the logical types off."""
    if isinstance(schema, dict):
        return {k: _plain(v) for k, v in schema.items() if k != "logicalType"}
    return [_plain(each) for each in schema] if isinstance(schema, list) else schema
