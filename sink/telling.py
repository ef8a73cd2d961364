"""What the sink says of single readings, where somebody follows them through the logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from runtime.following import readings_of, tell, utc
from schemas.columnar import numbers, strings
from sink.destination import Entries
from sink.readings import Readings

_READINGS: Final = readings_of("sink")


def tell_loaded(entries: Mapping[str, Entries]) -> None:
    """Tell of each reading of a committed batch, by topic, and which record it came with."""
    tell(_READINGS, "reading loaded", lambda: _loaded(entries))


def _loaded(entries: Mapping[str, Entries]) -> Iterator[dict[str, Any]]:
    for some in entries.values():
        if isinstance(some, Readings):
            yield from _of_table(some)


def _of_table(some: Readings) -> Iterator[dict[str, Any]]:
    columns = some.lines.columns_of(some.rows)
    texts = {name: strings(columns, name).bytes() for name in _TEXTS}
    whole = {name: numbers(columns, name).tolist() for name in _NUMBERS}
    for row in range(len(some)):
        record = some.message(row)
        yield {
            **{_SHOWN.get(name, name): texts[name][row].decode() for name in _TEXTS},
            "observed": utc(whole["observed_at"][row]),
            **{name: whole[name][row] for name in _NUMBERS if name != "observed_at"},
            "table": f"weather.{some.table.name}",
            "topic": record.topic(),
            "partition": record.partition(),
            "offset": record.offset(),
        }


_TEXTS: Final = ("sensor_id", "source_key", "raw_topic")
_NUMBERS: Final = (
    *("observed_at", "raw_partition", "raw_offset", "source_version", "revision", "flag"),
)
_SHOWN: Final = {"sensor_id": "sensor"}
