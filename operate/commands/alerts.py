"""``aos alerts``: our own watch, for those without Prometheus."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Annotated, Final

import httpx
import typer

from operate.alerts.ledger import Ledger
from operate.alerts.receivers import Notice, Receivers
from operate.alerts.running import watch as opened
from operate.commands import beside
from operate.jobs.supervisor import opened as opened_database
from operate.options import AsJson, Config
from operate.printing import show
from operate.settings import Settings, load

app = typer.Typer(add_completion=False, no_args_is_help=True)

_SHORT: Final = ("name", "about", "severity", "summary", "runbook", "fired_at", "cleared_at")

Most = Annotated[int, typer.Option("--most", min=1, max=1000)]


@app.callback()
def alerts() -> None:
    """Watch the stages, and tell whoever the settings name; where Prometheus does, it may rest."""


@app.command("list")
def list_(most: Most = 20, config: Config = None, as_json: AsJson = False) -> None:
    """List the newest alerts, those that stand open and those that are over."""
    settings = load(config)
    with opened_database(settings) as database:
        rows = Ledger(database).newest(most)
    shown = rows if as_json else [{name: row[name] for name in _SHORT} for row in rows]
    show(shown, as_json=as_json, empty="nothing was ever wrong, or nobody watches")


@app.command()
def watch(config: Config = None) -> None:
    """Watch in the foreground; `aos jobs worker` does so, too, with alerts.watch."""

    def stage(settings: Settings, stop: threading.Event) -> None:
        with opened_database(settings):
            pass
        with opened(settings) as watching:
            while not stop.is_set():
                watching.look()
                stop.wait(settings.alerts.every_seconds)

    beside.run("alerts", config, stage)


@app.command("test")
def try_out(config: Config = None) -> None:
    """Tell everybody of an alert that is none, and that it is over: do the settings lead there?"""
    settings = load(config)
    now = datetime.now(UTC)
    told = "this is a test; nothing is wrong"
    with httpx.Client() as client:
        receivers = Receivers(settings.alerts, client)
        receivers.tell(Notice("Test", "aos", "none", told, "docs/alerts.md", now))
        receivers.tell(Notice("Test", "aos", "none", told, "docs/alerts.md", now, now))
    where = "told" if settings.alerts.has_receiver else "nobody is named: it stands in the log"
    typer.echo(where)
