"""The Avro schemas that stand beside this file in ``avro/``, one ``.avsc`` for each record."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

Schema = dict[str, Any]

NAMES: Final = (
    "raw_reading",
    "raw_wind",
    "clean_reading",
    "clean_wind",
    "sensor_metadata",
    "raw_index",
    "mapping",
    "source_cursor",
    "partition_state",
    "sensor_folds",
    "ring_delta",
    "sensor_watch",
    "sensor_silence",
    "sensor_applied",
    "again_task",
    "again_progress",
    "ruleset",
    "override",
)


@cache
def text(name: str) -> str:
    """Give a schema as it is registered: no white space, so that equal schemas are equal text."""
    return json.dumps(load(name), separators=(",", ":"), ensure_ascii=False)


def load(name: str) -> Schema:
    """Read a schema by its record's name.

    >>> load("raw_index")["name"]
    'RawIndex'
    """
    source = files("schemas").joinpath("avro", f"{name}.avsc").read_text(encoding="utf-8")
    schema: Schema = json.loads(source)
    return schema


def field_names(name: str) -> tuple[str, ...]:
    """Name the fields of a record, in the order in which they stand on the wire."""
    return tuple(field["name"] for field in load(name)["fields"])


def without_logical_types(schema: Any) -> Any:
    """Strip logical types, so that times are read and written as whole microseconds.

    Inside the pipeline a time is an int64: it costs nothing, and cannot be naive by mistake.

    >>> without_logical_types({"type": "long", "logicalType": "timestamp-micros"})
    {'type': 'long'}
    """
    if isinstance(schema, dict):
        return {k: without_logical_types(v) for k, v in schema.items() if k != "logicalType"}
    if isinstance(schema, list):
        return [without_logical_types(item) for item in schema]
    return schema
