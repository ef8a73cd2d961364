"""What a series is: one measure of a sensor, and which fields of its readings its tests fill."""

from __future__ import annotations

from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A measure that is looked at in time, and the clean schema's fields for the verdicts on it."""

    parameter: str
    measure: str
    step: str | None = None
    spike: str | None = None
    flat_line: str | None = None
    consistency: str | None = None
    anomaly: str | None = None


def _single(parameter: str) -> Kind:
    names = ("flag_step", "flag_spike", "flag_flat_line", "flag_consistency", "flag_anomaly")
    return Kind(parameter, "value", *names)


KINDS: Final = (
    _single("rainfall"),
    _single("humidity"),
    _single("temperature"),
    _single("pressure"),
    Kind(
        "wind",
        "speed",
        "flag_speed_step",
        "flag_speed_spike",
        "flag_speed_flat_line",
        "flag_consistency",
        "flag_anomaly",
    ),
    Kind("wind", "direction", flat_line="flag_direction_flat_line"),
)
"""Every kind of series. A wind sensor has two, always side by side; a gust has no neighbours."""

RAINFALL: Final = 0
HUMIDITY: Final = 1
SPEED: Final = 4
DIRECTION: Final = 5


def kinds_of(parameter: str) -> list[int]:
    """Give the places in :data:`KINDS` of a parameter's series.

    >>> kinds_of("wind"), kinds_of("humidity")
    ([4, 5], [1])
    """
    return [place for place, kind in enumerate(KINDS) if kind.parameter == parameter]


def field_names(parameter: str) -> list[str]:
    """Name the fields of a clean reading that the window fills.

    >>> field_names("pressure")
    ['flag_step', 'flag_spike', 'flag_flat_line', 'flag_consistency', 'flag_anomaly']
    """
    kinds = [KINDS[place] for place in kinds_of(parameter)]
    return [name for kind in kinds for name in kind[2:] if name is not None]
