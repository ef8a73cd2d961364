"""A ruleset as it travels on its topic: the limits, from when they hold, and who says so and why.

The limits are JSON text, as ``weather.ruleset_text`` writes them, since they nest and are few.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from runtime.errors import DataQuality
from schemas.codec import Record
from weather.parameters import PARAMETERS
from weather.ruleset import ALWAYS, FOR_EVER, Ruleset
from weather.ruleset_text import from_plain, to_plain


@dataclass(frozen=True, slots=True)
class PublishedRuleset:
    """A ruleset and what is told of its publication; ``at`` in UTC microseconds."""

    ruleset: Ruleset
    by: str
    why: str | None
    at: int

    def to_record(self) -> Record:
        """Write it down for the topic."""
        since, until = self.ruleset.valid_from, self.ruleset.valid_until
        return {
            "version": self.ruleset.version,
            "valid_from": None if since == ALWAYS else since,
            "valid_until": None if until == FOR_EVER else until,
            "document": json.dumps(to_plain(self.ruleset), ensure_ascii=False),
            "published_by": self.by,
            "why": self.why,
            "published_at": self.at,
        }

    @classmethod
    def of_record(cls, record: Record) -> PublishedRuleset:
        """Read it back.

        Raises:
            DataQuality: nothing can be judged by it; the message names the place.
        """
        try:
            ruleset = usable(json.loads(record["document"]))
        except (ValueError, TypeError) as error:
            problem = f"ruleset {record['version']} cannot be used: {error}"
            raise DataQuality(problem, reason="bad_ruleset") from error
        if (until := record["valid_until"]) is not None:
            ruleset = replace(ruleset, valid_until=until)
        return cls(ruleset, record["published_by"], record["why"], record["published_at"])


def usable(plain: Any) -> Ruleset:
    """Make a ruleset of plain data, one that has limits for everything that is measured.

    Raises:
        ValueError: it is none; the message names the place.
    """
    if not isinstance(plain, dict):
        problem = 'it is no object: begin with {"version": …'
        raise ValueError(problem)  # noqa: TRY004  # whoever reads rulesets expects one kind of error
    ruleset = from_plain(plain)
    missing = [name for name in MEASURES if name not in ruleset.limits]
    if missing:
        named = ", ".join(".".join(name) for name in missing)
        problem = f"limits has nothing for {named}: give a 'fail' range at least"
        raise ValueError(problem)
    return ruleset


def same_limits(one: Ruleset, other: Ruleset) -> bool:
    """Say whether two rulesets judge alike, whenever they hold.

    >>> from dataclasses import replace
    >>> from weather.ruleset import DEFAULT
    >>> same_limits(DEFAULT, replace(DEFAULT, version="mine", valid_from=7))
    True
    """
    return (dict(one.limits), one.overrides) == (dict(other.limits), other.overrides)


MEASURES: Final = tuple(
    (name, measure.name) for name, parameter in PARAMETERS.items() for measure in parameter.measures
)
"""Everything that is measured, by parameter and measure."""
