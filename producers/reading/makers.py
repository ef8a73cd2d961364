"""Makers: what a mapping says of one parameter of a table, put to use for row after row."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from producers.publishing.encoding import RawReading, Record
from producers.reading.columns import measured_columns
from producers.reading.identifiers import sensor_of
from producers.reading.values import Values
from schemas.columnar import Column, Integers
from schemas.columnar_encoding import constant
from schemas.mapping import Mapping, Reading, Table
from weather.parameters import parameter_of

_NUMBERS: Final = (int, float, Decimal)
Measured = dict[int, tuple[Column, Column]]
"""Columns of a page that were parted into numbers and texts already, by their place."""


def measured(value: object) -> tuple[float | None, str | None]:
    """Give a measured value as (number, None), or as (None, text) where it is none.

    >>> measured(71), measured("12.3"), measured(None)
    ((71.0, None), (None, '12.3'), (None, None))
    """
    if value is None:
        return None, None
    if isinstance(value, _NUMBERS):
        return float(value), None
    return None, str(value)


class Maker:
    """Makes the raw readings of one parameter; what is constant for a sensor is made once."""

    def __init__(
        self, mapping: Mapping, table: Table, reading: Reading, at: dict[str, int]
    ) -> None:
        self.parameter: str = reading.parameter
        self._constant = _constant(mapping, table, reading)
        self._measures = [
            (
                name,
                f"{name}_text",
                at[reading.measures[name].column] if name in reading.measures else None,
            )
            for name in _measures(reading)
        ]
        self._sensors: dict[tuple[str, object], Record] = {}

    @property
    def places(self) -> object:
        """Where its measures stand: makers with the same places read the same columns."""
        return self._measures

    def __call__(
        self, row: Sequence[Any], station: str, position: object, common: Record
    ) -> RawReading:
        """Make the reading of a row."""
        measures: Record = {}
        for name, text_name, at in self._measures:
            measures[name], measures[text_name] = (None, None) if at is None else measured(row[at])
        return RawReading(self.sensor(station, position), common, measures)

    def sensor(self, station: str, position: object) -> Record:
        """Give what is constant for a sensor."""
        sensor_id = sensor_of(station, self.parameter, position)
        known = self._sensors.get((station, sensor_id))
        if known is None:
            known = {"station_id": station, "sensor_id": sensor_id, **self._constant}
            self._sensors[station, sensor_id] = known
        return known

    def measures(
        self, columns: Sequence[Values], rows: Integers | None, made: Measured
    ) -> dict[str, Column]:
        """Make the columns of what was measured in ``rows`` (None: in all of them).

        ``made`` keeps the columns that are looked at for every row, since other makers may, too.
        """
        count = len(columns[0]) if rows is None else len(rows)
        found: dict[str, Column] = {}
        for number, (name, text_name, at) in enumerate(self._measures):
            if at is None:
                found[name] = found[text_name] = constant(None, count)
            elif rows is None or number == 0 or not isinstance(columns[at], list):
                if at not in made:
                    made[at] = measured_columns(columns[at], measured)
                whole = made[at]
                found[name], found[text_name] = (
                    whole if rows is None else (whole[0].take(rows), whole[1].take(rows))
                )
            else:
                values = columns[at]
                some = list(map(values.__getitem__, rows.tolist()))
                found[name], found[text_name] = measured_columns(some, measured)
        return found


def makers_by_parameter(makers: Sequence[Maker]) -> dict[str, list[Maker]]:
    """Put makers of one parameter together."""
    found: dict[str, list[Maker]] = {}
    for maker in makers:
        found.setdefault(maker.parameter, []).append(maker)
    return found


def are_alike(makers: Sequence[Maker], *, is_long: bool) -> bool:
    """Say whether each parameter's readings stand in columns of their own."""
    return all(
        len(same) == 1 or (is_long and all(maker.places == same[0].places for maker in same))
        for same in makers_by_parameter(makers).values()
    )


def _measures(reading: Reading) -> list[str]:
    return [measure.name for measure in parameter_of(reading.parameter).measures]


def _constant(mapping: Mapping, table: Table, reading: Reading) -> Record:
    return {
        "zone": table.time.zone,
        "source": mapping.source,
        "source_rank": mapping.rank,
        "source_table": table.table,
        "mapping_version": mapping.version,
        **_units(reading),
    }


def _units(reading: Reading) -> Record:
    """Give the units as stored; a measure that is not mapped is null, in the standard unit."""
    mapped = {name: measure.unit for name, measure in reading.measures.items()}
    standard = {m.name: m.unit for m in parameter_of(reading.parameter).measures}
    units = standard | mapped
    if list(units) == ["value"]:
        return {"unit": units["value"]}
    return {f"{name}_unit": unit for name, unit in units.items()}
