"""``aos api``: the REST API in the foreground."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from operate.api.serving import serve
from operate.options import Config
from operate.settings import load
from runtime import logs

Host = Annotated[str | None, typer.Option("--host", help="Where to listen; else api.host.")]
Port = Annotated[int | None, typer.Option("--port", help="0: any that is free; else api.port.")]


def api(config: Config = None, host: Host = None, port: Port = None) -> None:
    """Serve the API: connectors in Kafka Connect's shapes, lag, health, dead letters and more.

    It listens on loopback unless told otherwise; elsewhere callers have to send api.token.
    """
    settings = load(config)
    logs.configure(settings.log_level, sys.stdout, stage="api")
    given = {"host": host, "port": port}
    changes = {name: value for name, value in given.items() if value is not None}
    chosen = settings.api.model_copy(update=changes)
    serve(settings.model_copy(update={"api": chosen}))
