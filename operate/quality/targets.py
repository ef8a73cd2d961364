"""What recall each fault is to have, and what it would take where that is missed.

Bars of the product are 95 % of spikes from three step limits on, of values stuck for longer than
the window, of unit mix-ups, of sentinel leaks. The other targets are what a meteorologist would ask
of the whole of it, tests of days and of neighbours included; so some are missed by the tests that
there are, and the words beside them say what would reach them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from operate.quality.faults import Case
from weather.injection import Fault


class Target(NamedTuple):
    """The least part of faults to be caught (None: none is promised), and what more would take."""

    least: float | None
    would_take: str = ""


BAR: Final = 0.95
_NEIGHBOURS: Final = "stations near enough for the test by neighbours"
_AROUND: Final = "stations around (--network); else means of days against theirs"
_BRIEF: Final = "more than some hours: until then it moves no more than the air does"
_RAMP: Final = "a level test: a day's mean against those of its neighbours or of the years before"
_LATE: Final = "a limit for lateness in the ruleset, where readings come live (--network)"
_ALIKE: Final = "nothing in the values: these stations differ by 0.4 hPa. Serial numbers tell"
_DAYS: Final = "days of both against a third station: no reading by itself is wrong"
_ITSELF: Final = "nothing: it lies within what the air itself does"
_LEVELS: Final = {
    "wind": "gusts from every sensor (3 of 4 are NULL here), or neighbours over days",
    "rainfall": "a second gauge, radar, or totals of months against neighbours",
    "humidity": "the dew point of neighbours; a jump from dry air stays below 50 % an hour",
    "temperature": "neighbours; near 0 °C a tenth of a temperature is a temperature",
    "pressure": _NEIGHBOURS,
}


def target_of(case: Case, parameter: str, *, limited: bool, brief: bool = False) -> Target:
    """Give the target.

    ``limited``: the ruleset limits steps at the series' cadence. ``brief``: a drift is over within
    hours, as it is in minutes.
    """
    if brief and case.fault is Fault.DRIFT:
        return Target(0.0, _BRIEF)
    return _TARGETS[case.fault](case.magnitude, parameter, limited)


def _spike(magnitude: int, parameter: str, limited: bool) -> Target:
    if not limited:
        return Target(None, "a step limit: none holds from hour to hour, when anything may happen")
    would_take = "the rule of amounts in the stream" if parameter == "rainfall" else _ITSELF
    return Target((0.4, 0.9, BAR, BAR, BAR)[magnitude], would_take)


def _drift(magnitude: int, _parameter: str, _limited: bool) -> Target:
    return Target((0.0, 0.5, 0.5, 0.8, BAR)[magnitude], _AROUND)


def _stuck(magnitude: int, _parameter: str, _limited: bool) -> Target:
    if magnitude == 0:
        return Target(0.0, "a shorter window, and false flags of calm nights")
    return Target(BAR, "a longer look than the window, for a sensor that is coarse")


def _unit(_magnitude: int, parameter: str, _limited: bool) -> Target:
    return Target(BAR, _LEVELS[parameter])


def _rounded(_magnitude: int, parameter: str, _limited: bool) -> Target:
    return Target(0.5, _LEVELS[parameter])


def _sentinel(_magnitude: int, _parameter: str, _limited: bool) -> Target:
    return Target(BAR, "the sentinel named in the mapping: as a pressure it is one")


def _swap(_magnitude: int, parameter: str, _limited: bool) -> Target:
    if parameter == "pressure":
        return Target(0.0, _ALIKE)
    if parameter in ("temperature", "humidity"):
        return Target(0.8 if parameter == "temperature" else 0.5, _RAMP)
    return Target(0.5, _DAYS)


def _clock(magnitude: int, _parameter: str, _limited: bool) -> Target:
    return Target(BAR) if magnitude >= 2 else Target(0.8, _LATE)


def _reset(_magnitude: int, _parameter: str, _limited: bool) -> Target:
    return Target(0.9, "nothing: at the first reading of a day a counter may start anew")


_TARGETS: Final = {
    Fault.SPIKE: _spike,
    Fault.DRIFT: _drift,
    Fault.STUCK: _stuck,
    Fault.UNIT: _unit,
    Fault.ROUNDED: _rounded,
    Fault.SENTINEL: _sentinel,
    Fault.SWAP: _swap,
    Fault.CLOCK: _clock,
    Fault.RESET: _reset,
}
