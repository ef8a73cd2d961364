"""A sign of life: a file that a stage touches as its loop comes round.

Every stage looks at its stop flag once a round, and waits on it between rounds; so the flag is
where a round shows, and no stage needs to know. It says that the loop turns, whatever the reason
that nothing flows: lag and freshness tell that. ``python -m runtime.heartbeat`` checks the file, as
a container's health check; both sides find it by ``AOS_HEARTBEAT``.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from runtime.looking import LookedAt

ENVIRONMENT: Final = "AOS_HEARTBEAT"

_EVERY_SECONDS: Final = 5.0

# Longer than anything that a round may wait for: a query of the source has 60 s, a send 30 s.
_LIMIT_SECONDS: Final = 120.0


class Heartbeat(LookedAt):
    """A stop flag that touches ``file`` when the thread that made it looks at it or waits for it.

    >>> from tempfile import mkdtemp
    >>> stop = Heartbeat(Path(mkdtemp()) / "heartbeat")
    >>> stop.is_set(), stop.file.exists()
    (False, True)
    """

    look_seconds = _EVERY_SECONDS

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self._thread = threading.get_ident()
        self._due = 0.0

    def is_set(self) -> bool:
        """Say whether to stop."""
        self._beat()
        return super().is_set()

    def _beat(self) -> None:
        if threading.get_ident() != self._thread or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _EVERY_SECONDS
        # No stage ends because of its sign of life: where it cannot be given, the check fails.
        with suppress(OSError):
            self.file.touch()


def stop_flag() -> threading.Event:
    """Give a stage its stop flag: one with a heartbeat, where ``AOS_HEARTBEAT`` names a file."""
    file = os.environ.get(ENVIRONMENT)
    return Heartbeat(Path(file)) if file else threading.Event()


def problem(file: Path, now: float) -> str | None:
    """Say what is wrong with a heartbeat at the time ``now``, in seconds of the epoch.

    >>> problem(Path("/nowhere/heartbeat"), now=0.0)
    'no heartbeat yet: there is no /nowhere/heartbeat'
    """
    try:
        age = now - file.stat().st_mtime
    except FileNotFoundError:
        return f"no heartbeat yet: there is no {file}"
    if age > _LIMIT_SECONDS:
        return f"the last heartbeat was {age:.0f} s ago, more than {_LIMIT_SECONDS:.0f} s"
    return None


def main() -> None:
    """End with 0 if there is a heartbeat, and otherwise with 1 and what is wrong."""
    file = os.environ.get(ENVIRONMENT)
    if not file:
        sys.exit(f"{ENVIRONMENT} names no file. Mend: set it for the stage and for this check")
    sys.exit(problem(Path(file), time.time()))


if __name__ == "__main__":
    main()
