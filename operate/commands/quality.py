"""``aos quality``: how good the tests are, measured on real days of a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from operate.options import AsJson, Config
from operate.printing import print_json, show
from operate.quality.course import verdicts
from operate.quality.false_flags import counts
from operate.quality.pages import write_pages
from operate.quality.readings import Past, read_past
from operate.quality.recall import Recall, recalls, summary
from operate.quality.scores import By, of_batches, worths
from operate.settings import load
from producers import several
from producers.settings import SourceSettings
from runtime.errors import Configuration, Exit
from weather.dense import DENSE
from weather.ruleset import DEFAULT
from weather.score_policy import QUALITY_THRESHOLD

app = typer.Typer(add_completion=False, no_args_is_help=True)

_MAPPING_MEND: Final = "give both --url and --mapping, or neither"
Url = Annotated[
    str | None, typer.Option("--url", help="Database; else source.url of the settings.")
]
File = Annotated[
    Path | None, typer.Option("--mapping", help="Its mapping; else source.mapping of the settings.")
]
Source = Annotated[
    str | None, typer.Option("--source", help="Of several sources this one; else the first.")
]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", help="Leave this sensor out: it is broken. May be repeated."),
]
Out = Annotated[Path, typer.Option("--out", help="Directory to write to.")]
Whole = Annotated[
    bool, typer.Option("--each", help="A line for each parameter: what found it, what more takes.")
]
Network = Annotated[
    bool,
    typer.Option(
        "--network",
        help="By the rules of a dense, live network, with eight stations made around each.",
    ),
]
Grouped = Annotated[
    By, typer.Option("--by", help="A line for each sensor, its days, or what was read at once.")
]
Threshold = Annotated[
    float, typer.Option("--threshold", min=0.0, max=1.0, help="Below it a score is called out.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit 1 where a bar is missed.")]


@app.callback()
def quality() -> None:
    """Measure the tests on real days: what they flag that is good, what they miss that is not.

    Readings are read from a source and judged by the code of the stream, without a broker. Nothing
    is written to the source. Without --url it is that of the settings, as `aos up` writes them.
    """


@app.command("false-flags")
def false_flags(
    url: Url = None,
    mapping: File = None,
    config: Config = None,
    source: Source = None,
    without: Without = None,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Count the readings of healthy data that are flagged 3 or 4: by table, parameter and month."""
    past = _past(url, mapping, config, source)
    found = [
        count
        for table in past.tables()
        for count in counts(table, verdicts(past.only(table, without or ())))
    ]
    rows = [one.as_document() if as_json else one.as_row() for one in found]
    show(rows, as_json=as_json, empty="there are no readings")
    _end(strict=strict, missed=not all(one.holds for one in found))


@app.command()
def recall(  # noqa: PLR0913, PLR0917 - one for each option
    url: Url = None,
    mapping: File = None,
    config: Config = None,
    source: Source = None,
    without: Without = None,
    each: Whole = False,
    network: Network = False,
    strict: Strict = False,
    as_json: AsJson = False,
) -> None:
    """Put faults into healthy series, and show which part of them is found: fault by magnitude."""
    past = _past(url, mapping, config, source)
    with _telling() as tell:
        found = [
            one
            for table in past.tables()
            for one in _recalls(table, past.only(table, without or ()), tell, network=network)
        ]
    rows = [one.as_row() for one in found] if each or as_json else summary(found)
    show(rows, as_json=as_json, empty="there are no series long enough")
    _end(strict=strict, missed=any(one.holds is False for one in found))


@app.command()
def scores(
    url: Url = None,
    mapping: File = None,
    config: Config = None,
    source: Source = None,
    by: Grouped = By.SENSOR,
    threshold: Threshold = QUALITY_THRESHOLD,
    as_json: AsJson = False,
) -> None:
    """Score sensors, each of their days, or batches, in five dimensions; the worst first.

    What is read now counts as history: its timeliness is not judged.
    """
    past = _past(url, mapping, config, source)
    scored = [
        one
        for name, verdict in verdicts(past).items()
        for one in (
            of_batches(verdict, past.page[name], threshold)
            if by is By.BATCH
            else worths(verdict, by, threshold)
        )
    ]
    scored.sort(key=lambda one: (one.score, one.sensor, one.day))
    show([one.as_row() for one in scored], as_json=as_json, empty="there are no readings")


@app.command()
def plots(
    out: Out,
    url: Url = None,
    mapping: File = None,
    config: Config = None,
    source: Source = None,
    without: Without = None,
    as_json: AsJson = False,
) -> None:
    """Draw, for each test, what it catches and lets pass of real days; write its page anew."""
    past = _past(url, mapping, config, source)
    with _telling() as tell:
        written = write_pages(out, past, without or (), tell)
    if as_json:
        print_json(written)
    else:
        typer.echo(f"wrote {len(written)} files to {out}")


@contextmanager
def _telling() -> Iterator[Callable[[str], None]]:
    with Console(stderr=True).status("judging") as status:
        yield lambda what: status.update(Text(what))


def _recalls(
    table: str, past: Past, tell: Callable[[str], None], *, network: bool
) -> Iterator[Recall]:
    rules = DENSE if network else DEFAULT
    return recalls(table, past, ruleset=rules, tell=tell, around=network)


def _past(url: str | None, mapping: Path | None, config: Path | None, name: str | None) -> Past:
    if (url is None) != (mapping is None):
        setting, given = ("--mapping", mapping) if url is None else ("--url", url)
        raise Configuration.of(setting, str(given), "it stands alone", mend=_MAPPING_MEND)
    if url is not None and mapping is not None:
        return read_past(SourceSettings(url=url, mapping=mapping))
    (chosen,) = several.named(load(config).all_sources(), [name] if name else ())
    return read_past(chosen)


def _end(*, strict: bool, missed: bool) -> None:
    if strict and missed:
        raise typer.Exit(Exit.FAILED)
