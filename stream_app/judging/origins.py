"""What the constant parts of clean readings are made of, and what else follows from that alone.

A backlog brings readings of the same sensors in batch after batch. So what holds for them is kept
for the next batch, if it pays, and all that was worked out of it is kept with it.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from schemas.columnar import Integers, Strings, packed
from stream_app.judging.heads import Head
from stream_app.metadata.sensors import UNKNOWN, Placement
from weather.arrays import Bools, Floats, Micros


class Origin(NamedTuple):
    """What the constant part of a clean reading is made of."""

    head: Head
    placement: Placement
    ruleset: str


class Sensors(NamedTuple):
    """The sensors of k origins, each once, and their stations; ``number`` (k,) is each origin's."""

    names: list[str]
    stations: list[str]
    number: Integers


class Origins(tuple[Origin, ...]):  # noqa: SLOT001 - cached properties need a place
    """The origins of a batch, k of them; arrays are of shape (k,)."""

    clean: Strings | None = None
    """The heads of the clean readings, once they are made; see :mod:`.encoding`."""

    @cached_property
    def scale(self) -> Floats:
        """By what values are multiplied; NaN where no calibration is known."""
        return np.array([one.placement.scale for one in self], np.float64)

    @cached_property
    def offset(self) -> Floats:
        """What is added then; NaN where no calibration is known."""
        return np.array([one.placement.offset for one in self], np.float64)

    @cached_property
    def expires(self) -> Micros:
        """When calibrations expire."""
        return np.array([one.placement.expires for one in self], np.int64)

    @cached_property
    def classes(self) -> Integers:
        """The class of each station, 0 where it is not known."""
        return np.array([one.placement.station_class for one in self], np.int64)

    @cached_property
    def unknown(self) -> Bools:
        """Where no metadata applies."""
        return np.array([one.placement is UNKNOWN for one in self], np.bool_)

    @cached_property
    def deletes(self) -> Bools:
        """Where the source took its readings back."""
        return np.array([one.head.deletes for one in self], np.bool_)

    @cached_property
    def sensors(self) -> Sensors:
        """Whose readings they are."""
        stations = {one.head.sensor: one.head.station for one in self}
        numbers = {name: number for number, name in enumerate(stations)}
        each = [numbers[one.head.sensor] for one in self]
        return Sensors([*stations], [*stations.values()], np.array(each, np.int64))

    @cached_property
    def keys(self) -> Strings:
        """The sensors' names as keys of records."""
        return packed([one.head.sensor.encode() for one in self])
