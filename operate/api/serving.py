"""Serving the app: one socket, one line that names it, a clean end at SIGTERM."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import closing
from typing import Final

import uvicorn

from operate.api import guard
from operate.api.app import build
from operate.api.context import Context
from operate.api.settings import ApiSettings
from operate.foreground import stop_on_signals
from operate.settings import Settings
from runtime.errors import Configuration

_LOG: Final = logging.getLogger("aos.api")
_DRAIN_SECONDS: Final = 5


def serve(settings: Settings) -> None:
    """Serve the API until a signal ends it; the log names its address.

    Raises:
        Configuration: the address is taken, or others could reach it without a token.
    """
    guard.check(settings.api)
    with closing(_listening(settings.api)) as listening:
        host, port = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{port}/"
        _LOG.info("the API is served at %s", url, extra={"url": url})
        config = uvicorn.Config(
            build(Context.of(settings)),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
            server_header=False,
        )
        logging.getLogger("uvicorn").setLevel(logging.WARNING)  # it tells each step of its start
        stop_on_signals(threading.Event())  # uvicorn raises a signal anew when it has drained
        uvicorn.Server(config).run([listening])


def _listening(settings: ApiSettings) -> socket.socket:
    host, port = settings.host, settings.port
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        problem = f"{host}:{port} cannot be listened on: {error.strerror or error}"
        setting, mend = "api.port", "take another port, or 0 for any that is free"
        raise Configuration.of(setting, port, problem, mend=mend) from error
