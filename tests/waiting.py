"""Waiting for what other processes do, with a deadline and a word on what did not come."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Seen = TypeVar("Seen")


def eventually(look: Callable[[], Seen], *, seconds: float = 60.0, every: float = 0.2) -> Seen:
    """Look until something true is seen, and give it.

    Raises:
        TimeoutError: it was not seen in time; the message says what was.
    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            problem = f"not seen within {seconds:.0f} s; the last look gave {seen!r}"
            raise TimeoutError(problem)
        time.sleep(every)
    return seen
