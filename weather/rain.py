"""Rain from a counter: gauges that count since the last reset, and what fell in between.

Each reading's increment follows from the one before it *in time* and nothing else: a late reading
changes its own and the next one's, and the order of arrival changes none. :mod:`weather.qc.series`
finds the readings before (``change`` and ``elapsed``), across batches too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from weather.arrays import Bools, Flags, Floats, Micros
from weather.corrections import Correction, Corrections
from weather.qc.flags import Flag, flags_like

DAY: Final = 86_400_000_000
_MINUTE: Final = 60_000_000
_DRIP: Final = 1e-6
"""Millimetres: what is less is the rounding of a subtraction."""


class Counter(NamedTuple):
    """How a counter runs: it starts anew every ``period`` micros, ``reset`` of them after midnight.

    The reading of the very moment of the reset still belongs to what was before: of a counter that
    starts anew at midnight the 00:00 sample holds the whole past day, the 00:01 sample one minute
    ([K]). A ``period`` of 0 is a counter that runs on until it falls. A fall of at most ``jitter``
    millimetres, as of a scale in the wind, is none.
    """

    period: int = DAY
    reset: int = 0
    jitter: float = _DRIP


DAILY: Final = Counter()
RUNNING: Final = Counter(period=0)


@dataclass(frozen=True, slots=True)
class Increments:
    """What fell between each reading and the one before; all of shape (n,).

    Attributes:
        amount: millimetres; NaN where there is no reading, or none before it that tells.
        minutes: over how many minutes it fell: more than one interval where readings are missing.
        flags: 3 where the counter fell without a reset or did not fall in spite of one; 9 and 2
            where there is nothing to say.
        corrections: what was done.
    """

    amount: Floats
    minutes: Floats
    flags: Flags
    corrections: Corrections


def increments(
    counted: Floats,
    change: Floats,
    elapsed: Micros,
    local: Micros,
    interval: Micros | int = _MINUTE,
    counter: Counter = DAILY,
) -> Increments:
    """Turn readings of a counter (mm) into what fell since the reading before.

    ``change`` and ``elapsed`` are those of :class:`weather.qc.series.Neighbours`, ``local`` is the
    local time, whose days are counted, ``interval`` the usual distance of readings; microseconds.

    - Within a period it is the change; of a gap it is one amount over all its minutes.
    - The first reading after a reset is all that fell since. What fell before the reset, behind the
      last reading, nobody knows: ``rain_lower_bound``, unless that reading was the period's last.
    - One that stands, not at 0, where a reset was due has not been reset: nothing fell, 3.
    - Any other fall is a reset of its own: what it shows is a lower bound, 3.

    >>> minute = np.array([0, 1, 2, 3, 4]) * 60_000_000
    >>> counted = np.array([7.5, 0.5, 0.5, 1.0, 0.5])
    >>> fell = increments(counted, np.diff(counted, prepend=np.nan), np.diff(minute, prepend=0),
    ...                   minute)
    >>> fell.amount.tolist(), fell.flags.tolist()
    ([nan, 0.5, 0.0, 0.5, 0.5], [2, 1, 1, 1, 3])
    """
    since = _since_reset(local, counter)
    due = since <= elapsed
    known = ~np.isnan(change)
    fell = known & (change < -counter.jitter)
    stuck = known & due & (np.abs(change) <= counter.jitter) & (counted > _DRIP)
    anew = known & ((due & ~stuck) | fell)
    amount = np.where(anew, counted, np.where(known, np.maximum(change, 0.0), np.nan))
    over = known & (elapsed > interval)
    bound = anew & ((fell & ~due) | (due & (elapsed > since) & over))
    flags = flags_like(counted.shape, Flag.GOOD)
    flags[stuck | (fell & ~due)] = Flag.SUSPECT
    flags[~known] = np.where(np.isnan(counted), Flag.MISSING, Flag.NOT_EVALUATED)[~known]
    minutes = np.where(known, elapsed / _MINUTE, np.nan)
    return Increments(amount, minutes, flags, _said(known, anew, bound, over))


def _said(known: Bools, anew: Bools, bound: Bools, over: Bools) -> Corrections:
    said = np.where(known, int(Correction.RAIN_FROM_COUNTER), 0)
    said |= np.where(anew, int(Correction.RAIN_COUNTER_RESET), 0)
    said |= np.where(bound, int(Correction.RAIN_LOWER_BOUND), 0)
    said |= np.where(over, int(Correction.RAIN_OVER_GAP), 0)
    return said.astype(np.int32)


def _since_reset(local: Micros, counter: Counter) -> Micros:
    """Say how long ago the last reset was: a reading of that very moment belongs to the past."""
    if not counter.period:
        return np.full(local.shape, np.iinfo(np.int64).max)
    return (local - counter.reset - 1) % counter.period + 1
