"""The unit of a measure: said by name, comment or unit column, or else read off its values.

Values tell by their range, by the step between them (whole knots written as mph lie 1.15078 apart)
and by company: where temperatures are in °F, speeds are hardly in m/s. Ranges are those of weather
anywhere at the surface; where two units fit, the guess says so and is worth little.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from producers.inspect.guesses import Guess
from producers.inspect.names import unit_in, unit_of
from weather.arrays import Floats
from weather.parameters import measure_of
from weather.units import known_units

US: Final = "us"
METRIC: Final = "metric"
TENTHS: Final = "tenths"
_SYSTEMS: Final = {
    "degF": US, "in": US, "mph": US, "inHg": US, "degC": METRIC, "mm": METRIC,
    "0.1degC": TENTHS, "0.1degC+1000": TENTHS, "0.1%": TENTHS, "0.1hPa": TENTHS,
}  # fmt: skip
_SUFFIX_OF_PRESSURE: Final = {"in": "inHg", "mm": "mmHg"}
_KNOT: Final = {"m/s": 0.514444, "mph": 1.150779, "km/h": 1.852}
_ENOUGH: Final = 10
_HOTTEST_F, _COLDEST_F = 140.0, -130.0
_FASTEST: Final = 260.0
"""19 of 20 winds are below it in any unit, whichever the place."""
_WETTEST: Final = 115.0
_NEVER_SO_LITTLE: Final = 30.0
"""Directions in degrees go beyond it, wherever the wind comes from."""


def unit_by_word(
    parameter: str, measure: str, name: str, comment: str | None = None, beside: str | None = None
) -> Guess | None:
    """Read the unit out of what people wrote: a unit column, a name, a comment.

    A name alone is none: PA is a pressure, not its unit.
    """
    known = known_units(parameter, measure)
    said = [(unit_of(beside or ""), beside), (unit_in(name), name)]
    said += [(unit_in(comment or "") or unit_of(comment or ""), comment)]
    for unit, text in said:
        if parameter == "pressure":
            unit = _SUFFIX_OF_PRESSURE.get(unit or "", unit)  # noqa: PLW2901
        if unit in known:
            return Guess(unit, 0.95, f"{text!r} says so")
    return None


def unit_by_value(
    parameter: str, measure: str, numbers: Floats, system: str | None = None
) -> Guess | None:
    """Read the unit off measured values; ``system`` is what other columns speak for.

    >>> unit_by_value("pressure", "value", np.array([29.8, 29.9, 30.1])).value
    'inHg'
    """
    values = numbers[np.isfinite(numbers)]
    quantity = measure_of(parameter, measure).quantity.value
    guessed = _BY_QUANTITY[quantity](values, system) if len(values) else _EMPTY.get(quantity)
    if guessed is None or len(values) >= _ENOUGH:
        return guessed
    return guessed.weighed(0.7, f"from {len(values)} values only")


def system_of(units: list[str]) -> str | None:
    """Say whether units are those of the United States or metric ones."""
    found = {_SYSTEMS[unit] for unit in units if unit in _SYSTEMS}
    return found.pop() if len(found) == 1 else None


def _temperature(values: Floats, system: str | None) -> Guess | None:
    low, middle, high = _spread(values)
    whole = _is_whole(values)
    if low >= 215 and middle <= 325:
        sure, doubt = (0.5, "; or tenths of °C in the tropics") if whole else (0.95, "")
        return Guess("K", sure, f"values are about {middle:.0f}{doubt}")
    if high > _HOTTEST_F or (whole and low < _COLDEST_F):
        return _tenths_of_a_degree(low, high) if whole else None
    if high > 48:
        sure = 0.9 if high > 60 else 0.6
        return Guess("degF", sure, f"values reach {high:.1f}, too hot for °C")
    if _on_lattice(values - 32, 0.18) and not _on_lattice(values, 0.1):
        return Guess("degF", 0.85, "values are tenths of °C written as °F")
    if system == US:
        return Guess("degF", 0.55, "other columns are in units of the United States")
    sure = 0.6 if low < -45 else 0.85 if low < 15 and high < 42 else 0.7
    return Guess("degC", sure, f"values lie from {low:.1f} to {high:.1f}; °F is not excluded")


def _tenths_of_a_degree(low: float, high: float) -> Guess | None:
    told = f"whole numbers from {low:.0f} to {high:.0f}: "
    if low >= 400 and high <= 1650:
        return Guess("0.1degC+1000", 0.7, f"{told}tenths of °C, counted from -100")
    if low >= -600 and high <= 600:
        return Guess("0.1degC", 0.7, f"{told}tenths of °C")
    return None


def _pressure(values: Floats, _system: str | None) -> Guess | None:
    _, middle, _ = _spread(values)
    if 5_000 <= middle < 11_000 and _is_whole(values):
        return Guess("0.1hPa", 0.9, f"values are whole numbers about {middle:.0f}")
    bands = (
        (15.0, 33.0, "inHg", 0.95), (50.0, 110.0, "kPa", 0.9), (500.0, 690.0, "hPa", 0.6),
        (690.0, 725.0, "hPa", 0.5), (725.0, 790.0, "mmHg", 0.6), (790.0, 1100.0, "hPa", 0.95),
        (50_000.0, 110_000.0, "Pa", 0.95),
    )  # fmt: skip
    for low, high, unit, sure in bands:
        if low <= middle < high:
            doubt = "" if sure > 0.8 else "; on a mountain hPa, at the sea mmHg"
            return Guess(unit, sure, f"values are about {middle:.1f}{doubt}")
    return None


def _speed(values: Floats, system: str | None) -> Guess | None:
    for unit, step in _KNOT.items():
        if _on_lattice(values, step):
            return Guess(unit, 0.9, f"values are multiples of {step:g}: whole knots")
    high = float(np.percentile(values, 95))
    if system == TENTHS and _is_whole(values):
        return Guess("0.1m/s", 0.7, "other columns are whole numbers of tenths")
    return None if high > _FASTEST else _speed_by_size(high, system)


def _speed_by_size(high: float, system: str | None) -> Guess:
    if system == US:
        return Guess("mph", 0.6, "other columns are in units of the United States; or knots")
    if high > 32:
        return Guess("km/h", 0.55, f"one in twenty is above {high:.0f}; or knots, mph")
    if high > 16:
        return Guess("kt", 0.4, f"one in twenty is above {high:.0f}: knots, mph or km/h")
    sure = 0.8 if system == METRIC else 0.65
    return Guess("m/s", sure, f"19 of 20 are below {high:.1f}; knots are not excluded")


def _direction(values: Floats, system: str | None) -> Guess | None:
    high = float(np.percentile(values, 99))
    whole = _is_whole(values)
    if high > 720:
        return _fine_direction(high, system) if high <= 6400 else None
    if high < _NEVER_SO_LITTLE and not whole and len(values) >= _ENOUGH:
        return None
    if high <= 16 and whole and len(np.unique(values)) >= 4:
        return Guess("sector16", 0.7, "values are whole numbers up to 16")
    if high <= 36 and whole and len(values) > 100:
        return Guess("10degree", 0.8, "values are whole numbers up to 36")
    return Guess("degree", 0.95, f"values reach {high:.0f}")


def _fine_direction(high: float, system: str | None) -> Guess:
    if high > 3600:
        return Guess("mil", 0.7, f"values reach {high:.0f}")
    return Guess("0.1degree", 0.8 if system == TENTHS else 0.7, f"values reach {high:.0f}")


def _depth(values: Floats, system: str | None) -> Guess:
    wet = values[values > 0]
    if system == TENTHS and _is_whole(values):
        return Guess("0.1mm", 0.7, "other columns are whole numbers of tenths")
    if not len(wet):
        return Guess("mm", 0.5 if system != US else 0.3, "no rain in the sample")
    least, most = float(wet.min()), float(np.percentile(wet, 99))
    if _on_lattice(wet, 0.254, distinct=3) and not _on_lattice(wet, 0.1, distinct=1):
        return Guess("mm", 0.9, "values are multiples of 0.254: a tip of 0.01 in, in mm")
    if _decimals(np.unique(wet)) == len("01") and least < 0.1 and most < 6:
        sure = 0.9 if system == US else 0.7
        return Guess("in", sure, f"values are hundredths, from {least:g} to {most:g}")
    if bool((wet == np.floor(wet)).all()) and float(np.median(wet)) > 20:
        return Guess("0.1mm", 0.4, "values are large whole numbers; or mm")
    return Guess("mm", 0.55 if system == US else 0.8, f"rain begins at {least:g}")


def _humidity(values: Floats, _system: str | None) -> Guess | None:
    high = float(np.percentile(values, 99))
    if 0 < high <= 1.05:
        return None if _is_whole(values) else Guess("1", 0.7, f"values reach {high:.2f}")
    if high > _WETTEST:
        fits = high <= 10 * _WETTEST and _is_whole(values)
        return Guess("0.1%", 0.8, f"whole numbers up to {high:.0f}") if fits else None
    if float(np.percentile(values, 1)) < 0:
        return Guess("%", 0.4, "some values are below 0")
    return Guess("%", 0.95, f"values reach {high:.0f}")


_BY_QUANTITY: Final[dict[str, Callable[[Floats, str | None], Guess | None]]] = {
    "temperature": _temperature,
    "humidity": _humidity,
    "pressure": _pressure,
    "speed": _speed,
    "direction": _direction,
    "depth": _depth,
}
_EMPTY: Final = {
    "direction": Guess("degree", 0.6, "no values; nothing else is usual"),
    "humidity": Guess("%", 0.8, "no values; there is no other unit"),
}


def _is_whole(values: Floats) -> bool:
    return bool((values == np.floor(values)).all())


def _spread(values: Floats) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, [1, 50, 99])
    return float(low), float(middle), float(high)


def _on_lattice(values: Floats, step: float, distinct: int = 8) -> bool:
    """Say whether nearly all values are multiples of a step, within what rounding explains."""
    different = np.unique(values[values != 0])
    if len(different) < distinct:
        return False
    slack = max(0.5 * 10.0 ** -_decimals(different) * 1.01, 1e-7)
    if slack > step / 4:
        return False
    apart = np.abs(different / step - np.round(different / step)) * step
    return float(np.mean(apart <= slack + 2e-6 * np.abs(different))) >= 0.95


def _decimals(values: Floats) -> int:
    for places in range(6):
        if np.allclose(values, np.round(values, places), rtol=0, atol=1e-7):
            return places
    return 6
