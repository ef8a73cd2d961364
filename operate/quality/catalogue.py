"""The tests that have a page: which fields are theirs, what they go by, which faults show them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from operate.quality.faults import Case
from schemas import avsc
from schemas.topics import PARAMETERS, clean_schema
from weather.arrays import Bools, Flags
from weather.injection import Fault
from weather.korea import KOREA
from weather.limits import Limits
from weather.parameters import measure_of
from weather.qc.arrival import ANY_DELAY
from weather.qc.consistency import DRIEST_RAIN
from weather.qc.digits import STEPS
from weather.qc.flags import Flag
from weather.qc.station import DEW_ABOVE, SEA_LEVEL_APART
from weather.ruleset import DEFAULT, Ruleset

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Test:
    """A test.

    Attributes:
        name: of its page, ``<name>.md``, and of its plot.
        ends: how the fields of the clean schemas end that are its own; several, parted by a bar.
        defaults: what a ruleset says of it, a row for each measure or limit.
        caught: the fault that shows what it finds, where no real day does; None draws no plot.
        passed: the fault that shows what gets past it.
        parameters: in whose series these are looked for, in this order.
        joins: the field that holds its verdict beside another test's.
        says: which flags of that field are its own.
        drawn_by: the ruleset of its plot, where none by default makes the test.
    """

    name: str
    ends: str
    defaults: Callable[[Ruleset], list[Row]]
    caught: Case | None = None
    passed: Case | None = None
    parameters: tuple[str, ...] = ()
    joins: str = ""
    says: tuple[Flag, ...] = (Flag.SUSPECT, Flag.FAIL)
    drawn_by: Ruleset = DEFAULT

    def found(self, flags: Flags) -> Bools:
        """Say which flags tell that it found something."""
        return np.isin(flags, self.says)

    def owns(self, field: str) -> bool:
        """Say whether a field is its own."""
        ends = self.ends.split("|")
        return any(f == field or (field.startswith("flag_") and field.endswith(f)) for f in ends)

    def speaks_in(self, field: str) -> bool:
        """Say whether its verdict stands in a field, alone or beside another test's."""
        joined = bool(self.joins) and field.endswith(self.joins.removeprefix("flag"))
        return joined or self.owns(field)

    @property
    def fields(self) -> list[str]:
        """The fields of the clean schemas that are its own; none where the stream does not ask."""
        named = [field for p in PARAMETERS for field in avsc.field_names(clean_schema(p))]
        return [field for field in dict.fromkeys(named) if self.owns(field)]


def _of_measures(
    columns: Callable[[Limits], Iterator[Mapping[str, Any]]],
) -> Callable[[Ruleset], list[Row]]:
    def rows(ruleset: Ruleset) -> list[Row]:
        return [
            {"measure": f"{parameter}.{measure}", "unit": _unit(parameter, measure), **row}
            for (parameter, measure), limits in ruleset.limits.items()
            for row in columns(limits)
        ]

    return rows


def _range(limits: Limits) -> Iterator[Mapping[str, Any]]:
    suspect = limits.suspect
    beyond = "" if suspect is None else f"{suspect.low:g} to {suspect.high:g}"
    yield {
        "fails outside": f"{limits.fail.low:g} to {limits.fail.high:g}",
        "suspect outside": beyond,
    }


def _step(limits: Limits) -> Iterator[Mapping[str, Any]]:
    for step in limits.steps:
        yield {
            "up to minutes": f"{step.minutes:g}",
            "suspect above": f"{step.suspect:g}",
            "fails above": _finite(step.fail),
            "falls": "pass" if limits.rises_only else "count",
        }


def _digits(ruleset: Ruleset) -> list[Row]:
    return [
        {
            "measure": f"{parameter}.{measure}",
            "unit": _unit(parameter, measure),
            "steps": ", ".join(f"{size:.5g}" for size in steps.sizes),
            "times five counts, too": "yes" if steps.five else "no",
        }
        for (parameter, measure), steps in STEPS.items()
        if ruleset.limits_of(parameter, measure).digits
    ]


def _spike(limits: Limits) -> Iterator[Mapping[str, Any]]:
    if limits.spike is not None:
        yield {
            "suspect above": f"{limits.spike.suspect:g}",
            "fails above": f"{limits.spike.fail:g}",
            "neighbours within minutes": f"{limits.spike.within_minutes:g}",
            "height": str(limits.spike.height),
        }


def _flat_line(limits: Limits) -> Iterator[Mapping[str, Any]]:
    flat = limits.flat_line
    if flat is not None:
        yield {
            "suspect from minutes": f"{flat.suspect_minutes:g}",
            "fails from minutes": f"{flat.fail_minutes:g}",
            "of a resolution": f"{flat.resolution:g}",
            "equal readings at least": f"{flat.readings}",
            "calm up to": _finite(flat.calm),
            "saturated from": _finite(flat.saturated),
        }


def _climate(limits: Limits) -> Iterator[Mapping[str, Any]]:
    for month, span in enumerate(limits.climate, start=1):
        yield {"month": f"{month}", "suspect outside": f"{span.low:g} to {span.high:g}"}


def _amounts(limits: Limits) -> Iterator[Mapping[str, Any]]:
    for amount in limits.amounts:
        yield {
            "in minutes": f"{amount.minutes:g}",
            "suspect above": f"{amount.suspect:g}",
            "fails above": _finite(amount.fail),
        }


def _buddies(limits: Limits) -> Iterator[Mapping[str, Any]]:
    if limits.buddies is not None:
        yield {name.replace("_", " "): f"{value:g}" for name, value in _told(limits.buddies)}


def _told(limits: Any) -> Iterator[tuple[str, float]]:
    yield from limits._asdict().items()


def _consistency(_ruleset: Ruleset) -> list[Row]:
    return [
        {"rule": "gust below the mean speed of its own interval", "flag": "4"},
        {"rule": "direction without wind", "flag": "3"},
        {"rule": f"rain in air of less than {DRIEST_RAIN:g} %: both", "flag": "3"},
    ]


def _station(_ruleset: Ruleset) -> list[Row]:
    return [
        {"rule": rule, "flag": flag, "asked by the stream": asked}
        for rule, flag, asked in (
            ("calibration out of date", "3", "yes"),
            (
                f"dew point more than {DEW_ABOVE:g} °C above the temperature: both",
                "4",
                "no: dew points are not extracted",
            ),
            (
                f"sea-level pressure more than {SEA_LEVEL_APART:g} hPa from the reduced: both",
                "3",
                "no: pressures at sea level are not extracted",
            ),
            ("the station finds its sensor unwell", "4", "where the mapping says how"),
        )
    ]


def _time(ruleset: Ruleset) -> list[Row]:
    late = [*_of_measures(_late)(ruleset)]
    return [
        {"rule": f"observed over {ANY_DELAY.future_minutes:g} min after it was read", "flag": "3"},
        {"rule": "an hour that the local clock skipped", "flag": "3"},
        *({"rule": f"{one['measure']} {one['late']}", "flag": "3"} for one in late),
        *(() if late else ({"rule": "read too late: no limits by default", "flag": ""},)),
    ]


def _late(limits: Limits) -> Iterator[Mapping[str, Any]]:
    if limits.timeliness is not None:
        yield {"late": f"read over {limits.timeliness.late_minutes:g} min after it was observed"}


def _finite(value: float) -> str:
    return "never" if math.isinf(value) else f"{value:g}"


def _unit(parameter: str, measure: str) -> str:
    return measure_of(parameter, measure).unit


TESTS: Final = (
    Test("range", "_range", _of_measures(_range), Case(Fault.SENTINEL, 0), Case(Fault.UNIT, 1),
         ("wind", "temperature")),
    Test("step", "_step", _of_measures(_step), Case(Fault.SPIKE, 2), Case(Fault.DRIFT, 2),
         ("temperature", "pressure")),
    Test("spike", "_spike", _of_measures(_spike), Case(Fault.SPIKE, 2), Case(Fault.SPIKE, 0),
         ("temperature", "pressure", "humidity")),
    Test("flat-line", "_flat_line", _of_measures(_flat_line), Case(Fault.STUCK, 2),
         Case(Fault.STUCK, 0), ("temperature", "pressure")),
    Test("digits", "_digits", _digits, Case(Fault.UNIT, 1), Case(Fault.ROUNDED, 1),
         ("wind", "humidity"), joins="flag_step"),
    Test("consistency", "_consistency", _consistency, Case(Fault.UNIT, 0), Case(Fault.SWAP, 3),
         ("wind",)),
    Test("time", "flag_time", _time, Case(Fault.CLOCK, 3), Case(Fault.CLOCK, 1),
         ("temperature",)),
    Test("climate", "_climate", _of_measures(_climate), Case(Fault.UNIT, 0), Case(Fault.UNIT, 1),
         ("temperature",), joins="flag_range", says=(Flag.SUSPECT,), drawn_by=KOREA),
    Test("rain", "_amount", _of_measures(_amounts), Case(Fault.RESET, 2), Case(Fault.RESET, 0),
         ("rainfall",), joins="flag_range"),
    Test("station", "flag_calibration|flag_health", _station, None, Case(Fault.DRIFT, 2),
         ("temperature",)),
    Test("neighbours", "_buddy", _of_measures(_buddies), Case(Fault.DRIFT, 1),
         Case(Fault.DRIFT, 0), ("temperature",)),
)  # fmt: skip
"""In the order in which the pages stand in the index."""


def defaults_of(test: Test, ruleset: Ruleset = DEFAULT) -> str:
    """Write what a ruleset says of a test, as Markdown."""
    rows = test.defaults(ruleset)
    told = f"Ruleset `{ruleset.version}`. {_where(test)}"
    return "\n\n".join([told, markdown(rows) if rows else "No limits by default: it is not made."])


def _where(test: Test) -> str:
    if test.joins:
        return f"No field of its own: the worse of both stands in `{test.joins}`."
    fields = ", ".join(f"`{field}`" for field in test.fields)
    return f"Fields: {fields}." if fields else "No field: the stream does not ask it yet."


def markdown(rows: Sequence[Row]) -> str:
    r"""Write rows that have the same keys as a table of Markdown.

    >>> markdown([{"a": 1, "b": "x"}])
    '| a | b |\n|---|---|\n| 1 | x |'
    """
    head = "| " + " | ".join(rows[0]) + " |"
    rule = "|" + "---|" * len(rows[0])
    lines = ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows]
    return "\n".join([head, rule, *lines])
