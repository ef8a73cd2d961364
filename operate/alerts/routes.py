"""Alerts over HTTP: what stands open, and what was told of late."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated, Any

from fastapi import APIRouter, Query

from operate.alerts.ledger import Ledger
from operate.api.context import Context
from sink.database import Database


def router(context: Context) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["alerts"])

    @routes.get("/alerts", summary="The newest alerts of our own watch, open or cleared.")
    def alerts(
        open_: Annotated[bool, Query(alias="open")] = False,
        most: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> list[dict[str, Any]]:
        with closing(Database(context.settings.sink)) as database:
            ledger = Ledger(database)
            if open_:
                return [notice.as_document() for notice in ledger.standing()]
            return ledger.newest(most)

    return routes
