"""``aos reconcile``: is everything there, and as it was? And if not, what and why."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.console import Console

from operate.options import AsJson, Config
from operate.printing import print_json, show
from operate.reconcile.run import Report, reconcile
from operate.reconcile.scope import Scope
from operate.settings import load
from runtime.errors import Exit

_NAMED: Final = 50

Since = Annotated[str | None, typer.Option("--from", help="First observation time, local.")]
Until = Annotated[str | None, typer.Option("--to", help="End; itself not compared.")]
Parameters = Annotated[list[str] | None, typer.Option("--parameter", help="Only this; repeatable.")]
Stations = Annotated[list[str] | None, typer.Option("--station", help="Only this; repeatable.")]
Repair = Annotated[bool, typer.Option("--repair", help="Read what is wrong once more.")]
Hours = Annotated[
    bool, typer.Option("--hours", help="Show every hour, not only those that differ.")
]
Limit = Annotated[
    int, typer.Option("--limit", min=1, help="Name at most so many hours, and readings.")
]


def command(  # noqa: PLR0913, PLR0917 - one for each option
    config: Config = None,
    since: Since = None,
    until: Until = None,
    parameter: Parameters = None,
    station: Stations = None,
    repair: Repair = False,
    hours: Hours = False,
    limit: Limit = _NAMED,
    as_json: AsJson = False,
) -> None:
    """Compare source, raw topic, clean topic and table: counts, checksums, every difference.

    Times are those of the source's own clock. Everything has to fit into memory, so compare a long
    history month by month. Each run stands in ops.reconcile_run.
    """
    settings = load(config)
    scope = Scope.of(since, until, tuple(parameter or ()), tuple(station or ()))
    console = Console(stderr=True)
    with console.status("opening") as status:
        report = reconcile(
            settings, scope, mend=repair, tell=lambda what: status.update(f"reading {what}")
        )
    if as_json:
        print_json(document(report))
    else:
        _tell(report, hours=hours, limit=limit)
    if not report.is_sound:
        raise typer.Exit(Exit.FAILED)


def document(report: Report) -> dict[str, Any]:
    """Give a report as JSON will have it."""
    mended = report.repaired
    return {
        "run": report.run,
        "sound": report.is_sound,
        "totals": report.totals(),
        "hours": report.by_hour(only_different=True),
        "filtered": dict(report.filtered),
        "differences": [one.as_document() for one in report.differences],
        "repaired": mended and {
            "read_again": mended.read_again,
            "taken_back": mended.taken_back,
            "left": [[parameter, *key] for parameter, key in mended.left],
        },
    }  # fmt: skip


def _tell(report: Report, *, hours: bool, limit: int) -> None:
    show(report.totals(), as_json=False)
    if report.differences or hours:
        parts = report.by_hour(only_different=not hours)
        show(parts if hours else parts[:limit], as_json=False)
        _tell_more(0 if hours else len(parts) - limit, "hours differ")
    for place, rows in sorted(report.filtered.items()):
        typer.echo(f"{rows:,} rows are filtered by the mapping: {place}")
    for (parameter, hop, cause), count in sorted(report.causes().items()):
        typer.echo(f"{count:,} of {parameter}, {hop}: {cause}")
    if report.differences:
        show([one.as_document() for one in report.differences[:limit]], as_json=False)
    _tell_more(len(report.differences) - limit, "differences")
    _tell_end(report)


def _tell_more(left: int, what: str) -> None:
    if left > 0:
        typer.echo(f"and {left:,} more {what}; --json names all")


def _tell_end(report: Report) -> None:
    wrong = sum(one.is_wrong for one in report.differences)
    if report.repaired is not None:
        mended = report.repaired
        typer.echo(
            f"{mended.read_again:,} read again, {mended.taken_back:,} taken back, "
            f"{len(mended.left):,} left; compare again when stream and sink are through"
        )
    elif wrong:
        typer.echo(f"{wrong:,} are wrong; --repair reads them once more")
    else:
        typer.echo(
            f"nothing is wrong{': each difference has its cause' * bool(report.differences)}"
        )
