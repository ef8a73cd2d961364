"""``aos schema``: the contract of the topics."""

from __future__ import annotations

import typer

from operate.options import AsJson, Config
from operate.printing import show
from operate.settings import load
from runtime.errors import Exit
from schemas.asyncapi import as_yaml
from schemas.compatibility import problems

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def schema() -> None:
    """Check the schemas of the topics, or describe the topics."""


@app.command()
def check(as_json: AsJson = False) -> None:
    """See that today's schemas read all that earlier ones wrote; exit 1 names those that do not."""
    found = problems()
    show(
        [problem._asdict() for problem in found],
        as_json=as_json,
        empty="every schema reads what each of its landed versions wrote",
    )
    if found:
        raise typer.Exit(Exit.FAILED)


@app.command()
def asyncapi(config: Config = None) -> None:
    """Write the AsyncAPI document of this deployment's topics to standard output."""
    typer.echo(as_yaml(load(config).topics), nl=False)
