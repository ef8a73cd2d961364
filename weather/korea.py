"""The limits of Korea's weather service, where its guide is stricter than the world ([K])."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from weather.limits import Limits, Span
from weather.ruleset import DEFAULT, Ruleset

_MONTHS: Final = (
    *((-40.0, 30.0), (-35.0, 35.0), (-25.0, 40.0), (-20.0, 45.0), (-10.0, 50.0), (0.0, 50.0)),
    *((5.0, 50.0), (5.0, 50.0), (-5.0, 45.0), (-20.0, 40.0), (-30.0, 40.0), (-35.0, 35.0)),
)

_TEMPERATURE: Final = replace(
    DEFAULT.limits_of("temperature", "value"),
    fail=Span(-40.0, 60.0),
    climate=tuple(Span(low, high) for low, high in _MONTHS),
)
_HUMIDITY: Final = replace(DEFAULT.limits_of("humidity", "value"), fail=Span(1.0, 105.0))
_PRESSURE: Final = replace(DEFAULT.limits_of("pressure", "value"), fail=Span(500.0, 1080.0))


def _limits() -> dict[tuple[str, str], Limits]:
    return {
        **DEFAULT.limits,
        ("temperature", "value"): _TEMPERATURE,
        ("humidity", "value"): _HUMIDITY,
        ("pressure", "value"): _PRESSURE,
    }


KOREA: Final = Ruleset(version="korea-2", limits=MappingProxyType(_limits()))
"""The default limits, but for the ranges of [K]: temperature -40..60 °C and by month, humidity from
1 %, pressure to 1080 hPa."""
