"""Writing down what was judged: arrays and metadata become records of the clean schemas."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.codec import Record
from stream_app.judging.table import Table
from stream_app.metadata.sensors import Placement
from stream_app.transport.batch import Raw
from weather.arrays import Bools, Flags, Floats, Micros
from weather.clean import Readings
from weather.corrections import describe
from weather.parameters import parameter_of
from weather.qc.flags import Flag
from weather.score import validity

DELETE: Final = "delete"
_WORDS: Final = {Flag.SUSPECT: "range_suspect", Flag.FAIL: "range"}


@dataclass(frozen=True, slots=True)
class Judged:
    """Readings of one table with everything that was found out about them; all equally long."""

    table: Table
    records: Sequence[Record]
    raws: Sequence[Raw]
    placements: Sequence[Placement]
    local: Sequence[int]
    versions: Sequence[int]
    utc: Micros
    readings: Readings
    flag_time: Flags
    flag_metadata: Flags
    flag: Flags
    in_future: Bools


def records_of(judged: Judged, ruleset: str, revision: int, now: int) -> list[Record]:
    """Give a clean record for each reading, in their order."""
    table = judged.table
    unit = parameter_of(table.parameter).main.unit
    shared = {
        "parameter": table.parameter,
        "unit": unit,
        "ruleset_version": ruleset,
        "revision": revision,
        "processed_at": now,
    }
    names, columns = zip(*_columns(judged), strict=True)
    rows = zip(
        judged.records, judged.raws, judged.placements, zip(*columns, strict=True), strict=True
    )
    return [
        _finished(
            {
                **shared,
                **_origin(record, raw),
                **placement.fields,
                **dict(zip(names, row, strict=True)),
            }
        )
        for record, raw, placement, row in rows
    ]


def _columns(judged: Judged) -> Iterator[tuple[str, Sequence[Any]]]:
    yield "observed_at", judged.utc.tolist()
    yield "interval_start", (judged.utc - judged.table.interval_micros).tolist()
    yield "observed_local", judged.local
    yield "source_version", judged.versions
    yield "flag", judged.flag.tolist()
    yield "flag_time", judged.flag_time.tolist()
    yield "flag_metadata", judged.flag_metadata.tolist()
    yield "score", _nullable(validity(judged.flag))
    yield "reason", _reasons(judged)
    yield "corrections", describe(judged.readings.corrections)
    for name, measure in judged.readings.measures.items():
        single = name == "value"
        yield name, _nullable(measure.value)
        yield f"raw_{name}", _nullable(measure.raw_value)
        yield "flag_range" if single else f"flag_{name}_range", measure.flag_range.tolist()


def _origin(record: Record, raw: Raw) -> Record:
    return {
        "station_id": record["station_id"],
        "sensor_id": record["sensor_id"],
        "source_name": record["source"],
        "source_rank": record["source_rank"],
        "source_table": record["source_table"],
        "source_key": record["source_key"],
        "mapping_version": record["mapping_version"],
        "extracted_at": record["extracted_at"],
        "op": record["op"],
        "raw_topic": raw.topic,
        "raw_partition": raw.partition,
        "raw_offset": raw.offset,
    }


def _nullable(values: Floats) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def _reasons(judged: Judged) -> list[str | None]:
    reasons: list[str | None] = [None] * len(judged.records)
    for i in (judged.flag != Flag.GOOD).nonzero()[0].tolist():
        reasons[i] = ",".join(_words(judged, i)) or None
    return reasons


def _words(judged: Judged, i: int) -> Iterator[str]:
    if judged.flag[i] == Flag.MISSING:
        yield "missing"
    for name, measure in judged.readings.measures.items():
        if word := _WORDS.get(Flag(int(measure.flag_range[i]))):
            yield word if name == "value" else f"{name}_{word}"
    if judged.flag_time[i] != Flag.GOOD:
        yield "time_in_future" if judged.in_future[i] else "time_never_was"
    if judged.flag_metadata[i] == Flag.NOT_EVALUATED:
        yield "no_metadata"


def _finished(record: Record) -> Record:
    """Take the judgement off a deletion: it says only that the reading is gone."""
    if record["op"] != DELETE:
        return record
    measures = [m.name for m in parameter_of(record["parameter"]).measures]
    gone: Record = {
        "flag": int(Flag.NOT_EVALUATED),
        "score": None,
        "reason": "deleted",
        "corrections": None,
    }
    for name in measures:
        flag = "flag_range" if name == "value" else f"flag_{name}_range"
        gone |= {name: None, f"raw_{name}": None, flag: int(Flag.NOT_EVALUATED)}
    return record | gone
