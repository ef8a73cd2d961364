"""``aos report``: the quality of a week, or of any days, for a person with five minutes."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from operate.given import wrong
from operate.options import AsJson, Config
from operate.printing import console, print_json, show
from operate.reports import questions, store
from operate.reports.weekly import Report, build
from operate.settings import load
from runtime.errors import Configuration
from sink.database import Connection, Database

Week = Annotated[
    str | None, typer.Option("--week", help="Of this week, such as 2026-W47: Monday to Sunday.")
]
From = Annotated[str | None, typer.Option("--from", help="First day, by the stations' clocks.")]
To = Annotated[str | None, typer.Option("--to", help="Last day.")]
Html = Annotated[Path | None, typer.Option("--html", help="File to write the page to.")]
JsonFile = Annotated[Path | None, typer.Option("--json-file", help="File to write the JSON to.")]
Keep = Annotated[bool, typer.Option("--keep/--no-keep", help="Keep it in the table ops.report.")]
_DAYS = 7


def report(  # noqa: PLR0913, PLR0917 - one for each option
    week: Week = None,
    since: From = None,
    to: To = None,
    html: Html = None,
    file: JsonFile = None,
    keep: Keep = True,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Report on quality: scores, stations, tests, gaps, drift, anomalies, calibrations due.

    Without --week or --from, of the newest seven days that the tables hold.
    """
    with closing(Database(load(config).sink)) as database:
        database.check()
        with database.transaction("making a report") as connection:
            made = build(connection, *span(connection, week, since, to))
            number = store.put(connection, made) if keep else None
    _write(html, made.page)
    _write(file, json.dumps(made.document, indent=2, ensure_ascii=False) + "\n")
    if as_json:
        return print_json(made.document)
    return _tell(made, number, [path for path in (html, file) if path])


def span(
    connection: Connection, week: str | None, since: str | None, to: str | None
) -> tuple[date, date]:
    """Give the first day, and the one behind the last.

    Raises:
        Configuration: what was given is no span, or there is nothing to report on.
    """
    if week is not None and (since or to):
        raise wrong(week, "--from or --to stands beside it", "give one or the other", name="--week")
    if week is not None:
        first = _monday(week)
        return first, first + timedelta(days=_DAYS)
    last = _day(to, "--to") if to else questions.newest_day(connection)
    if last is None:
        problem = "there are no readings to report on"
        raise Configuration(problem, mend="load some; `aos demo` shows how")
    first = _day(since, "--from") if since else last - timedelta(days=_DAYS - 1)
    return first, last + timedelta(days=1)


def _monday(week: str) -> date:
    try:
        return date.fromisoformat(week)
    except ValueError as error:
        raise wrong(week, "it is no week", "write it like 2026-W47", name="--week") from error


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise wrong(text, "it is no day", "write it like 2026-11-22", name=option) from error


def _write(path: Path | None, text: str) -> None:
    if path is None:
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        problem = f"it cannot be written ({error.strerror})"
        mend = "name a file in a directory that is there"
        raise wrong(str(path), problem, mend, name="--html or --json-file") from error


def _tell(made: Report, number: int | None, written: list[Path]) -> None:
    document = made.document
    rows: list[dict[str, Any]] = [
        {
            "parameter": name,
            **{k: one[k] for k in ("readings", "score", "completeness", "validity", "timeliness")},
            "consistency": one["consistency"],
            "uniqueness": one["uniqueness"],
        }
        for name, one in document["parameters"].items()
    ]
    show(rows, as_json=False, empty="there are no readings of these days")
    out = console()
    out.print(f"{document['from']} to {document['to']}: score {document['score']}", highlight=False)
    for line in document["attention"][:10]:
        out.print(f"  {line}", highlight=False, markup=False)
    if number is not None:
        out.print(f"kept as report {number}", highlight=False)
    for path in written:
        out.print(f"wrote {path}", highlight=False, markup=False)
