"""The kinds of connectors, and whether a config would do for one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.exceptions import HTTPException

from operate.api.context import Context
from operate.control.configs import validation_document
from operate.control.connectors import BY_NAME, CONNECTORS


def router(_context: Context) -> APIRouter:
    """Make the routes below ``/connector-plugins``."""
    routes = APIRouter(tags=["connectors"])

    @routes.get("")
    def every() -> list[dict[str, Any]]:
        """Name the kinds of connectors."""
        return [{"class": one.plugin, "type": one.kind, "version": ""} for one in BY_NAME.values()]

    @routes.put("/{plugin}/config/validate")
    def validate(plugin: str, asked: Annotated[dict[str, Any], Body()]) -> dict[str, Any]:
        """Say of each setting whether what is given may be; nothing is changed."""
        for one in CONNECTORS.values():
            if plugin in {one.plugin, one.name}:
                return validation_document(one, asked)
        raise HTTPException(HTTPStatus.NOT_FOUND, f"Plugin {plugin} not found")

    return routes
