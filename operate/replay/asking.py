"""What a person asks for, checked: times, parameters, and the ruleset that is to be tried.

That is a version that is known, or a file that nobody has published.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from operate.board import board
from operate.given import text_of, wrong
from operate.settings import Settings
from schemas.rulesets import PublishedRuleset, usable
from schemas.topics import PARAMETERS
from stream_app.replay.request import Request
from weather.dense import DENSE
from weather.korea import KOREA
from weather.ruleset import DEFAULT, Ruleset

_OPTION = "--ruleset"


def request_of(
    since: int,
    until: int,
    stations: Iterable[str],
    parameters: Collection[str],
    ruleset: Ruleset | None,
) -> Request:
    """Make a request.

    Raises:
        Configuration: it ends before it begins, or there is no such parameter.
    """
    if not since < until:
        raise wrong(text_of(until), "it is not behind --from", "give a later time", name="--to")
    if unknown := sorted({*parameters} - {*PARAMETERS}):
        mend = f"choose of {', '.join(PARAMETERS)}"
        raise wrong(unknown[0], "there is no such parameter", mend, name="--parameter")
    chosen = tuple(name for name in PARAMETERS if name in parameters)
    return Request(since, until, tuple(sorted(stations)), chosen, ruleset)


def ruleset_of(settings: Settings, given: str) -> Ruleset:
    """Find a ruleset by its version, built in or published, or in a file of JSON.

    Raises:
        Configuration: there is none such, or it is none.
        AosError: brokers or registry do not answer.
    """
    file = Path(given)
    return _read(file) if file.is_file() else known_ruleset(settings, given)


def known_ruleset(settings: Settings, given: str) -> Ruleset:
    """Find a ruleset by its version, built in or published.

    Raises:
        Configuration: there is none such.
        AosError: brokers or registry do not answer.
    """
    known = {one.version: one for one in (DEFAULT, KOREA, DENSE)}
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
