"""The ruleset that a replay is to try: a version that is known, or a file that nobody published."""

from __future__ import annotations

import json
from pathlib import Path

from operate.board import board
from operate.given import wrong
from operate.settings import Settings
from schemas.rulesets import PublishedRuleset, usable
from weather.korea import KOREA
from weather.ruleset import DEFAULT, Ruleset

_OPTION = "--ruleset"


def ruleset_of(settings: Settings, given: str) -> Ruleset:
    """Find a ruleset by its version, built in or published, or in a file of JSON.

    Raises:
        Configuration: there is none such, or it is none.
        AosError: brokers or registry do not answer.
    """
    file = Path(given)
    if file.is_file():
        return _read(file)
    known = {one.version: one for one in (DEFAULT, KOREA)}
    with board(settings, settings.topics.rulesets) as place:
        told = (PublishedRuleset.of_record(record).ruleset for record in place.records())
        known |= {one.version: one for one in told}
    if given not in known:
        problem, mend = "there is no such ruleset or file", f"try {', '.join(known)}"
        raise wrong(given, problem, mend, name=_OPTION)
    return known[given]


def _read(file: Path) -> Ruleset:
    try:
        return usable(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        mend = f"correct it; `aos ruleset show {DEFAULT.version}` prints one that is right"
        raise wrong(str(file), f"it is no ruleset: {error}", mend, name=_OPTION) from error
