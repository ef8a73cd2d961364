"""What a batch knows of its readings once each has been judged by itself: columns, one parameter.

It stands between judging, which looks at one reading, and the window, which looks at neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weather.arrays import Bools, Floats, Micros


@dataclass(frozen=True, slots=True)
class CleanedColumns:
    """Readings of one parameter in the order of their offsets; arrays are of shape (n,).

    Attributes:
        parameter: name of the parameter.
        sensors: sensor ids of the batch, each once.
        sensor: index into ``sensors``.
        stations: station id of each of ``sensors``.
        observed_at: end of the interval, in UTC microseconds.
        version: ``source_version`` of the clean reading: the higher wins.
        values: by measure, in standard units; NaN where missing or failed. Of a gauge that counts
            its total, as its negative: it is no amount, and no test is to take it for one.
        ahead: it claims a time that is yet to come: nobody's neighbour, and never the newest.
        deleted: the source took the reading back.
        raw_offset: offset in the parameter's raw topic.
        published_at: when the raw reading was published, in UTC microseconds.
        interval: length of the interval in microseconds, 0 for a momentary value.
        counting: whether some of it is totals.
    """

    parameter: str
    sensors: Sequence[str]
    sensor: NDArray[np.int64]
    stations: Sequence[str]
    observed_at: Micros
    version: NDArray[np.int64]
    values: Mapping[str, Floats]
    ahead: Bools
    deleted: Bools
    raw_offset: NDArray[np.int64]
    published_at: Micros
    interval: Micros
    counting: bool = False
