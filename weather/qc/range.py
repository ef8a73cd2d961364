"""The range test: what no instrument in order can read, at this place, ever."""

from __future__ import annotations

import numpy as np

from weather.arrays import Flags, Floats
from weather.limits import Span
from weather.qc.flags import Flag, flags_like


def range_test(values: Floats, fail: Span, suspect: Span | None = None) -> Flags:
    """Flag values outside ``fail`` with 4, outside ``suspect`` with 3, NaN with 9, others with 1.

    Comparisons are strict, as in ioos_qc's ``gross_range_test``: a value at a limit passes.
    Both spans are in the unit of the values.

    >>> range_test(np.array([60.0, 60.1, np.nan]), Span(-40, 60)).tolist()
    [1, 4, 9]
    """
    flags = flags_like(values.shape, Flag.GOOD)
    if suspect is not None:
        flags[_outside(values, suspect)] = Flag.SUSPECT
    flags[_outside(values, fail)] = Flag.FAIL
    flags[np.isnan(values)] = Flag.MISSING
    return flags


def _outside(values: Floats, span: Span) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return (values < span.low) | (values > span.high)
