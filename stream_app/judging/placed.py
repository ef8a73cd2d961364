"""What metadata makes of readings: their calibration, and the flags that tell of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.columnar import Integers
from stream_app.judging.judged import Origin
from stream_app.metadata.sensors import NEVER_CALIBRATED, UNKNOWN
from weather.arrays import Flags, Micros
from weather.clean import Calibration
from weather.qc.flags import Flag, flags_like
from weather.qc.station import calibration_test


def calibration_of(origins: Sequence[Origin], origin: Integers) -> Calibration:
    """Give the calibration of each reading; ``origin`` (n,) numbers its one of ``origins``."""
    return Calibration(
        scale=np.array([one.placement.scale for one in origins])[origin],
        offset=np.array([one.placement.offset for one in origins])[origin],
    )


def classes_of(origins: Sequence[Origin], origin: Integers) -> Integers | None:
    """Give the class of each reading's station, 0 where unknown; None where none is known."""
    classes = np.array([one.placement.station_class for one in origins], np.int64)
    return classes[origin] if classes.any() else None


def metadata_flags(origins: Sequence[Origin], origin: Integers) -> Flags:
    """Say whether any metadata applied to readings: 2 where none did."""
    unknown = np.array([one.placement is UNKNOWN for one in origins])[origin]
    return np.where(unknown, np.int32(Flag.NOT_EVALUATED), np.int32(Flag.GOOD))


def calibration_flags(origins: Sequence[Origin], origin: Integers, utc: Micros) -> Flags:
    """Say whether calibrations were in date: 3 where not, 2 where none is known."""
    expires = np.array([one.placement.expires for one in origins], np.int64)
    unknown = expires == NEVER_CALIBRATED
    if unknown.all():
        return flags_like(len(utc), Flag.NOT_EVALUATED)
    flags = calibration_test(utc, expires[origin])
    flags[unknown[origin]] = Flag.NOT_EVALUATED
    return flags
