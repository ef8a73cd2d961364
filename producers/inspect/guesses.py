"""A guess: what is supposed, how sure one may be of it, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

SURE_ENOUGH: Final = 0.5
"""Below it a guess is told, but the draft leaves the place open."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A value, a confidence from 0 to 1, and a reason of one line.

    >>> Guess("degF", 0.9, "half of the values are above 60").told
    '0.90: half of the values are above 60'
    """

    value: Any
    confidence: float
    reason: str

    @property
    def told(self) -> str:
        """Confidence and reason, as they stand in a comment."""
        return f"{self.confidence:.2f}: {self.reason}"

    def weighed(self, by: float, reason: str = "") -> Guess:
        """Give the same guess with another weight."""
        because = f"{self.reason}; {reason}" if reason else self.reason
        return Guess(self.value, round(min(1.0, self.confidence * by), 2), because)


@dataclass(frozen=True, slots=True)
class Told:
    """A guess, and the place in the draft or the column that it is about."""

    about: str
    guess: Guess


@dataclass(slots=True)
class Notes:
    """What was guessed along the way, and what has to be said about it."""

    guesses: list[Told] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def guess(self, about: str, guess: Guess) -> Any:
        """Note a guess; give its value."""
        self.guesses.append(Told(about, guess))
        return guess.value

    def say(self, what: str) -> None:
        """Note what cannot be known, or cannot be used; once."""
        if what not in self.unknown:
            self.unknown.append(what)


def best(guesses: Iterable[Guess | None]) -> Guess | None:
    """Give the guess of the highest confidence; of equal ones the first."""
    found = [guess for guess in guesses if guess is not None]
    return max(found, key=lambda guess: guess.confidence, default=None)
