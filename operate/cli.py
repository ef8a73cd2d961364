"""The command line ``aos``: which commands there are, and how each of them ends.

A command's module is imported when it is called, so help is quick and a stage's process holds
nothing of the other stages. Exit codes: 0 done, 1 failed, 2 usage or configuration.
"""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from runtime.errors import AosError, Exit

_PATIENCE_SECONDS: Final = 5.0


class Entry(NamedTuple):
    """Where a command is found, and what the list of commands says of it."""

    module: str
    attribute: str
    panel: str
    summary: str


_SEE: Final = "See it work"
_RUN: Final = "Run the stages"
_LOOK: Final = "Look and maintain"

COMMANDS: Final[dict[str, Entry]] = {
    "demo": Entry("demo", "demo", _SEE, "Run the main job on real data, from AOS to TimescaleDB."),
    "up": Entry("stack", "up", _SEE, "Start the embedded Kafka, registry and database."),
    "status": Entry("stack", "status", _SEE, "Show what runs of the embedded stack."),
    "down": Entry("stack", "down", _SEE, "Stop what was started; the data stay."),
    "source": Entry("source", "source", _RUN, "Read AOS into the raw topics."),
    "backfill": Entry("backfill", "backfill", _RUN, "Read history again, by observation time."),
    "stream": Entry("stream", "stream", _RUN, "Clean raw readings into the clean topics."),
    "sink": Entry("sink", "app", _RUN, "Load the clean topics into TimescaleDB."),
    "jobs": Entry("jobs", "app", _RUN, "Run jobs by the clock, when asked for, or by events."),
    "api": Entry("api", "api", _RUN, "Serve the REST API that steers and watches the stages."),
    "connectors": Entry("connectors", "app", _LOOK, "See the stages wherever they run, and steer."),
    "doctor": Entry("doctor", "doctor", _LOOK, "Say what is wrong, layer by layer."),
    "alerts": Entry("alerts", "app", _LOOK, "Watch the stages, and tell when something is wrong."),
    "topics": Entry("topics", "app", _LOOK, "List the topics and how far they reach."),
    "schema": Entry("schema", "app", _LOOK, "Check the schemas of the topics, or describe them."),
    "inspect": Entry("inspect", "command", _LOOK, "Look at a source, and draft its mapping."),
    "mapping": Entry("mapping", "app", _LOOK, "Check the mapping, or write its document."),
    "quality": Entry("quality", "app", _LOOK, "Measure the tests on real days, with plots."),
    "anomaly": Entry("anomaly", "app", _LOOK, "Learn what is usual, and flag what is not."),
    "report": Entry("report", "report", _LOOK, "Report on the quality of a week, or of any days."),
    "dlq": Entry("dlq", "app", _LOOK, "See what could not be used; mend it, and redrive it."),
    "reconcile": Entry("reconcile", "command", _LOOK, "Compare source, topics and tables."),
    "replay": Entry("replay", "app", _LOOK, "Judge the past once more; compare, promote."),
    "lineage": Entry("lineage", "lineage", _LOOK, "Follow a reading from its source to its row."),
    "impact": Entry("lineage", "impact", _LOOK, "Count the readings that a change touches."),
    "ruleset": Entry("ruleset", "app", _LOOK, "See and change the rules that judge readings."),
    "flag": Entry("flag", "app", _LOOK, "Flag readings by hand, above what the tests say."),
    "db": Entry("db", "app", _LOOK, "Migrate the tables, ask them, show how to log in."),
    "config": Entry("config", "config", _LOOK, "Show the settings in force, secrets masked."),
}


class Commands(TyperGroup):
    """Lists commands without importing them; turns our errors into a line and an exit code."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.help = unbroken(self.help)
        for name, entry in COMMANDS.items():
            stub = TyperCommand(name, help=entry.summary, rich_help_panel=entry.panel)
            self.add_command(stub)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Put the command itself in the place of what stood for it in the list."""
        name, stub, rest = super().resolve_command(ctx, args)
        return name, load(name) if name and stub else stub, rest

    def get_params(self, ctx: Any) -> list[Any]:
        """Give the options; no flag is said to take a value."""
        return untyped(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; say on one line what went wrong, if it is an error of ours."""
        try:
            return super().invoke(ctx)
        except AosError as error:
            told = " ".join(str(error).split())
            typer.echo(f"{typer.style('aos:', fg='red')} {told}", err=True)
            raise typer.Exit(error.exit_code) from error


def load(name: str) -> Any:
    """Import a command."""
    entry = COMMANDS[name]
    found = getattr(import_module(f"operate.commands.{entry.module}"), entry.attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        found = alone
    return explained(typer.main.get_command(found))


def explained(command: Any) -> Any:
    """Make the help of a command easy to read: lines as long as there is room, bare flags."""
    command.help = unbroken(command.help)
    untyped(command.get_params(typer.Context(command)))
    for below in getattr(command, "commands", {}).values():
        explained(below)
    return command


def unbroken(text: str | None) -> str:
    r"""Leave it to the terminal where the lines of a paragraph break.

    >>> unbroken("One\n  line.\n\nAnother.")
    'One line.\n\nAnother.'
    """
    return "\n\n".join(" ".join(part.split()) for part in (text or "").split("\n\n"))


def untyped(options: list[Any]) -> list[Any]:
    """Name no type behind a flag, which takes no value."""
    for option in options:
        if getattr(option, "is_flag", False):
            option.metavar = ""
    return options


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aos-stream {version('aos-stream')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", is_eager=True, callback=_tell_version, help="Show the version."),
]


@app.callback()
def aos(_version: Version = False) -> None:
    """Weather readings from AOS through Kafka and Faust into TimescaleDB.

    Settings come from a YAML file and from the environment. The file is --config FILE, AOS_CONFIG,
    or the one that `aos up` and `aos demo` write: .aos/aos.yaml, below where you are. `aos config`
    shows what is in force, and where it comes from.
    """


def main() -> None:
    """Run a command, and end the process soon after, whatever threads libraries leave behind."""
    code: object = Exit.FAILED
    try:
        app()
    except SystemExit as ended:
        code = ended.code
        raise
    finally:
        end_within(_PATIENCE_SECONDS, code if isinstance(code, int) else int(code is not None))


def end_within(seconds: float, code: int) -> None:
    """Give this process that long to end in good order; then it ends at once."""
    timer = threading.Timer(seconds, _end, (code,))
    timer.daemon = True
    timer.start()


def _end(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
