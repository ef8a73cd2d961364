"""The array types of this room: one entry for each reading, all arrays of a call equally long."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Measured values; NaN where there is none."""

Micros = NDArray[np.int64]
"""Times in whole microseconds since 1970-01-01 00:00, in UTC or in a zone's local time."""

Flags = NDArray[np.int32]
"""Quality flags, see :mod:`weather.qc.flags`; int32, since that is what Avro's ``int`` is."""

Bools = NDArray[np.bool_]
"""Yes or no for each reading."""
