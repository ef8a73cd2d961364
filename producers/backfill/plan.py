"""The plan of a table: its stretch of time cut into slices, each of which becomes a chunk. Pure.

Slices are even, of a length that people would choose, so that a plan of any size is a few numbers:
it is written down once, and whoever goes on with the job has the very same chunks. A slice that is
busier than the average has more pages, not larger ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

from producers.backfill.request import Span

_SECOND: Final = 1_000_000
_DAY: Final = 86_400
_LENGTHS: Final = (
    60, 300, 600, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, _DAY, 2 * _DAY, 7 * _DAY,
    14 * _DAY, 28 * _DAY, 91 * _DAY, 182 * _DAY, 364 * _DAY,
)  # fmt: skip


class Found(NamedTuple):
    """What a survey found in a span: rows, and the first and last time among them."""

    rows: int
    first: int
    last: int


class Chunk(NamedTuple):
    """A part of the work: a slice of a table, numbered within it."""

    table: str
    number: int
    span: Span


@dataclass(frozen=True, slots=True)
class Slices:
    """A span in slices of ``step`` microseconds; the first and last reach to the span's ends."""

    start: int
    end: int
    first: int
    step: int
    count: int

    def spans(self) -> Iterator[Span]:
        """Give the slices in order; they cover the span, and no two overlap."""
        inner = [self.first + n * self.step for n in range(1, self.count)]
        bounds = [self.start, *inner, self.end] if self.count else []
        yield from (Span(*pair) for pair in pairwise(bounds))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job has to do in one table."""

    table: str
    rows: int
    slices: tuple[Slices, ...]

    def chunks(self) -> list[Chunk]:
        """Give all chunks, numbered from 0."""
        spans = (span for slices in self.slices for span in slices.spans())
        return [Chunk(self.table, number, span) for number, span in enumerate(spans)]

    def as_document(self) -> dict[str, Any]:
        """Give it in the form in which the job's record keeps it."""
        return asdict(self)

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Plan:
        """Read it back."""
        slices = tuple(Slices(**part) for part in document["slices"])
        return cls(document["table"], document["rows"], slices)


def cut(span: Span, found: Found, chunk_rows: int, *, least: int = 60) -> Slices:
    """Cut a span so that a slice has about ``chunk_rows`` rows; none is under ``least`` seconds.

    >>> hour = 3_600_000_000
    >>> [s.end // hour for s in cut(Span(0, 90 * hour), Found(300, hour, 73 * hour), 100).spans()]
    [24, 48, 72, 90]
    """
    if found.rows == 0:
        return Slices(*span, span.start, _SECOND, 0)
    first, last = (max(span.start, min(span.end - 1, time)) for time in found[1:])
    last = max(first, last)
    ideal = (last - first + _SECOND) // _SECOND * chunk_rows // found.rows
    fitting = [length for length in _LENGTHS if length <= ideal and length >= least]
    step = (fitting[-1] if fitting else max(_LENGTHS[0], least)) * _SECOND
    first = first // step * step
    return Slices(*span, first, step, (last - first) // step + 1)
