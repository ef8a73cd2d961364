"""``/`` as Connect has it, and the levels of the log."""

from __future__ import annotations

import logging
import os
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Header
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from operate.api.context import Context
from runtime.control.orders import Kind

ROOT: Final = "root"
LOGGERS: Final = (
    ROOT, "aos.source", "aos.stream", "aos.sink", "aos.control", "aos.kafka", "aos.metrics",
    "aos.operate", "aos.api",
)  # fmt: skip


class Level(BaseModel):
    """What PUT wants."""

    model_config = ConfigDict(extra="forbid")

    level: Literal["DEBUG", "INFO", "WARN", "WARNING", "ERROR"]


def router(context: Context) -> APIRouter:
    """Make the route ``/``."""
    routes = APIRouter(tags=["about"])

    @routes.get("/")
    def about(accept: Annotated[str, Header()] = "") -> Response:
        """Say which version of the product this is; a browser is sent to the page."""
        if "text/html" in accept:
            return RedirectResponse("/page/")
        with context.admin() as admin:
            cluster = admin.list_topics(timeout=10).cluster_id
        commit = os.environ.get("AOS_COMMIT", "")
        told = {"version": version("aos-stream"), "commit": commit, "kafka_cluster_id": cluster}
        return JSONResponse(told)

    return routes


def loggers(context: Context) -> APIRouter:
    """Make the routes of the levels; an order for one reaches every stage, and lasts."""
    routes = APIRouter(tags=["loggers"])

    @routes.get("")
    def every() -> dict[str, Any]:
        """Give the level of each logger of the stages."""
        return {name: _level(context, name) for name in LOGGERS}

    @routes.get("/{name}")
    def one(name: str) -> dict[str, Any]:
        """Give the level of a logger."""
        _check(name)
        return _level(context, name)

    @routes.put("/{name}")
    def change(name: str, asked: Annotated[Level, Body()]) -> list[str]:
        """Have every stage, and this process, log from a level on; name what changed."""
        _check(name)
        level = {"WARN": "WARNING"}.get(asked.level, asked.level)
        context.commands.level(name, level)
        logging.getLogger(name).setLevel(level)
        return [name]

    return routes


def _level(context: Context, name: str) -> dict[str, Any]:
    order = context.words.snapshot().orders.get(f"{Kind.LEVEL}/{name}")
    if order is None:
        return {"level": context.settings.log_level, "last_modified": None}
    return {"level": order.value, "last_modified": int(order.at.timestamp() * 1000)}


def _check(name: str) -> None:
    if name not in LOGGERS:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"Logger {name} not found")
