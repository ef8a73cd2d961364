"""Raw records that a repair publishes: a row under another version, and deletes. Pure."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from operate.reconcile.entries import Entry, Key
from schemas.codec import Record
from schemas.mapping import Mapping, sensor_id
from schemas.topics import raw_schema
from weather.parameters import parameter_of
from weather.time import to_utc

CURSOR: Final = "reconcile"


def written_anew(record: Record, version: int) -> Record:
    """Give a record of a row under a version that wins, or its own where that is higher."""
    return {**record, "source_version": max(record["source_version"], version)}


def taken_back(parameter: str, now: int) -> Record:
    """Give what a delete says instead of its record; ``now`` in UTC microseconds."""
    names = [measure.name for measure in parameter_of(parameter).measures]
    nothing: dict[str, Any] = dict.fromkeys([*names, *(f"{name}_text" for name in names)])
    return {**nothing, "op": "delete", "cursor": CURSOR, "extracted_at": now}


def written_delete(
    parameter: str, key: Key, entry: Entry, mapping: Mapping, zone: str, now: int
) -> Record:
    """Write the delete of a reading that has no raw record.

    It has to meet the very moment: where the source's clock does not lead there, it is told in UTC.
    """
    zone, local = _clock(key.local, zone, entry.observed)
    units = {m.name: m.unit for m in parameter_of(parameter).measures}
    told = {f"{name}_unit": unit for name, unit in units.items()}
    return {
        "station_id": entry.station,
        "sensor_id": key.sensor or sensor_id(entry.station, parameter),
        "zone": zone,
        "source": mapping.source,
        "source_rank": mapping.rank,
        "source_table": key.table,
        "mapping_version": mapping.version,
        "observed_local": local,
        "observed_text": None,
        "source_flag": None,
        "source_key": key.row,
        **(told if raw_schema(parameter) == "raw_wind" else {"unit": units["value"]}),
        **taken_back(parameter, now),
    }


def _clock(local: int, zone: str, observed: int | None) -> tuple[str, int]:
    utc, _ = to_utc(np.array([local], np.int64), zone)
    if observed is None or int(utc[0]) == observed:
        return zone, local
    return "UTC", observed
