"""``aos config``: the settings in force."""

from __future__ import annotations

import typer
import yaml

from operate.masking import masked_document
from operate.options import AsJson, Config
from operate.printing import print_json
from operate.settings import load


def config(config: Config = None, as_json: AsJson = False) -> None:
    """Show the settings in force, defaults included and secrets masked, as a --config file."""
    document = masked_document(load(config).model_dump(mode="json"))
    if as_json:
        print_json(document)
    else:
        origin = config or "none; defaults and environment alone"
        typer.echo(f"# settings file: {origin}")
        typer.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), nl=False)
