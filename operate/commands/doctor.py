"""``aos doctor``: what is wrong, layer by layer, with the first that fails in the headline."""

from __future__ import annotations

from contextlib import closing

import typer
from rich.console import Console

from operate.control.connectors import channel_of
from operate.control.words import Followed
from operate.doctor.checks import checks
from operate.doctor.walk import Condition, Diagnosis, Finding, Layer, Part, walk
from operate.lag.looking import Looker
from operate.lag.sampling import Sampler
from operate.options import AsJson, Config
from operate.printing import console, print_json, table
from operate.settings import load
from runtime.errors import Configuration, Exit

_MARKS = {Condition.OK: "✓", Condition.FAILED: "✗", Condition.NOT_CHECKED: "·"}


def doctor(config: Config = None, as_json: AsJson = False) -> None:
    """Look at settings, names, connections, logins, rights, topics, schemas and freshness.

    The first layer that fails is the headline, with its mend; what lies behind it is not checked.
    Ends with 1 if anything fails.
    """
    found = _diagnosis(config)
    if as_json:
        rows = [finding.as_document() for finding in found.findings]
        print_json({"well": found.is_well, "headline": found.headline, "checks": rows})
    else:
        mark, colour = ("✓", "green") if found.is_well else ("✗", "red")
        typer.echo(f"{typer.style(mark, fg=colour)} {found.headline}")
        console().print(table([_row(finding) for finding in found.findings]))
    if not found.is_well:
        raise typer.Exit(Exit.FAILED)


def _diagnosis(config: Config) -> Diagnosis:
    try:
        settings = load(config)
    except Configuration as error:
        return Diagnosis([_unreadable(error), *_behind()])
    with (
        Console(stderr=True).status("looking"),
        closing(Followed(channel_of(settings))) as words,
        closing(Sampler(Looker(settings), words, settings.api.sample_seconds)) as lags,
    ):
        return walk(checks(settings, words, lags))


def _unreadable(error: Configuration) -> Finding:
    layer, part = Layer.SETTINGS, Part.ALL
    return Finding(layer, part, Condition.FAILED, error.message, error.mend)


def _behind() -> list[Finding]:
    told = "behind what fails of the settings"
    return [
        Finding(layer, part, Condition.NOT_CHECKED, told)
        for layer in list(Layer)[1:]
        for part in (Part.AOS, Part.KAFKA, Part.REGISTRY, Part.DATABASE)
    ]


def _row(finding: Finding) -> dict[str, str]:
    return {
        "": _MARKS[finding.condition],
        "layer": finding.layer,
        "of": finding.part,
        "state": finding.condition,
        "told": f"{finding.told}. Mend: {finding.mend}" if finding.mend else finding.told,
    }
