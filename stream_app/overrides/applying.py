"""What people say, put above what the tests say; the tests' own flags stay in their fields."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from schemas.columnar import Integers
from stream_app.overrides.hands import Hand
from weather.arrays import Flags
from weather.qc.flags import MISSING, Flag, aggregate


def overruled(flags: Flags, hands: Sequence[Hand], number: Integers) -> Flags:
    """Give the verdicts (n,) that stand: ``number`` (n,) says which of the hands each reading has.

    No hands at all say that nobody has said anything. What is missing stays missing: there is
    nothing to be flagged.

    >>> from stream_app.overrides.hands import NO_HAND
    >>> hands = [NO_HAND, Hand(4, 0, "by_hand:a"), Hand(0, 3, "by_hand:b:gust")]
    >>> overruled(np.array([1, 1, 9, 1, 4]), hands, np.array([0, 1, 1, 2, 2])).tolist()
    [1, 4, 9, 3, 4]
    """
    if not hands:
        return flags
    instead = np.array([hand.flag for hand in hands], np.int32)[number]
    least = np.array([hand.least or Flag.MISSING for hand in hands], np.int32)[number]
    joined = aggregate(np.where(instead, instead, flags), least)
    return np.where(flags == MISSING, flags, joined).astype(np.int32)


def spoken(hands: Sequence[Hand], number: Integers) -> tuple[list[str], Integers]:
    """Give the words there are, the first of them none, and which of them each reading has.

    The second means nothing where there is only one word.

    >>> from stream_app.overrides.hands import NO_HAND
    >>> words, which = spoken([NO_HAND, Hand(4, 0, "by_hand:a")], np.array([1, 0]))
    >>> words, which.tolist()
    (['', 'by_hand:a'], [1, 0])
    """
    if not hands:
        return [""], number
    words = {"": 0}
    which = [words.setdefault(hand.word, len(words)) for hand in hands]
    return list(words), np.array(which, np.int64)[number]
