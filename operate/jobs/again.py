"""Whether a job that failed is tried again: its error's category says so. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from operate.jobs.settings import QueueSettings
from runtime.errors import AosError, Configuration, DataQuality, Fenced, System, Transient

BUG: Final = "Bug"
_CATEGORIES: Final = (Fenced, Transient, DataQuality, System, Configuration)


def category(error: BaseException) -> str:
    """Name the branch of the error tree; what is on none is a bug.

    >>> from runtime.errors import Transient
    >>> category(Transient("away")), category(KeyError("a"))
    ('Transient', 'Bug')
    """
    return next((kind.__name__ for kind in _CATEGORIES if isinstance(error, kind)), BUG)


def seconds_until_again(
    error: BaseException, earlier: Sequence[str], queue: QueueSettings
) -> float | None:
    """Give the wait before the next try; None: there is none.

    ``earlier`` are the categories of the errors of earlier tries. What is transient is tried again
    as often as the queue says, what is broken around us once; what is wrong with data, settings or
    ourselves stays so.

    >>> [seconds_until_again(Transient("away"), ["Transient"] * n, QueueSettings()) for n in (2, 3)]
    [60.0, None]
    """
    allowed = {Transient: queue.retries, System: 1}
    if isinstance(error, Fenced) or not isinstance(error, AosError):
        return None
    most = next((times for kind, times in allowed.items() if isinstance(error, kind)), 0)
    return queue.retry_seconds if list(earlier).count(category(error)) < most else None
