"""``aos schema``: the contract of the topics."""

from __future__ import annotations

import typer

from operate.options import AsJson
from operate.printing import show
from runtime.errors import Exit
from schemas.compatibility import problems

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def schema() -> None:
    """Check the schemas of the topics."""


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
