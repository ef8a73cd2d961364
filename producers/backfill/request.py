"""What is to be read again: which observation times, stations, parameters and tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from producers.reading.times import observed
from runtime.errors import Configuration
from weather.zones import FIRST_YEAR, LAST_YEAR

_YEARS: Final = "--years"
_TIME_MEND: Final = "write it by the source's own clock, like 2013-11-03 or '2013-11-03 01:00'"


class Span(NamedTuple):
    """Observation times by the source's own clock, in microseconds; ``end`` is not among them."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Request:
    """One backfill as it was asked for. Nothing named means: all that the mapping has."""

    spans: tuple[Span, ...]
    stations: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    def job(self, source: str, version: int) -> str:
        """Give the name that the same request has on every start.

        A new version of the mapping makes another job of it: it would publish other readings.
        """
        asked = json.dumps([source, version, *self._sorted()], sort_keys=True)
        return hashlib.sha256(asked.encode()).hexdigest()[:10]

    def same_as(self, other: Request) -> bool:
        """Say whether both ask for the same, in whatever order."""
        return self._sorted() == other._sorted()

    def as_document(self) -> dict[str, Any]:
        """Give it in the form in which the job's record keeps it."""
        return asdict(self)

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Request:
        """Read it back."""
        spans = tuple(Span(*span) for span in document["spans"])
        names = {name: tuple(document[name]) for name in ("stations", "parameters", "tables")}
        return cls(spans, **names)

    def _sorted(self) -> list[list[Any]]:
        return [sorted(set(part)) for part in asdict(self).values()]


def spans_of(since: str | None, until: str | None, years: str | None) -> tuple[Span, ...]:
    """Read the options of the command line; spans that touch are one.

    Raises:
        Configuration: they name no stretch of time, or two ways at once.
    """
    if years is not None and since is None and until is None:
        return merged(_year(text) for text in years.split(","))
    if years is None and since is not None and until is not None:
        span = Span(_moment("--from", since), _moment("--to", until))
        if span.start >= span.end:
            problem = f"it does not lie behind --from {since}"
            option, mend = "--to", "give a later end; what lies at the end itself is not read"
            raise Configuration.of(option, until, problem, mend=mend)
        return (span,)
    problem = "a backfill is asked for by --from and --to, or by --years alone"
    raise Configuration(problem, mend="give both ends, or years like 2013,2014")


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Put spans in order, and join those that touch or overlap.

    >>> merged([Span(5, 7), Span(1, 3), Span(3, 4)])
    (Span(start=1, end=4), Span(start=5, end=7))
    """
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def unknown(kind: str, named: Sequence[str], known: Iterable[str]) -> Configuration | None:
    """Give the error for names that the mapping does not have, if there are any."""
    there = sorted(set(known))
    missing = [name for name in named if name not in there]
    if not missing:
        return None
    problem = f"the mapping has no such {kind}"
    mend = f"name some of: {', '.join(there)}"
    return Configuration.of(f"--{kind}", ", ".join(missing), problem, mend=mend)


def _year(text: str) -> Span:
    year = text.strip()
    if not year.isdecimal() or not FIRST_YEAR <= int(year) <= LAST_YEAR:
        raise Configuration.of(_YEARS, text, "it is no year", mend="write years like 2013,2014")
    return Span(_moment(_YEARS, f"{year}-01-01"), _moment(_YEARS, f"{int(year) + 1}-01-01"))


def _moment(option: str, text: str) -> int:
    given = text.strip()
    local, _ = observed(given if ":" in given else f"{given} 00:00")
    if local is None:
        raise Configuration.of(option, text, "it is no date or local time", mend=_TIME_MEND)
    if local % 1_000_000:
        raise Configuration.of(option, text, "it has a part of a second", mend=_TIME_MEND)
    return local
