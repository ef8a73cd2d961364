"""Which of two sources wins: the rank of a source stands above the versions of its rows.

Downstream the higher (``source_version``, ``revision``) wins, and nothing else is asked. So the
rank goes into the high bits of the clean reading's ``source_version``: every version of a source
of rank 1 is above all of rank 0, and those of rank 0 stay the numbers they were. The raw reading
keeps both apart. Why so: ``docs/decisions/0007-rank-in-version.md``.
"""

from __future__ import annotations

from typing import Final

from runtime.errors import DataQuality
from schemas.codec import Record

VERSION_BITS: Final = 53
MOST_VERSION: Final = 2 ** (VERSION_BITS - 1)
"""A version lies below this, and its negative at or above: in microseconds, the years 1827-2112."""
MOST_RANK: Final = 1023
"""Ranks lie between this and its negative: then the sum fits into 64 bits."""


def ranked(rank: int, version: int) -> int:
    """Put the rank above the version.

    >>> ranked(0, 1_700_000_000_000_000), ranked(1, 0) > ranked(0, 2**52 - 1)
    (1700000000000000, True)

    Raises:
        DataQuality: one of the two is too large to be kept apart from the other.
    """
    if not -MOST_VERSION <= version < MOST_VERSION or abs(rank) > MOST_RANK:
        problem = f"version {version} of rank {rank} cannot be ordered among those of other sources"
        mend = f"keep versions below {MOST_VERSION} and ranks within {MOST_RANK}"
        raise DataQuality(problem, reason="version_out_of_range", mend=mend)
    return (rank << VERSION_BITS) + version


def version_of(record: Record) -> int:
    """Give the version that a raw record's clean reading has.

    Raises:
        DataQuality: there is none.
    """
    return ranked(record["source_rank"], record["source_version"])
