"""How the readings of one table are to be read: zone, units, sentinels, interval, counter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runtime.errors import DataQuality
from schemas.codec import Record
from schemas.mapping import Mapping as SourceMapping
from schemas.mapping import Measure, Reading
from schemas.mapping_tables import Health
from weather.parameters import parameter_of
from weather.rain import DAY, Counter
from weather.units import known_units
from weather.zones import zone_of

UNJUDGED: Final = 1
UNCORRECTED: Final = 2
_MINUTE: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """What all readings of one parameter in one table of a source have in common.

    ``left_out`` is what is not done with them: 1 judging, 2 correcting, 3 neither.
    """

    parameter: str
    zone: str
    measures: Mapping[str, Measure | None]
    units: Mapping[str, str]
    sentinels: Mapping[str, tuple[float, ...]]
    interval_micros: int
    counter: Counter | None = None
    health: Health | None = None
    left_out: int = 0

    @property
    def validate(self) -> bool:
        """Whether they are judged."""
        return not self.left_out & UNJUDGED

    @property
    def clean(self) -> bool:
        """Whether they are corrected."""
        return not self.left_out & UNCORRECTED


def table_of(
    parameter: str, record: Record, mappings: Mapping[tuple[str, int], SourceMapping]
) -> Table:
    """Work out how to read the records that share the head of ``record``.

    Raises:
        DataQuality: the mapping they name was never published, or zone or unit are unknown.
    """
    mapping, reading = _mapped(parameter, record, mappings)
    names = [measure.name for measure in parameter_of(parameter).measures]
    units = {name: _unit(record, parameter, name) for name in names}
    measures = {name: reading.measures.get(name) for name in names}
    return Table(
        parameter=parameter,
        zone=_zone(record["zone"]),
        measures=measures,
        units=units,
        sentinels={name: _numeric(measure) for name, measure in measures.items()},
        interval_micros=reading.interval_seconds * 1_000_000,
        counter=_counter(reading.measures.get("value")),
        health=reading.health,
        left_out=mapping.left_out,
    )


def _mapped(
    parameter: str, record: Record, mappings: Mapping[tuple[str, int], SourceMapping]
) -> tuple[SourceMapping, Reading]:
    source, version = record["source"], record["mapping_version"]
    table = record["source_table"]
    mapping = mappings.get((source, version))
    reading = mapping.reading_of(table, parameter) if mapping else None
    if mapping is None or reading is None:
        problem = f"mapping {version} of {source} says nothing of {parameter} in {table}"
        raise DataQuality(problem, reason="unknown_mapping", mend="start the source; then redrive")
    return mapping, reading


def _unit(record: Record, parameter: str, name: str) -> str:
    unit = str(record["unit"] if name == "value" else record[f"{name}_unit"])
    if unit not in known_units(parameter, name):
        problem = f"{parameter} {name} has the unknown unit {unit!r}"
        raise DataQuality(problem, reason="unknown_unit")
    return unit


def _zone(zone: str) -> str:
    try:
        zone_of(zone)
    except ValueError as error:
        raise DataQuality(str(error), reason="unknown_zone") from error
    return zone


def _counter(measure: Measure | None) -> Counter | None:
    how = measure.counter if measure else None
    if how is None:
        return None
    period = DAY if how.period == "daily" else 0
    jitter = max(how.jitter, Counter().jitter)
    return Counter(period, round(how.reset_minutes * _MINUTE), jitter)


def _numeric(measure: Measure | None) -> tuple[float, ...]:
    return tuple(float(s) for s in measure.sentinels if not isinstance(s, str)) if measure else ()
