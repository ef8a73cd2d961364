"""What is to be compared: which stretch of time, parameters and stations. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from operate.reconcile.entries import Key
from producers.backfill.request import Request, Span, merged, spans_of
from runtime.errors import Configuration
from schemas.topics import PARAMETERS
from weather.zones import FIRST_YEAR, LAST_YEAR

_ALWAYS: Final = (f"{FIRST_YEAR + 1}-01-01", f"{LAST_YEAR - 1}-01-01")


@dataclass(frozen=True, slots=True)
class Scope:
    """Readings by the source's own clock, in microseconds; ``until`` is not among them."""

    since: int
    until: int
    parameters: tuple[str, ...] = PARAMETERS
    stations: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        since: str | None = None,
        until: str | None = None,
        parameters: tuple[str, ...] = (),
        stations: tuple[str, ...] = (),
    ) -> Scope:
        """Read the options of a command; what is not given is not restricted.

        Raises:
            Configuration: a time is none, or a parameter is not one of ours.
        """
        if unknown := [name for name in parameters if name not in PARAMETERS]:
            option, problem = "--parameter", "there is no such parameter"
            mend = f"name some of: {', '.join(PARAMETERS)}"
            raise Configuration.of(option, ", ".join(unknown), problem, mend=mend)
        (span,) = spans_of(since or _ALWAYS[0], until or _ALWAYS[1], None)
        return cls(*span, parameters or PARAMETERS, stations)

    def holds(self, local: int, station: str) -> bool:
        """Say whether a reading is meant."""
        return self.since <= local < self.until and (not self.stations or station in self.stations)

    def request(self) -> Request:
        """Give it as a backfill is asked for."""
        parameters = () if self.parameters == PARAMETERS else self.parameters
        return Request((Span(self.since, self.until),), self.stations, parameters)

    def around(self, keys: list[Key], stations: tuple[str, ...]) -> Request:
        """Ask for no more than the hours in which some readings lie."""
        hour = 3_600_000_000
        spans = merged(Span(at, at + hour) for at in {key.hour for key in keys})
        tables = tuple(sorted({key.table for key in keys}))
        return Request(spans, stations, (), tables)
