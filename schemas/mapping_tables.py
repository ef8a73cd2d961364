"""Tables of readings in a mapping: wide ones, a column for each measure, and long ones, by code."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from schemas.cursors import Cursor
from schemas.mapping_parts import Part, Time, Via
from weather.parameters import parameter_of
from weather.units import known_units

Parameter = Literal["rainfall", "temperature", "humidity", "wind", "pressure"]


class Counter(Part):
    """A gauge that counts up: since ``reset_minutes`` after each midnight, or until it overflows.

    The word ``daily`` or ``running`` alone stands for one that does it at midnight, or never. Falls
    of at most ``jitter``, in the standard unit, are none: a scale trembles.
    """

    period: Literal["daily", "running"]
    reset_minutes: float = Field(default=0.0, ge=0.0, lt=1440.0)
    jitter: float = Field(default=0.0, ge=0.0)


def _counter(given: Any) -> Any:
    return {"period": given} if isinstance(given, str) else given


class Measure(Part):
    """One measured quantity: its column, its unit as stored, what stands for *missing* there."""

    column: str
    unit: str
    sentinels: tuple[float | str, ...] = ()
    counter: Annotated[Counter | None, BeforeValidator(_counter)] = None


class Health(Part):
    """What the table's ``flag`` column says of a sensor that is unwell.

    Either ``bits`` of a number, of which any that is set says so, or ``words``.
    """

    bits: int = Field(default=0, ge=0)
    words: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.bits > 0) == bool(self.words):
            problem = "give either bits or words that say that the sensor is unwell"
            raise ValueError(problem)
        return self


class Reading(Part):
    """One parameter that a row holds.

    ``code`` is what a long table's code column says for it; ``position`` counts the sensors of one
    kind in a row of a wide table.
    """

    parameter: Parameter
    measures: dict[str, Measure]
    code: str | None = None
    position: int | None = Field(default=None, ge=1)
    interval_seconds: int = Field(default=0, ge=0)
    health: Health | None = None

    @model_validator(mode="after")
    def _measures_fit(self) -> Self:
        allowed = [m.name for m in parameter_of(self.parameter).measures]
        if extra := set(self.measures) - set(allowed):
            problem = f"{self.parameter} has {', '.join(allowed)}, not {', '.join(sorted(extra))}"
            raise ValueError(problem)
        if allowed[0] not in self.measures:
            problem = f"{self.parameter} needs {allowed[0]}"
            raise ValueError(problem)
        for name, measure in self.measures.items():
            if measure.unit not in (known := known_units(self.parameter, name)):
                problem = f"unit {measure.unit!r} of {name} is not one of {', '.join(known)}"
                raise ValueError(problem)
            if measure.counter and self.parameter != "rainfall":
                problem = f"{self.parameter} is nothing that is counted: leave 'counter' out"
                raise ValueError(problem)
        return self


class Table(Part):
    """What is common to both shapes.

    ``via`` and ``constants`` (a column's name, and what it would hold) give a row the columns that
    it lacks: a station's sensor stands in another table, or the only station stands nowhere.
    """

    table: str
    db_schema: str | None = None
    via: Via | None = None
    constants: dict[str, str] = Field(default_factory=dict)
    key: tuple[str, ...] = Field(min_length=1)
    cursor: Cursor
    station: str
    time: Time
    flag: str | None = None
    readings: tuple[Reading, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _readings_of_one_parameter_agree(self) -> Self:
        """Hold what the stream knows only by table and parameter to one answer."""
        known: dict[str, tuple[Any, ...]] = {}
        for reading in self.readings:
            sentinels = {name: set(m.sentinels) for name, m in reading.measures.items()}
            counters = {name: m.counter for name, m in reading.measures.items()}
            told = (sentinels, counters, reading.interval_seconds, reading.health)
            if known.setdefault(reading.parameter, told) != told:
                problem = (
                    f"the readings of {reading.parameter} differ in sentinels, measures, counter, "
                    "health or interval_seconds: give all of them the same"
                )
                raise ValueError(problem)
            if reading.health and self.flag is None:
                problem = f"health of {reading.parameter} stands in no column: name it as 'flag'"
                raise ValueError(problem)
        return self


class WideTable(Table):
    """A row for each station and time, a column for each measure."""

    shape: Literal["wide"]

    @model_validator(mode="after")
    def _sensors_differ(self) -> Self:
        sensors = [(reading.parameter, reading.position or 1) for reading in self.readings]
        if twice := {name for name, position in sensors if sensors.count((name, position)) > 1}:
            problem = f"{', '.join(sorted(twice))} stands twice: give each a position of its own"
            raise ValueError(problem)
        return self


class LongTable(Table):
    """A row for each sensor and time; ``code`` is the column that names the parameter.

    ``position`` is the column that counts a station's sensors of one kind from 1.
    """

    shape: Literal["long"]
    code: str
    position: str | None = None

    @model_validator(mode="after")
    def _codes_are_there(self) -> Self:
        codes = [reading.code for reading in self.readings]
        if None in codes or len(set(codes)) < len(codes):
            problem = "every reading of a long table needs a code of its own"
            raise ValueError(problem)
        if any(reading.position for reading in self.readings):
            problem = "a position belongs to a reading of a wide table; here it is a column"
            raise ValueError(problem)
        return self


AnyTable = Annotated[WideTable | LongTable, Field(discriminator="shape")]
