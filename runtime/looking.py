"""A flag that is looked at while it is waited for."""

from __future__ import annotations

import threading
import time


class LookedAt(threading.Event):
    """An event whose ``is_set`` has more to see to: it is asked now and then during every wait."""

    look_seconds = 1.0

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the flag, ``timeout`` seconds at most; say whether it came to that.

        >>> LookedAt().wait(0.01)
        False
        """
        end = float("inf") if timeout is None else time.monotonic() + timeout
        while not self.is_set():
            left = end - time.monotonic()
            if left <= 0:
                return False
            super().wait(min(left, self.look_seconds))
        return True
