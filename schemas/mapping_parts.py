"""Parts of a mapping that say where a row's time, and what it lacks itself, are to be found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from weather.zones import zone_of

UNSET: Final = "SET-ME"
"""Stands in a draft where nobody but the owner of the data knows the answer."""

Columns = str | tuple[str, ...]
_DIRECTIVES: Final = ("%Y", "%y", "%m", "%d", "%H", "%I", "%M", "%S", "%f", "%p", "%%")


def _known_zone(name: str) -> str:
    zone_of(name)
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]


class Part(BaseModel):
    """Base of all parts: unknown keys are mistakes, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Time(Part):
    """Where the observation time stands, and the zone it is in: an IANA name or a fixed offset.

    Either one ``column``, or ``date`` and ``time`` apart; each of these is a column, or several:
    ``[year, month, day]``, ``[hour, minute]``. ``digits`` says what a time of at most two digits
    means, ``5``: five o'clock (hour), or five past midnight (hhmm). ``format`` reads text that is
    not written year first, by the directives of strptime. ``epoch`` is the unit of a column that
    counts from 1970-01-01 00:00 UTC; its zone has to be UTC.
    """

    column: str | None = None
    date: Columns | None = None
    time: Columns | None = None
    zone: Zone
    digits: Literal["hour", "hhmm"] = "hhmm"
    format: str | None = None
    epoch: Literal["s", "ms", "us"] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it needs, in the order in which they are read."""
        return (*_several(self.column), *_several(self.date), *_several(self.time))

    @property
    def unreadable(self) -> str:
        """What of ``format`` no time can be read by; empty if there is nothing.

        >>> Time(column="at", zone="UTC", format="%d.%b").unreadable
        '%b is none of %Y %y %m %d %H %I %M %S %f %p %%'
        """
        named = {*re.findall("%.?", self.format or "")}
        if unknown := named - {*_DIRECTIVES}:
            return f"{min(unknown)} is none of {' '.join(_DIRECTIVES)}"
        if self.format and not (named & {"%Y", "%y"} and {"%m", "%d"} <= named):
            return "it needs %Y (or %y), %m and %d"
        return ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.column is None) == (self.date is None) or (
            (self.date is None) != (self.time is None)
        ):
            problem = "give either column, or date and time"
            raise ValueError(problem)
        if self.epoch and (self.column is None or self.zone != "UTC" or self.format):
            problem = "epoch needs a column, the zone UTC, and no format"
            raise ValueError(problem)
        if isinstance(self.date, tuple) and len(self.date) != len(("year", "month", "day")):
            problem = "a date of several columns is [year, month, day]"
            raise ValueError(problem)
        return self


def _several(columns: Columns | None) -> tuple[str, ...]:
    if columns is None:
        return ()
    return (columns,) if isinstance(columns, str) else columns


class Via(Part):
    """Columns that a row has by way of another table: the sensor whose number it bears.

    ``on`` is the column of the readings, ``key`` the one of the other table that it names and that
    is unique there. ``columns`` may then be named as if they stood in the row itself.
    """

    table: str
    db_schema: str | None = None
    on: str
    key: str
    columns: tuple[str, ...] = Field(min_length=1)


def unset(document: Any, place: str = "") -> Iterator[str]:
    """Name the places of a document where something is still to be set.

    >>> list(unset({"tables": [{"time": {"zone": "SET-ME"}}]}))
    ['tables.0.time.zone']
    """
    if isinstance(document, dict):
        parts = document.items()
    elif isinstance(document, list):
        parts = enumerate(document)  # type: ignore[assignment]
    else:
        if document == UNSET:
            yield place
        return
    for name, part in parts:
        yield from unset(part, f"{place}.{name}" if place else str(name))
