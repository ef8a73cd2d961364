"""The climatological range test: what instruments can read, but the season does not bring."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Flags, Floats
from weather.limits import Span
from weather.qc.flags import Flag, flags_like

_MONTHS = 12


def climate_test(values: Floats, months: NDArray[np.integer], usual: Sequence[Span]) -> Flags:
    """Flag values outside their month's span with 3, NaN with 9, others with 1.

    ``months`` run from 1 to 12, ``usual`` from January to December; without it the test is not made
    (2). Comparisons are strict, as in ioos_qc's ``climatology_test``.

    >>> cold = [Span(-40, 30)] * 5 + [Span(0, 50)] * 7
    >>> climate_test(np.array([-5.0, -5.0, 0.0]), np.array([1, 6, 6]), cold).tolist()
    [1, 3, 1]

    Raises:
        ValueError: there are neither twelve spans nor none.
    """
    if not usual:
        return flags_like(values.shape, Flag.NOT_EVALUATED)
    if len(usual) != _MONTHS:
        problem = f"a climate has {_MONTHS} months, this one {len(usual)}"
        raise ValueError(problem)
    low, high = np.array(usual)[months - 1].T
    flags = flags_like(values.shape, Flag.GOOD)
    flags[(values < low) | (values > high)] = Flag.SUSPECT
    flags[np.isnan(values)] = Flag.MISSING
    return flags
