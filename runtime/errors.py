"""The errors of aos-stream, as one tree.

::

    AosError                      every error of ours; carries a message and its mend
    ├── Transient                 it may work in a moment: back off with jitter, try again
    ├── DataQuality               one reading is at fault: flag it or dead-letter it, go on
    ├── System                    our surroundings are broken: one retry, then stop and alert
    │   └── Fenced                a newer instance has taken over: stop at once, quietly
    └── Configuration             a setting is wrong: stop at start, name setting, value, mend

A room may refine a branch, but never adds one: whoever handles errors decides by these five.
Everything else that is raised is a bug, and is left to show its stack trace.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self


class Exit(IntEnum):
    """Exit codes of every command of ours."""

    OK = 0
    FAILED = 1
    USAGE = 2


class AosError(Exception):
    """An error whose message says what is wrong and whose ``mend`` says what to do.

    >>> print(AosError("the cup is empty", mend="fill it"))
    the cup is empty. Mend: fill it
    """

    exit_code = Exit.FAILED

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.message = message.rstrip(".")
        self.mend = mend

    def __str__(self) -> str:
        """Give message and mend on one line."""
        return f"{self.message}. Mend: {self.mend}" if self.mend else self.message


class Transient(AosError):
    """It failed now and may work in a moment: retry with backoff."""


class DataQuality(AosError):
    """One reading cannot be used: ``reason`` is the short word its dead letter carries."""

    def __init__(self, message: str, *, reason: str, mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.reason = reason


class System(AosError):
    """Our surroundings are broken: disk, broker, database, a bug of a library."""


class Fenced(System):
    """A newer instance with our identity has taken over: this one must stop."""


class Configuration(AosError):
    """A setting is wrong: nothing starts until a person has changed it."""

    exit_code = Exit.USAGE

    @classmethod
    def of(cls, setting: str, value: object, problem: str, *, mend: str) -> Self:
        """Name the setting, its value and the mend, always in the same order."""
        return cls(f"setting {setting} = {value!r}: {problem}", mend=mend)
