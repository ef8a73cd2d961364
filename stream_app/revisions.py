"""Revisions: which of several verdicts on one version of a reading is the last word.

A verdict that was found beside neighbours stands above every one of its generation that was not:
what comes again when its neighbours have been forgotten must not unsay what they said. Among those
of one kind the later batch wins. Why so: ``docs/decisions/0011-revisions-in-two-bands.md``.

Behind each batch some numbers are left free. A replay that began when that batch was the last one
takes one of them: it wins over all that had been said by then, and over nothing that is said later.
The upper half is the neighbours' agent's. Why so: ``docs/decisions/0017-replay.md`` and ``0022``.
"""

from __future__ import annotations

from typing import Final

GENERATION: Final = 2**40
"""From one generation to the next."""

ALONE: Final = GENERATION // 2
"""How far a verdict without neighbours stands behind those of its batch that had some."""

STEP: Final = 16
"""From one batch to the next."""

MOST_PROMOTIONS: Final = 7
"""How many replays may be promoted behind one batch: they have the numbers from 1 on."""

MOST_BATCHES: Final = ALONE // STEP
"""How many batches a generation has room for: at ten a second a hundred years of them."""


def revision_of(generation: int, batch: int) -> int:
    """Give the revision of a batch's verdicts, where they were found beside neighbours.

    >>> revision_of(0, 2) > revision_of(0, 1) > revision_of(0, MOST_BATCHES - 1) - ALONE
    True
    >>> revision_of(1, 0) - ALONE > revision_of(0, MOST_BATCHES - 1)
    True
    """
    return generation * GENERATION + ALONE + batch * STEP


def has_neighbours(revision: int) -> bool:
    """Say in which band a revision lies.

    >>> has_neighbours(revision_of(3, 7)), has_neighbours(revision_of(3, 7) - ALONE)
    (True, False)
    """
    return revision % GENERATION >= ALONE
