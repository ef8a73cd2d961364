"""``aos connectors``: how the stages are, wherever they run, and orders to them; needs no API."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer

from operate.control.connectors import BY_NAME, channel_of
from operate.control.fleet import ConnectorState, state_of
from operate.control.offsets.desk import OffsetDesk
from operate.control.sender import Sender
from operate.control.words import Followed
from operate.options import AsJson, Config
from operate.printing import show
from operate.settings import Settings, load
from runtime.control.orders import State

app = typer.Typer(add_completion=False, invoke_without_command=True)

Which = Annotated[
    Literal["aos-source", "aos-stream", "timescale-sink"],
    typer.Argument(metavar="CONNECTOR", help=", ".join(BY_NAME)),
]


@app.callback()
def connectors(context: typer.Context, config: Config = None, as_json: AsJson = False) -> None:
    """Show each stage and its tasks, wherever they run; pause, resume, stop or restart one."""
    if context.invoked_subcommand is None:
        known = _known(load(config))
        show([row for state in known for row in _rows(state)], as_json=as_json)


@app.command()
def pause(connector: Which, config: Config = None) -> None:
    """Have it keep what it is assigned and fetch nothing, until it is resumed."""
    _tell(connector, State.PAUSED, config)


@app.command()
def resume(connector: Which, config: Config = None) -> None:
    """Have it go on, from a pause or a stop."""
    _tell(connector, State.RUNNING, config)


@app.command()
def stop(connector: Which, config: Config = None) -> None:
    """Have it finish what is under way and let go of everything; its process waits."""
    _tell(connector, State.STOPPED, config)


@app.command()
def restart(connector: Which, config: Config = None) -> None:
    """Have every worker of it end its run cleanly and begin again."""
    Sender(channel_of(load(config))).restart(connector)
    typer.echo(f"{connector}: ordered to begin again")


@app.command()
def offsets(connector: Which, config: Config = None, as_json: AsJson = False) -> None:
    """Show how far it has come, in each partition or table."""
    found = OffsetDesk(load(config)).read(BY_NAME[connector].stage)["offsets"]
    rows = [{**one["partition"], **one["offset"]} for one in found]
    show(rows, as_json=as_json, empty="it has read nothing yet")


def _tell(connector: str, state: State, config: Config) -> None:
    Sender(channel_of(load(config))).tell(connector, state)
    typer.echo(f"{connector}: ordered to be {state}, now and whenever it starts")


def _known(settings: Settings) -> list[ConnectorState]:
    with closing(Followed(channel_of(settings))) as words:
        known, now = words.snapshot(), datetime.now(UTC)
    return [state_of(name, known, now) for name in BY_NAME]


def _rows(state: ConnectorState) -> list[dict[str, Any]]:
    about = {"connector": state.name, "state": state.state}
    nobody = {
        "task": None,
        "of": "",
        "worker": "",
        "done": None,
        "behind s": None,
        "why": state.trace,
    }
    return [
        {
            **about,
            "state": task.state,
            "task": task.id,
            "of": task.task.name,
            "worker": task.worker,
            "done": task.task.progress,
            "behind s": task.task.behind_seconds,
            "why": task.task.trace,
        }
        for task in state.tasks
    ] or [{**about, **nobody}]
