"""Of which class stations were when readings were made: some limits are for some classes alone.

That is asked of the metadata, not remembered beside the readings: so what is judged again finds the
class of its time, whatever came first, a reading or the word on its station.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stream_app.metadata.sensors import Sensor
from stream_app.window.layout import Layout
from stream_app.window.rings import Rings

Classes = NDArray[np.int64]
"""Classes of stations, 1 to 5; 0 where nobody knows."""

NOBODY: Final[Mapping[str, Sensor]] = MappingProxyType({})
"""No sensor has metadata."""


def classes_of(sensors: Mapping[str, Sensor], rings: Rings, layout: Layout) -> Classes:
    """Give the class of each entry's station when it was observed, (n,)."""
    found = np.zeros(len(layout.entries), np.int64)
    start = 0
    for row, length in zip(layout.rows.tolist(), layout.lengths.tolist(), strict=True):
        part = slice(start, start + length)
        sensor = sensors.get(rings.sensors[row])
        if sensor is not None:
            found[part] = sensor.classes(layout.entries["at"][part])
        start += length
    return found
