"""The app: every room's routes behind one guard, with one way to tell of errors.

``/`` answers programs as Kafka Connect does and sends browsers to ``/page/``. A test calls it as
``TestClient(build(context), base_url="http://127.0.0.1")``: on loopback any other name is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, FastAPI

from operate.alerts import routes as alerts
from operate.api import connectors, health, plugins, records, root, watching
from operate.api.context import Context
from operate.api.errors import Answer, handle_errors
from operate.api.guard import Guard
from operate.api.reference import add_reference
from operate.jobs import routes as jobs
from operate.page import routes as page
from operate.replay import routes as replay
from operate.reports import routes as reports

Router = Callable[[Context], APIRouter]

ROUTERS: Final[tuple[tuple[str, Router], ...]] = (
    ("", root.router),
    ("/connectors", connectors.router),
    ("/connector-plugins", plugins.router),
    ("/admin/loggers", root.loggers),
    ("/loggers", root.loggers),
    ("/health", health.router),
    ("/api/v1", watching.router),
    ("/api/v1/dead-letters", records.letters),
    ("/api/v1/reconciliations", records.reconciliations),
    ("/api/v1", records.lineage),
    ("/api/v1/replays", replay.router),
    ("/api/v1", jobs.router),
    ("/api/v1", alerts.router),
    ("/api/v1/reports", reports.router),
    ("", page.router),
)
"""Where each room's routes lie, and what makes them."""


@asynccontextmanager
async def _meanwhile(context: Context) -> AsyncIterator[None]:
    context.lags.begin()
    try:
        yield
    finally:
        context.lags.close()
        context.words.close()


def build(context: Context) -> FastAPI:
    """Make the app; nothing is connected before a request needs it."""
    app = FastAPI(
        title="aos-stream",
        version=version("aos-stream"),
        summary="Steer and watch source, stream and sink.",
        lifespan=lambda _app: _meanwhile(context),
        default_response_class=Answer,
        docs_url=None,
        redoc_url=None,
    )
    handle_errors(app)
    app.add_middleware(Guard, settings=context.settings.api)
    for prefix, router in ROUTERS:
        app.include_router(router(context), prefix=prefix)
    add_reference(app)
    return app
