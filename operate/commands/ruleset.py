"""``aos ruleset``: the rules by which readings are judged, changed while the stream runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from operate.audit import operator
from operate.board import board
from operate.given import micros_of, moment_of, text_of, wrong
from operate.options import AsJson, Config
from operate.printing import print_json, show
from operate.settings import load
from producers.reading.times import now_micros
from runtime.errors import Configuration
from schemas.rulesets import PublishedRuleset, same_limits, usable
from stream_app.rulesets.table import Rulesets
from weather.dense import DENSE
from weather.korea import KOREA
from weather.ruleset import ALWAYS, DEFAULT, Ruleset
from weather.ruleset_text import to_plain

app = typer.Typer(add_completion=False, no_args_is_help=True)

BUILT_IN: Final = {ruleset.version: ruleset for ruleset in (DEFAULT, KOREA, DENSE)}
_ALWAYS: Final = "always"

Version = Annotated[str, typer.Argument(metavar="VERSION", help="Version, as listed.")]
File = Annotated[
    Path, typer.Argument(metavar="FILE", help="JSON, as `aos ruleset show` prints it.")
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", help="First observation time, with its zone, or always; else the file's."
    ),
]
Why = Annotated[str | None, typer.Option("--why", help="Why; kept beside it.")]
By = Annotated[str | None, typer.Option("--by", help="Who; else user and host.")]


@app.callback()
def ruleset() -> None:
    """See and change the rules by which readings are judged, while the stream runs."""


@app.command("list")
def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List rulesets by the observation time from which they judge, and who published them."""
    rows = list(_rows(_published(config)))
    show(rows, as_json=as_json)


@app.command("show")
def show_(version: Version, config: Config = None) -> None:
    """Print a ruleset as JSON, published or built in; changed, it can be published."""
    if version in BUILT_IN:
        return print_json(to_plain(BUILT_IN[version]))
    known = {one.ruleset.version: one.ruleset for one in _published(config)}
    if version not in known:
        there = ", ".join([*BUILT_IN, *known])
        raise wrong(version, "there is no such ruleset", f"try {there}", name="VERSION")
    return print_json(to_plain(known[version]))


@app.command()
def publish(
    file: File,
    since: From = None,
    why: Why = None,
    by: By = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Let a ruleset judge what was observed from a time on; the stream follows at once.

    What was judged already and is concerned is judged again. Publish it with another --from to move
    it; what a version says stays as it is.
    """
    new = _read(file, since)
    settings = load(config)
    with board(settings, settings.topics.rulesets) as place, place.changing() as put:
        known = [PublishedRuleset.of_record(record) for record in place.records()]
        _refuse_other_content(new, [*BUILT_IN.values(), *(one.ruleset for one in known)])
        if _last_word(known) != (new.version, new.valid_from):
            known.append(PublishedRuleset(new, by or operator(), why, now_micros()))
            put(new.version, known[-1].to_record())
    rows = [row for row in _rows(known) if row["version"] == new.version]
    show(rows, as_json=as_json)


def _published(config: Path | None) -> list[PublishedRuleset]:
    settings = load(config)
    with board(settings, settings.topics.rulesets) as place:
        return [PublishedRuleset.of_record(record) for record in place.records()]


def _last_word(known: list[PublishedRuleset]) -> tuple[str, int] | None:
    last = known[-1].ruleset if known else None
    return (last.version, last.valid_from) if last else None


def _rows(known: list[PublishedRuleset]) -> list[dict[str, Any]]:
    """Give each ruleset a row; one that never judges says so."""
    told = {one.ruleset.version: one for one in known}
    history = Rulesets(*(one.ruleset for one in known)).history
    ends = [*map(text_of, history.starts[1:]), None]
    judging = {one.version: end for one, end in zip(history.rulesets, ends, strict=True)}
    rules = {DEFAULT.version: DEFAULT, **{name: one.ruleset for name, one in told.items()}}
    ordered = sorted(rules.values(), key=lambda one: one.valid_from)
    return [_row(one, told.get(one.version), judging) for one in ordered]


def _row(
    one: Ruleset, published: PublishedRuleset | None, judging: dict[str, str | None]
) -> dict[str, Any]:
    return {
        "version": one.version,
        "from": _ALWAYS if one.valid_from == ALWAYS else text_of(one.valid_from),
        "until": judging.get(one.version, "never judges: a later one is from the same time"),
        "by": published.by if published else "built in",
        "at": moment_of(published.at) if published else None,
        "why": published.why if published else None,
    }


def _read(file: Path, since: str | None) -> Ruleset:
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
        found = usable(plain)
    except OSError as error:
        raise _refused(file, f"the file cannot be read ({error.strerror})") from error
    except json.JSONDecodeError as error:
        raise _refused(file, f"it is no JSON: {error}") from error
    except ValueError as error:
        raise _refused(file, str(error)) from error
    if since is not None:
        at = ALWAYS if since == _ALWAYS else micros_of(since, "--from")
        return replace(found, valid_from=at)
    if plain.get("valid_from") is None:
        problem = "nothing says from which observation time on it judges"
        raise Configuration(problem, mend="give --from TIME, or --from always")
    return found


def _refuse_other_content(new: Ruleset, known: list[Ruleset]) -> None:
    for one in known:
        if one.version == new.version and not same_limits(one, new):
            problem = "another ruleset has this version, and readings may name it"
            mend = "give it a new version"
            raise wrong(new.version, problem, mend, name="version")


def _refused(file: Path, problem: str) -> Configuration:
    mend = f"correct it; `aos ruleset show {DEFAULT.version}` prints one that is right"
    return wrong(str(file), problem, mend, name="FILE")
