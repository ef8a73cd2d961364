"""What metadata makes of readings: their calibration, and the flags that tell of it.

``origin`` (n,) numbers the one of ``origins`` that each of n readings has.
"""

from __future__ import annotations

import numpy as np

from schemas.columnar import Integers
from stream_app.judging.origins import Origins
from stream_app.metadata.sensors import NEVER_CALIBRATED
from weather.arrays import Flags, Micros
from weather.clean import Calibration
from weather.qc.flags import GOOD, NOT_EVALUATED, Flag, flags_like
from weather.qc.station import calibration_test


def calibration_of(origins: Origins, origin: Integers) -> Calibration:
    """Give the calibration of each reading."""
    return Calibration(scale=origins.scale[origin], offset=origins.offset[origin])


def classes_of(origins: Origins, origin: Integers) -> Integers | None:
    """Give the class of each reading's station, 0 where unknown; None where none is known."""
    return origins.classes[origin] if origins.classes.any() else None


def metadata_flags(origins: Origins, origin: Integers) -> Flags:
    """Say whether any metadata applied to readings: 2 where none did."""
    flags = np.where(origins.unknown, np.int32(NOT_EVALUATED), np.int32(GOOD))
    return flags[origin]


def calibration_flags(origins: Origins, origin: Integers, utc: Micros) -> Flags:
    """Say whether calibrations were in date: 3 where not, 2 where none is known."""
    unknown = origins.expires == NEVER_CALIBRATED
    if unknown.all():
        return flags_like(len(utc), Flag.NOT_EVALUATED)
    flags = calibration_test(utc, origins.expires[origin])
    flags[unknown[origin]] = NOT_EVALUATED
    return flags
