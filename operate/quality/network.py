"""A dense network around a station of the sample, which has none: what its neighbours would say.

Eight stations, ten kilometres away, have its weather, and each, as it has itself, deviations of its
own. These come and go within hours, and are as large as between the three airports of New York.
"""

from __future__ import annotations

import math
import zlib
from typing import Final, NamedTuple

import numpy as np

from operate.quality.course import is_bad
from operate.quality.faults import Put
from operate.quality.series import Series
from weather.arrays import Flags, Floats
from weather.injection import NONE
from weather.qc.buddy import Places, buddy_test
from weather.qc.flags import Flag, flags_like

STATIONS: Final = 8
_HOUR: Final = 3_600_000_000
_LASTS: Final = 6.0
"""Hours until a third of a deviation is left: from hour to hour 0.85 of one is, in New York."""
_DIFFER: Final = {"temperature": 1.9, "pressure": 0.4}
"""Standard deviation of what two airports differ by, their means apart: that of the worst pair."""
_AWAY: Final = 0.09
"""Degrees of latitude."""
_LOOKED_AT: Final = 2_000


class Around(NamedTuple):
    """What the stations around one measured at its times, (stations, n)."""

    values: Floats

    @classmethod
    def of(cls, series: Series) -> Around | None:
        """Make them; None for what is not compared with neighbours, or nobody knows by how much."""
        if series.limits.buddies is None or series.parameter not in _DIFFER:
            return None
        random = np.random.default_rng(zlib.crc32(series.sensor.encode()))
        stays = math.exp(-series.cadence / (_LASTS * _HOUR))
        size = _DIFFER[series.parameter] / math.sqrt(2)
        made = random.normal(0.0, size, (STATIONS + 1, len(series.at)))
        for place in range(1, made.shape[1]):
            made[:, place] *= math.sqrt(1.0 - stays**2)
            made[:, place] += stays * made[:, place - 1]
        return cls(series.values + made[1:] - made[0])

    def flag(self, series: Series, at: int, value: float) -> int:
        """Judge a value of the station in the middle; 2 where nobody has its time."""
        place = int(np.searchsorted(series.at, at))
        if place == len(series.at) or series.at[place] != at or math.isnan(value):
            return Flag.NOT_EVALUATED
        every = np.append(self.values[:, place], value)
        return int(buddy_test(_PLACES, every, series.limits.buddies)[-1])


def _places() -> Places:
    turn = np.append(np.arange(STATIONS) * 2 * np.pi / STATIONS, 0.0)
    away = np.append(np.full(STATIONS, _AWAY), 0.0)
    return Places(40.0 + away * np.sin(turn), -74.0 + away * np.cos(turn), np.zeros(STATIONS + 1))


_PLACES: Final = _places()


def said(put: Put) -> Flags:
    """Give what the stations around say of readings of faults, of shape (n,); 2 of all others."""
    found = flags_like(len(put.series.at), Flag.NOT_EVALUATED)
    around = Around.of(put.series)
    if around is not None:
        for row in np.flatnonzero(put.faulty.event != NONE).tolist():
            at, value = int(put.faulty.at[row]), float(put.faulty.values[row])
            found[row] = around.flag(put.series, at, value)
    return found


def falsely(series: Series) -> tuple[int, int]:
    """Count healthy readings, and those that the stations around would flag all the same."""
    around = Around.of(series)
    rows = np.flatnonzero(series.healthy)[:_LOOKED_AT]
    if around is None:
        return 0, 0
    values = ((int(series.at[row]), float(series.values[row])) for row in rows.tolist())
    flags = np.array([around.flag(series, *one) for one in values])
    return len(rows), int(is_bad(flags).sum())
