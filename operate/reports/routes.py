"""Reports over HTTP: those that were made, their documents and pages."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse

from operate.api.context import Context
from operate.reports import store

T = TypeVar("T")


def router(context: Context) -> APIRouter:
    """Give the routes below ``/api/v1/reports``."""
    routes = APIRouter(tags=["reports"])

    @routes.get("")
    def listed(limit: int = 100) -> list[dict[str, Any]]:
        """List reports of quality, the newest first."""
        with context.database() as connection:
            return store.listed(connection, max(1, min(limit, 1000)))

    @routes.get("/{number}")
    def document(number: int) -> dict[str, Any]:
        """Give a report."""
        with context.database() as connection:
            return _there(store.document_of(connection, number))

    @routes.get("/{number}/page", response_class=HTMLResponse)
    def page(number: int) -> str:
        """Give a report as a page that asks for nothing else."""
        with context.database() as connection:
            return _there(store.page_of(connection, number))

    return routes


def _there(found: T | None) -> T:
    if found is None:
        problem = "there is no such report: /api/v1/reports lists them"
        raise HTTPException(404, problem)
    return found
