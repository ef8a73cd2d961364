"""The limits of one measure: what each test needs to know, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import NamedTuple

from weather.anomaly import Anomaly


class Span(NamedTuple):
    """A range with both limits inside."""

    low: float
    high: float


class Step(NamedTuple):
    """How much a measure may change within so many minutes; of rain: how much may fall."""

    minutes: float
    suspect: float
    fail: float = math.inf


class Factor(NamedTuple):
    """By which factor a measure may rise or fall within so many minutes.

    Nothing is said of changes up to ``least``: near zero any change is a large part.
    """

    minutes: float
    suspect: float
    least: float


class Height(StrEnum):
    """How far a value stands out from its neighbours, as ioos_qc names it ([Q])."""

    DIFFERENTIAL = "differential"
    """By the smaller of both differences, where these have one sign: it blames no neighbour."""
    AVERAGE = "average"
    """By the difference from the mean of both neighbours."""


class Spike(NamedTuple):
    """How far a value may stand out from both neighbours, where these are so many minutes away."""

    suspect: float
    fail: float
    within_minutes: float
    height: Height = Height.DIFFERENTIAL


class FlatLine(NamedTuple):
    """How long a measure may stand still, for a sensor that resolves ``resolution``.

    A coarser sensor may stand longer in proportion, and nothing is said of fewer than ``readings``
    equal ones. At or below ``calm``, at or above ``saturated``, standing still is natural.
    """

    suspect_minutes: float
    fail_minutes: float
    resolution: float
    readings: int = 24
    calm: float = -math.inf
    saturated: float = math.inf


class Buddies(NamedTuple):
    """How far a value may be from those of the stations around it.

    Neighbours lie within ``radius`` metres and ``elevation`` metres of height; fewer than ``least``
    of them judge nobody. Their values are brought to the station's height by ``gradient`` a metre.
    Beyond ``suspect`` or ``fail`` of their standard deviations, each at least ``least_spread``, a
    value is flagged.
    """

    radius: float
    elevation: float
    least: int
    suspect: float
    fail: float
    least_spread: float
    gradient: float = 0.0


class Timeliness(NamedTuple):
    """How long a reading may be under way, in minutes: from its observation until it was read.

    One that claims to be observed more than ``future_minutes`` after it was read is suspect. A late
    one is as true as any: it is suspect only where a limit is set.
    """

    future_minutes: float = 5.0
    late_minutes: float = math.inf


@dataclass(frozen=True, slots=True, repr=False)
class Limits:
    """The tests of one measure; one that has no limits here is not made.

    Attributes:
        fail: beyond it a value fails.
        suspect: beyond it a value is suspect.
        climate: what is usual in January, February and so on: beyond it a value is suspect. Twelve
            spans, or none.
        steps: in rising order of minutes.
        rises_only: a fall is natural: a counter starts anew.
        factor: how many times as large or small it may become.
        digits: values may not leave the steps in which the sensor has counted so far; of measures
            that :data:`weather.qc.digits.STEPS` has steps for.
        spike: how far a value may stand out.
        flat_line: how long it may stand still.
        amounts: in rising order of minutes, how much rain may fall in an interval.
        buddies: how far it may be from its neighbours.
        anomaly: what is usual, as a model has learnt it.
        timeliness: how long a reading may be under way; that of the parameter's main measure counts
            for all of it.
    """

    fail: Span
    suspect: Span | None = None
    climate: tuple[Span, ...] = ()
    steps: tuple[Step, ...] = ()
    rises_only: bool = False
    factor: Factor | None = None
    digits: bool = False
    spike: Spike | None = None
    flat_line: FlatLine | None = None
    amounts: tuple[Step, ...] = ()
    buddies: Buddies | None = None
    anomaly: Anomaly | None = None
    timeliness: Timeliness | None = None

    def __repr__(self) -> str:
        """Tell of the tests that are made: what has its default says nothing.

        >>> Limits(Span(0.0, 5.0), digits=True)
        Limits(fail=Span(low=0.0, high=5.0), digits=True)
        """
        told = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        made = (f"{name}={value!r}" for name, (value, usual) in told.items() if value != usual)
        return f"Limits({', '.join(made)})"
