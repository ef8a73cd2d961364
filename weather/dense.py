"""Limits for a network that is dense and reports at once: what other networks could not bear."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from weather.limits import Buddies, Limits, Timeliness
from weather.parameters import PARAMETERS
from weather.ruleset import DEFAULT, Ruleset

_SOON: Final = Timeliness(late_minutes=60)
_PRESSURE: Final = Buddies(
    100_000, 200, 5, suspect=4, fail=8, least_spread=0.5, gradient=-0.12
)  # hPa a metre in the lowest kilometre of the standard atmosphere


def _limits() -> dict[tuple[str, str], Limits]:
    found = dict(DEFAULT.limits)
    for name, parameter in PARAMETERS.items():
        main = name, parameter.main.name
        found[main] = replace(found[main], timeliness=_SOON)
    pressure = "pressure", "value"
    found[pressure] = replace(found[pressure], buddies=_PRESSURE)
    return found


DENSE: Final = Ruleset(version="dense-1", limits=MappingProxyType(_limits()))
"""The default limits, and two tests more:

- what was read over an hour after it was observed is suspect. History is, too: let it judge from
  now on.
- pressures are compared with those of the stations around, as temperatures are: five at least
  within 100 km and 200 m of height, brought to one height; below 2 hPa nobody is suspected. Heights
  must be those of the barometers, to within a few metres.
"""
