"""Health: alive is what makes progress, ready is what lacks nothing, and one line says what fails.

They tell of the whole pipeline, not of this process alone, which answers or does not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from operate.api.context import Context
from operate.doctor.checks import checks, states
from operate.doctor.flow import vitals
from operate.doctor.walk import Check, Condition, Diagnosis, Layer, Part, walk
from runtime.errors import System

_FRESH_SECONDS: Final = 5.0
_SPARED_SECONDS: Final = 60.0
"""AOS has better to do than to be logged in to for everybody who asks."""


class Doctor:
    """Walks through the layers when it is asked, and again only after ``seconds``."""

    def __init__(self, look: Callable[[], Diagnosis], seconds: float = _FRESH_SECONDS) -> None:
        self._look = look
        self._seconds = seconds
        self._lock = threading.Lock()
        self._found: Diagnosis | None = None
        self._until = 0.0

    def diagnosis(self) -> Diagnosis:
        """Give what was found of late."""
        with self._lock:
            if self._found is None or time.monotonic() >= self._until:
                self._found = self._look()
                self._until = time.monotonic() + self._seconds
            return self._found


def router(context: Context) -> APIRouter:
    """Make the routes below ``/health``."""
    routes = APIRouter(tags=["health"])
    every = [_spared(one) for one in checks(context.settings, context.words, context.lags)]
    doctor = Doctor(lambda: walk(every))

    @routes.get("")
    def health() -> JSONResponse:
        """Walk through all layers; the message is the first that fails, with its mend."""
        found = doctor.diagnosis()
        status = "healthy" if found.is_well else "unhealthy"
        told = [finding.as_document() for finding in found.findings]
        return _answer(found.is_well, {"status": status, "message": found.headline, "checks": told})

    @routes.get("/live")
    def live() -> JSONResponse:
        """Say whether every connector makes progress, or rests by order."""
        found = vitals(states(context.words), context.lags.reports())
        dead = [one for one in found if not one.is_live]
        status = "stalled" if dead else "live"
        message = "; ".join(f"{one.connector}: {one.told}" for one in dead or found)
        told = [one.as_document() for one in found]
        return _answer(not dead, {"status": status, "message": message, "connectors": told})

    @routes.get("/ready")
    def ready() -> JSONResponse:
        """Say whether everything is there that the pipeline needs, and name what is missing."""
        found = doctor.diagnosis().below(Layer.FRESHNESS)
        missing = [finding.as_document() for finding in found.failed]
        status = "not ready" if missing else "ready"
        return _answer(
            not missing, {"status": status, "message": found.headline, "missing": missing}
        )

    return routes


def _spared(check: Check) -> Check:
    """Have AOS itself asked once a minute, however many ask us."""
    if check.part is not Part.AOS or check.layer not in {Layer.LOGIN, Layer.RIGHTS}:
        return check
    kept = Doctor(lambda: walk([check]), _SPARED_SECONDS)

    def run() -> str:
        (found,) = kept.diagnosis().findings
        if found.condition is Condition.FAILED:
            raise System(found.told, mend=found.mend)
        return found.told

    return replace(check, run=run)


def _answer(good: bool, told: dict[str, Any]) -> JSONResponse:
    status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(told, status_code=int(status))
