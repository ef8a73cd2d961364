"""Rain rules: more than can fall, rain that the detector did not see, rain in dry air."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from weather.arrays import Flags, Floats
from weather.limits import Step
from weather.qc.flags import Flag, flags_like


def amount_test(amount: Floats, minutes: Floats, limits: Sequence[Step]) -> Flags:
    """Flag amounts (mm) beyond what may fall in an interval of so many minutes.

    The limit is that of the longest time given that is no longer than the interval, as often as the
    interval holds it: what may fall in one minute may not fall in each of sixty. So the limit of a
    time is never above that of a longer one. An interval that is shorter than all takes the
    shortest one's; one that is not known (NaN) is not judged: 2.

    >>> limits = (Step(1, 20, fail=40), Step(60, 150, fail=422))
    >>> amount, minutes = np.array([20.0, 21, 41, 150, 300]), np.array([1.0, 1, 1, 60, 120])
    >>> amount_test(amount, minutes, limits).tolist()
    [1, 3, 4, 1, 1]
    """
    if not limits:
        return flags_like(amount.shape, Flag.NOT_EVALUATED)
    flags = flags_like(amount.shape, Flag.GOOD)
    flags[amount > _most(minutes, limits, [one.suspect for one in limits])] = Flag.SUSPECT
    flags[amount > _most(minutes, limits, [one.fail for one in limits])] = Flag.FAIL
    flags[amount < 0] = Flag.FAIL
    flags[np.isnan(minutes)] = Flag.NOT_EVALUATED
    flags[np.isnan(amount)] = Flag.MISSING
    return flags


def detector_test(amount: Floats, detected: Floats) -> Flags:
    """Flag rain that the detector did not see with 3.

    Detectors write 0 for dry and anything above for wet (10 in Korea, [K]). A wet detector without
    an amount is a drizzle that tips no bucket, and good. Without a detector it is not judged: 2.

    >>> detector_test(np.array([0.5, 0.5, 0.0, 0.5]), np.array([10.0, 0, 10, np.nan])).tolist()
    [1, 3, 1, 2]
    """
    flags = flags_like(amount.shape, Flag.GOOD)
    flags[(amount > 0) & (detected == 0)] = Flag.SUSPECT
    flags[np.isnan(detected)] = Flag.NOT_EVALUATED
    flags[np.isnan(amount)] = Flag.MISSING
    return flags


def _most(minutes: Floats, limits: Sequence[Step], most: Sequence[float]) -> Floats:
    lasting = np.array([one.minutes for one in limits])
    known = np.nan_to_num(minutes, nan=1.0)
    place = np.maximum(np.searchsorted(lasting, known, side="right") - 1, 0)
    amounts = np.append(np.array(most), np.inf)
    repeated = amounts[place] * np.maximum(known / lasting[place], 1.0)
    longer = np.where(known > lasting[place], amounts[place + 1], np.inf)
    most_of_all: Floats = np.minimum(repeated, longer)
    return most_of_all
