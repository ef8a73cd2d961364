"""Whose turn it is: threads of one process share an interpreter, and one keeps a database busy.

Between two copies the thread that writes asks the database a few short questions. Whoever computes
just then delays each answer, and the database waits with it; a moment later, while it works through
the lines that it was sent, they may compute for as long as they like (docs/decisions/0028).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_PATIENCE_SECONDS: Final = 0.1


class Turns:
    """Tells when the one that writes asks; nothing depends on whether anybody heeds it.

    >>> turns = Turns()
    >>> turns.ask()
    >>> with turns.busy():
    ...     turns.wait()
    >>> turns.rest()
    """

    def __init__(self) -> None:
        self._quiet = threading.Event()
        self._quiet.set()

    @property
    def quiet(self) -> bool:
        """Whether nothing is asked just now."""
        return self._quiet.is_set()

    def ask(self) -> None:
        """Have others wait before they compute."""
        self._quiet.clear()

    def rest(self) -> None:
        """Let them go on: nothing is asked."""
        self._quiet.set()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask, and go on asking; in between :meth:`rest` lets them go on."""
        self.ask()
        try:
            yield
        finally:
            self.ask()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let them go on for a while: the database has enough to do."""
        with self.asking():
            self.rest()
            yield

    def wait(self) -> None:
        """Wait for a good moment to compute, but not for long."""
        self._quiet.wait(_PATIENCE_SECONDS)
