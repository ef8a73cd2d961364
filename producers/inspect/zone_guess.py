"""The zone of observation times. It stands in no data; but other clocks beside it may tell.

Where rows are written as they are observed, the time of change less the time of observation is the
zone's offset plus a small delay. And the day is warmest in the early afternoon, by the sun.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from producers.inspect.facts import NO_TIME
from producers.inspect.guesses import Guess
from weather.arrays import Floats, Micros
from weather.time import to_utc

_HOUR: Final = 3_600_000_000
_MINUTE: Final = 60_000_000
_MOST_DELAY: Final = _HOUR
_STEADY: Final = 10 * _MINUTE
# One zone for each way of changing the clocks among those where weather is much observed.
_CHANGING: Final = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "America/Anchorage", "America/Halifax", "America/St_Johns", "Europe/London", "Europe/Berlin",
    "Europe/Helsinki", "Australia/Sydney", "Australia/Adelaide", "Pacific/Auckland",
    "America/Santiago", "America/Sao_Paulo", "Asia/Jerusalem",
)  # fmt: skip
_OFFSETS: Final = (*(60 * h for h in range(-12, 15)), 330, 210, 270, 345, 570, 390, -210, 630)
_WELL_KNOWN: Final = {540: "Asia/Seoul has it too, but changed its clocks until 1988"}


def zone_by_delay(observed: Micros, modified: Micros) -> Guess | None:
    """Guess a zone from the times of change, supposing them to be UTC.

    >>> at = np.arange(200) * _HOUR
    >>> zone_by_delay(at, at - 9 * _HOUR + _MINUTE).value
    '+09:00'
    """
    both = (observed != NO_TIME) & (modified != NO_TIME)
    local, changed = observed[both], modified[both]
    if len(local) < 20:
        return None
    ahead = local - changed
    low, middle, high = np.percentile(ahead, [2, 50, 98])
    if high - low <= _STEADY:
        return _fixed(float(middle))
    return _changing(local, changed)


def sun_says(observed: Micros, temperature: Floats) -> str | None:
    """Say what the warmest hour of the day hints at: the sun's time, or the time in Greenwich."""
    use = (observed != NO_TIME) & np.isfinite(temperature)
    if use.sum() < 100:
        return None
    hours = (observed[use] // _HOUR) % 24
    means = np.array([_mean(temperature[use][hours == hour]) for hour in range(24)])
    if np.isnan(means).any() or np.ptp(means) < 1.0:
        return None
    angle = np.angle(np.sum(means * np.exp(2j * np.pi * np.arange(24) / 24)))
    warmest = float(angle * 24 / (2 * np.pi)) % 24
    likely = "local time" if 11.5 <= warmest <= 17.5 else "UTC, or another far clock"
    return f"by its clock the day is warmest at about {warmest:.0f} h: this looks like {likely}"


def _fixed(ahead: float) -> Guess | None:
    delays = {offset: offset * _MINUTE - ahead for offset in _OFFSETS}
    near = {o: delay for o, delay in delays.items() if -_MINUTE <= delay < _MOST_DELAY}
    if not near:
        return None
    offset = min(near, key=lambda o: (abs(near[o]), o))
    if offset == 0:
        return None  # both clocks are the same one, whichever that is
    name = f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    seconds = near[offset] / 1e6
    told = f"rows change {seconds:.0f} s after their observation, if that is so and changes are UTC"
    if offset in _WELL_KNOWN:
        told = f"{told}; {_WELL_KNOWN[offset]}"
    return Guess(name, 0.7 if offset % 60 == 0 else 0.5, told)


def _changing(local: Micros, changed: Micros) -> Guess | None:
    best: tuple[float, float, str] | None = None
    for zone in _CHANGING:
        delay = changed - to_utc(local, zone)[0]
        middle = float(np.median(delay))
        steady = float(np.mean(np.abs(delay - middle) <= _STEADY))
        if -_MINUTE <= middle < _MOST_DELAY and steady >= 0.97:
            found = (steady, -middle, zone)
            best = found if best is None or found > best else best
    if best is None:
        return None
    told = (
        f"with it rows change {-best[1] / 1e6:.0f} s after their observation, in summer and winter "
        "alike, if changes are UTC; neighbours of the same zone would fit as well"
    )
    return Guess(best[2], 0.7, told)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else float("nan")
