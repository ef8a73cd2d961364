"""What Connect has not: the workers, the lag by Burrow's rules, the freshness of the tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from operate.api.context import Context
from operate.control.connectors import BY_NAME
from operate.control.documents import workers_document
from operate.control.fleet import state_of
from operate.freshness import Limits, by_parameter, newest, sensors
from operate.lag.rules import Rule, worst
from operate.lag.sampling import lag_document, source_document


def router(context: Context) -> APIRouter:
    """Make the routes below ``/api/v1``."""
    routes = APIRouter(tags=["watching"])

    @routes.get("/workers")
    def workers() -> dict[str, Any]:
        """Say how each worker is, since when, and how far it has come with each task."""
        known, now = context.words.snapshot(), datetime.now(UTC)
        states = {name: state_of(name, known, now) for name in BY_NAME}
        return {
            name: {
                "state": state.state,
                "ordered": state.ordered,
                "workers": workers_document(state),
            }
            for name, state in states.items()
        }

    @routes.get("/lag")
    def lag(expand: Annotated[Literal["partitions"] | None, Query()] = None) -> dict[str, Any]:
        """Judge the lag of each hop by its course; without ``expand`` it names what is not well."""
        reports = context.lags.reports()
        now = datetime.now(UTC)
        source = source_document(state_of("aos-source", context.words.snapshot(), now))
        hops = [source, *lag_document(reports, everything=expand == "partitions")]
        return {"at": now, "status": worst(Rule(hop["status"]) for hop in hops), "hops": hops}

    _freshness(routes, context)
    return routes


def _freshness(routes: APIRouter, context: Context) -> None:
    @routes.get("/freshness")
    def freshness(
        expand: Annotated[Literal["late", "sensors"] | None, Query()] = None,
    ) -> dict[str, Any]:
        """Hold each sensor's newest reading to its own rhythm; ``expand`` names sensors."""
        with context.database("asking how fresh the tables are") as connection:
            found = newest(connection)
        limits, now = Limits.of(context.settings.stream), datetime.now(UTC)
        told: dict[str, Any] = {"at": now, "parameters": by_parameter(found, limits, now)}
        if expand:
            told["sensors"] = sensors(found, limits, now, everything=expand == "sensors")
        return told
