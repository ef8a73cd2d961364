"""What the page asks for, and the page itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response

from operate.api.context import Context
from operate.freshness import Limits
from operate.page.eyes import Eyes
from operate.page.files import HEADERS, INDEX, File, files
from operate.page.flow import Sampler
from operate.page.quality import quality
from operate.page.ranges import MOST_POINTS
from operate.page.readings import series
from operate.page.stations import station, stations, with_limits
from schemas.topics import PARAMETERS

_PAGE: Final = 200
_PAGE_AT_MOST: Final = 500

After = Annotated[str, Query(description="The station behind which the page begins.")]
Limit = Annotated[int, Query(ge=1, le=_PAGE_AT_MOST, description="So many at most.")]
From = Annotated[datetime | None, Query(alias="from", description="After this, with its zone.")]
To = Annotated[datetime | None, Query(alias="to", description="Until this, with its zone.")]
FromDay = Annotated[date | None, Query(alias="from", description="The first local day.")]
ToDay = Annotated[date | None, Query(alias="to", description="The last local day.")]
Points = Annotated[int, Query(ge=1, le=MOST_POINTS, description="So many points at most.")]
Parameter = Annotated[list[str] | None, Query(description="Of these alone; repeatable.")]


def router(context: Context) -> APIRouter:
    """Make the routes of the page and of its data."""
    routes = files_router()
    _add_flow(routes, context)
    _add_data(routes, context)
    return routes


def files_router() -> APIRouter:
    """Make the routes of the page alone: what it shows has to be served beside it."""
    routes, known = APIRouter(), files()

    @routes.get("/page/{name:path}", include_in_schema=False)
    def file(name: str, request: Request) -> Response:
        found = known.get(name or INDEX)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"the page has no file {name}")
        return _sent(found, request.headers.get("if-none-match"))

    return routes


def _sent(file: File, shown: str | None) -> Response:
    headers = {**HEADERS, "ETag": file.tag}
    if shown == file.tag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(file.content, media_type=file.media, headers=headers)


def _add_flow(routes: APIRouter, context: Context) -> None:
    sampler = Sampler(Eyes(context), context.settings.topics)

    @routes.get("/api/v1/flow", tags=["data"])
    def flow() -> dict[str, Any]:
        """How much flows on each hop, and how much waits before it."""
        return sampler.flow()


def _add_data(routes: APIRouter, context: Context) -> None:
    limits = Limits.of(context.settings.stream)

    @routes.get("/api/v1/stations", tags=["data"])
    def station_page(after: After = "", limit: Limit = _PAGE) -> dict[str, Any]:
        """Give stations with their sensors and newest readings, by station id."""
        with context.database("listing stations") as connection:
            found = stations(connection, after, limit)
        return {**found, "stations": with_limits(found["stations"], limits)}

    @routes.get("/api/v1/stations/{name}", tags=["data"])
    def one_station(name: str) -> dict[str, Any]:
        """Give one station with its sensors and newest readings."""
        with context.database("asking for a station") as connection:
            found = station(connection, name)
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no station {name}")
        (told,) = with_limits([found], limits)
        return told

    @routes.get("/api/v1/readings", tags=["data"])
    def readings(
        sensor: str,
        measure: str,
        since: From = None,
        until: To = None,
        limit: Points = MOST_POINTS,
    ) -> dict[str, Any]:
        """Give the readings of a sensor, raw and clean, or aggregates where they are too many."""
        with context.database("listing readings") as connection:
            return series(connection, sensor, measure, since, until, limit)

    @routes.get("/api/v1/quality", tags=["data"])
    def flags(
        since: FromDay = None, until: ToDay = None, parameter: Parameter = None
    ) -> dict[str, Any]:
        """Count readings by parameter, local day and flag, and the reasons of bad ones."""
        last = until or datetime.now(UTC).date()
        with context.database("counting flags") as connection:
            return quality(connection, since, last, tuple(parameter or PARAMETERS))
