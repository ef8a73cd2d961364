"""What the three measures of wind say of one another: units, order, swapped columns."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from producers.inspect.guesses import Guess, Notes
from producers.inspect.layout import Layout
from schemas.mapping_parts import UNSET
from weather.arrays import Floats

_GUST_AGREES: Final = 0.9


def gust_unit(speed: str, own: Guess | None, numbers: Floats) -> Guess | None:
    """Give the unit of a gust: what is written beside it, else that of the speed."""
    if own is not None and "says so" in own.reason:
        return own
    return Guess(speed, 0.85, "that of the speed") if speed != UNSET or not len(numbers) else own


def compare_gust(layout: Layout, columns: dict[str, str], drafted: Any, notes: Notes) -> None:
    """Say so where gusts are no gusts: they are often below the mean speed."""
    if not {"speed", "gust"} <= set(columns) or drafted["speed"]["unit"] != drafted["gust"]["unit"]:
        return
    speed, gust = (layout.facts[columns[part]].floats for part in ("speed", "gust"))
    both = np.isfinite(speed) & np.isfinite(gust)
    for part, numbers in (("speed", speed), ("gust", gust)):
        both &= ~np.isin(numbers, drafted[part].get("sentinels", []))
    if both.sum() >= 20 and np.mean(gust[both] >= speed[both] * 0.999) < _GUST_AGREES:
        notes.say(
            f"{columns['gust']} is often below {columns['speed']}: no gust is; is it another unit?"
        )


def compare_direction(layout: Layout, columns: dict[str, str], drafted: Any, notes: Notes) -> None:
    """Say so where the values of speed and direction look as if the two were swapped."""
    if {drafted.get(part, {}).get("unit") for part in ("speed", "direction")} != {UNSET}:
        return
    speed, direction = (layout.facts[columns[part]].measured for part in ("speed", "direction"))
    if len(speed) and len(direction) and speed.max() > 100 > direction.max():
        notes.say(
            f"{columns['speed']} reaches {speed.max():g} and {columns['direction']} "
            f"{direction.max():g}: speed and direction are perhaps swapped"
        )
