"""What a person says of readings, as it travels on its topic; once lifted, it stays to be read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from runtime.errors import DataQuality
from schemas.codec import Record


class Kind(StrEnum):
    """What is said: that readings are to have a flag, or that somebody worked on the sensor."""

    FLAG = "flag"
    MAINTENANCE = "maintenance"


class Lifted(NamedTuple):
    """Who took it back, why and when (UTC microseconds)."""

    by: str
    why: str
    at: int


@dataclass(frozen=True, slots=True)
class Override:
    """A flag that a person sets, for a sensor or for all of a station.

    It is about what was observed from ``since`` until before ``until`` (UTC microseconds), and as
    a whole, or about one measure that is at fault. ``at`` is when ``by`` said so.
    """

    id: str
    kind: Kind
    sensor: str | None
    station: str | None
    measure: str | None
    since: int
    until: int
    flag: int
    why: str
    by: str
    at: int
    lifted: Lifted | None = None

    @property
    def word(self) -> str:
        """What the reason of a reading says of it."""
        name = "by_hand" if self.kind is Kind.FLAG else "maintenance"
        return f"{name}:{self.id}"

    def lift(self, by: str, why: str, at: int) -> Override:
        """Take it back."""
        return replace(self, lifted=Lifted(by, why, at))

    def to_record(self) -> Record:
        """Write it down for the topic."""
        lifted = self.lifted
        return {
            "override_id": self.id,
            "kind": self.kind.value,
            "sensor_id": self.sensor,
            "station_id": self.station,
            "measure": self.measure,
            "since": self.since,
            "until": self.until,
            "flag": self.flag,
            "why": self.why,
            "said_by": self.by,
            "said_at": self.at,
            "lifted_why": lifted.why if lifted else None,
            "lifted_by": lifted.by if lifted else None,
            "lifted_at": lifted.at if lifted else None,
        }

    @classmethod
    def of_record(cls, record: Record) -> Override:
        """Read it back.

        Raises:
            DataQuality: it is of a kind that is not known here.
        """
        lifted = None
        if record["lifted_at"] is not None:
            lifted = Lifted(record["lifted_by"], record["lifted_why"], record["lifted_at"])
        return cls(
            id=record["override_id"],
            kind=_kind(record["kind"]),
            sensor=record["sensor_id"],
            station=record["station_id"],
            measure=record["measure"],
            since=record["since"],
            until=record["until"],
            flag=record["flag"],
            why=record["why"],
            by=record["said_by"],
            at=record["said_at"],
            lifted=lifted,
        )


def _kind(name: str) -> Kind:
    try:
        return Kind(name)
    except ValueError as error:
        problem = f"{name!r} is no kind of override: they are {', '.join(Kind)}"
        raise DataQuality(problem, reason="bad_override") from error
