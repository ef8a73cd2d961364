"""From what a source gave to a cleaned, judged reading: all readings of a parameter at once.

The order, for each measure of the parameter::

    given value ── sentinel? ──► NaN
        │ unit
        ▼
    raw_value       as measured, in the standard unit
        │ calibration, direction convention, clamping
        │ range, climate and amount tests ──► flag_range
        ▼
    value           cleaned; NaN where it is missing or failed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from weather.arrays import Bools, Flags, Floats
from weather.circumstances import UNKNOWN, Circumstances, range_flags
from weather.corrections import ALL, Correction, Corrections
from weather.parameters import Measure, Parameter, parameter_of
from weather.qc.flags import FAIL, MISSING, NOT_EVALUATED, aggregate
from weather.ruleset import DEFAULT, Ruleset
from weather.units import to_standard
from weather.wind import NORTH, calm, north_as_zero

_SATURATED: Final = 100.0
# A REAL column gives -9999.9 as -9999.900390625: a single's rounding is at most 6e-8 of the value.
_SINGLE: Final = 1e-7


@dataclass(frozen=True, slots=True)
class Given:
    """One measure as the source gave it: values (NaN where none), their unit, its sentinels.

    ``variable`` are the codes by which a direction says that it has none, though wind blows.
    """

    values: Floats
    unit: str
    sentinels: tuple[float, ...] = ()
    variable: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Calibration:
    """``value = scale * measured + offset`` in the standard unit; numbers, or an array each.

    NaN means that none is known, and changes nothing.
    """

    scale: Floats | float = 1.0
    offset: Floats | float = 0.0

    def apply(self, values: Floats) -> Floats:
        """Give the calibrated values, shape as given."""
        known = ~np.isnan(self.scale) & ~np.isnan(self.offset)
        return np.where(known, values * self.scale + self.offset, values)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One measure after cleaning, in its standard unit; see the module for what each means."""

    raw_value: Floats
    value: Floats
    flag_range: Flags


@dataclass(frozen=True, slots=True)
class Readings:
    """All measures of a parameter, the flag over them, and what was corrected."""

    measures: Mapping[str, Cleaned]
    flag: Flags
    corrections: Corrections


NO_CALIBRATION: Final = Calibration()


def clean(
    parameter: str,
    given: Mapping[str, Given],
    calibration: Calibration = NO_CALIBRATION,
    ruleset: Ruleset | None = DEFAULT,
    allowed: Correction = ALL,
    known: Circumstances = UNKNOWN,
) -> Readings:
    """Clean and judge readings of one parameter, by measure; all arrays of shape (n,).

    - ``raw_value`` is as measured, before calibration; a sentinel is NaN, a north of 0 still 0.
    - ``value`` is NaN where the measure is missing or its range flag is 4.
    - The calibration is for the parameter's main quantity: of wind, speed and gust, not direction.
    - ``flag`` joins the range flags of all measures; without the main one it is 9. So a wind is
      good without gust or direction (variable); if its gust fails, it fails but keeps its speed.
    - What is not ``allowed`` is not corrected, and judged as it stands; units always are. ``known``
      is what limits depend on beside the value. Measures that are not given are missing.
    - Without a ``ruleset`` nothing is judged: values stand, their flags are 2, or 9.

    >>> done = clean("wind", {"speed": Given(np.array([1048.36]), "mph")})
    >>> float(done.measures["speed"].raw_value[0].round(2)), done.flag.tolist()
    (468.66, [4])

    Raises:
        ValueError: unknown parameter, measure or unit, or no main measure; the message names it.
    """
    kind = parameter_of(parameter)
    _check(kind, given)
    done = _Done(np.zeros(given[kind.main.name].values.shape, np.int32), allowed)
    with np.errstate(over="ignore"):  # what overflows is infinite, and fails
        raw = {m.name: _raw(kind, m, given.get(m.name), done) for m in kind.measures}
        best = {m.name: _calibrated(kind, m, raw[m.name], calibration, done) for m in kind.measures}
    if parameter == "wind":
        best["direction"] = _direction(raw["speed"], best["direction"], done)
    measures = {
        name: _judged(raw[name], values, _range(kind, name, values, ruleset, known))
        for name, values in best.items()
    }
    if parameter == "humidity":
        measures["value"] = _clamp(measures["value"], done)
    return Readings(measures, _flag(kind, measures), done.corrections)


def _check(kind: Parameter, given: Mapping[str, Given]) -> None:
    known = [m.name for m in kind.measures]
    unknown = sorted(set(given) - set(known))
    if unknown or kind.main.name not in given:
        problem = f"{kind.name} is given {sorted(given)}: it needs {known[0]!r}, and has {known}"
        raise ValueError(problem)


@dataclass(frozen=True, slots=True)
class _Done:
    """What is corrected, and what may be."""

    corrections: Corrections
    allowed: Correction

    def where(self, wrong: Bools, correction: Correction) -> Bools:
        """Note a correction, and say where it is to be made: nowhere, where it is switched off."""
        if correction not in self.allowed:
            return np.zeros_like(wrong)
        self.corrections[wrong] |= correction
        return wrong


def _raw(kind: Parameter, measure: Measure, given: Given | None, done: _Done) -> Floats:
    if given is None:
        return np.full(done.corrections.shape, np.nan)
    values = given.values
    for codes, correction in (
        (given.sentinels, Correction.SENTINEL_REMOVED),
        (given.variable, Correction.VARIABLE_DIRECTION_CLEARED),
    ):
        if codes:
            values = np.where(done.where(_is_any(values, codes), correction), np.nan, values)
    return to_standard(values, kind.name, measure.name, given.unit)


def _is_any(values: Floats, codes: Sequence[float]) -> Bools:
    found = np.zeros(values.shape, np.bool_)
    for code in codes:
        found |= np.abs(values - code) <= _SINGLE * abs(code)
    return found


def _calibrated(
    kind: Parameter, measure: Measure, raw: Floats, calibration: Calibration, done: _Done
) -> Floats:
    if measure.quantity is not kind.main.quantity:
        return raw
    best = calibration.apply(raw)
    changed = ~np.isnan(raw) & (best != raw)
    return np.where(done.where(changed, Correction.CALIBRATION_APPLIED), best, raw)


def _direction(measured_speed: Floats, direction: Floats, done: _Done) -> Floats:
    """Write directions our way, by the speed as measured: it is what the logger went by."""
    still = done.where(calm(measured_speed, direction), Correction.CALM_DIRECTION_CLEARED)
    north = done.where(north_as_zero(measured_speed, direction), Correction.NORTH_AS_360)
    return np.where(still, np.nan, np.where(north, NORTH, direction))


def _range(
    kind: Parameter, name: str, values: Floats, ruleset: Ruleset | None, known: Circumstances
) -> Flags:
    if ruleset is not None:
        return range_flags(kind.name, name, values, ruleset, known)
    return np.where(np.isnan(values), np.int32(MISSING), np.int32(NOT_EVALUATED))


def _judged(raw: Floats, best: Floats, flags: Flags) -> Cleaned:
    return Cleaned(raw, np.where(flags == FAIL, np.nan, best), flags)


def _clamp(humidity: Cleaned, done: _Done) -> Cleaned:
    """Take what passed above 100 % for saturated air: good sensors read a little over."""
    passed = humidity.flag_range != NOT_EVALUATED
    above = done.where(passed & (humidity.value > _SATURATED), Correction.CLAMPED_TO_100)
    value = np.where(above, _SATURATED, humidity.value)
    return Cleaned(humidity.raw_value, value, humidity.flag_range)


def _flag(kind: Parameter, measures: Mapping[str, Cleaned]) -> Flags:
    main = measures[kind.main.name].flag_range
    joined = aggregate(*(m.flag_range for m in measures.values()))
    return np.where(main == MISSING, main, joined)
