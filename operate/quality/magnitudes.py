"""The five magnitudes of each fault, and how they are told."""

from __future__ import annotations

from typing import Final

from operate.quality.counters import LOST
from weather.injection import Fault
from weather.parameters import Quantity

TIMES: Final = (1.0, 2.0, 3.0, 5.0, 10.0)
DRIFTS: Final = (0.1, 0.3, 1.0, 3.0, 10.0)
DRIFT_READINGS: Final = 120
STUCK: Final = (0.5, 1.1, 1.5, 2.0, 4.0)
MIXED_READINGS: Final = 24
MIXED_RAIN: Final = 240
"""Of rain: it rains in one hour of fourteen, and what is nothing tells of no unit."""
MIXED_RAIN_APART: Final = 600
"""Between them the test learns anew what is usual, from some wet readings as well."""
DECIMALS: Final = 1
"""To which a logger rounds anew that changes its unit: its values count in a new step, then."""
SENTINELS: Final = (-9999.0, 32767.0, -999.0, -99.9, 999.9)
SWAPPED: Final = (1, 3, 6, 24, 72)
SHIFTS: Final = (-540, -60, 10, 60, 540)

MIXED: Final[dict[Quantity, tuple[tuple[str, float, float], ...]]] = {
    Quantity.TEMPERATURE: (
        ("°F as °C", 1.8, 32.0),
        ("°C as °F", 5 / 9, -160 / 9),
        ("K as °C", 1.0, 273.15),
        ("times 10", 10.0, 0.0),
        ("tenths", 0.1, 0.0),
    ),
    Quantity.HUMIDITY: (
        ("part as %", 0.01, 0.0),
        ("of 255 as %", 2.55, 0.0),
        ("of 16 as %", 0.16, 0.0),
        ("times 10", 10.0, 0.0),
        ("tenths", 0.1, 0.0),
    ),
    Quantity.PRESSURE: (
        ("kPa as hPa", 0.1, 0.0),
        ("mmHg as hPa", 0.750062, 0.0),
        ("inHg as hPa", 0.02953, 0.0),
        ("times 10", 10.0, 0.0),
        ("Pa as hPa", 100.0, 0.0),
    ),
    Quantity.SPEED: (
        ("km/h as m/s", 3.6, 0.0),
        ("kt as m/s", 3600 / 1852, 0.0),
        ("mph as m/s", 1 / 0.44704, 0.0),
        ("times 10", 10.0, 0.0),
        ("tenths", 0.1, 0.0),
    ),
    Quantity.DEPTH: (
        ("in as mm", 1 / 25.4, 0.0),
        ("mm as in", 25.4, 0.0),
        ("tips of 0.2 as mm", 5.0, 0.0),
        ("times 10", 10.0, 0.0),
        ("tenths", 0.1, 0.0),
    ),
}
"""Units sent and taken for others: name, factor and shift of the standard value."""

TOLD: Final[dict[Fault, tuple[str, ...]]] = {
    Fault.SPIKE: tuple(f"{times:g} times the step limit" for times in TIMES),
    Fault.DRIFT: tuple(f"{times:g} times the step limit a day" for times in DRIFTS),
    Fault.STUCK: tuple(f"{times:g} times the window" for times in STUCK),
    Fault.UNIT: tuple(f"{kind}. of its units" for kind in range(1, 6)),
    Fault.ROUNDED: tuple(f"{kind}. of its units" for kind in range(1, 6)),
    Fault.SENTINEL: tuple(f"{sentinel:g}" for sentinel in SENTINELS),
    Fault.SWAP: tuple(f"{length} readings" for length in SWAPPED),
    Fault.CLOCK: tuple(f"{minutes:+d} min" for minutes in SHIFTS),
    Fault.RESET: tuple(f"after {lost:g} mm" for lost in LOST),
}
