"""Every error as Kafka Connect tells it: ``{"error_code": 404, "message": "…"}``, and no trace."""

from __future__ import annotations

import logging
import math
import re
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from operate.masking import masked
from runtime.errors import AosError, Configuration, DataQuality, Fenced, Transient

_LOG: Final = logging.getLogger("aos.api")
_STATUS: Final[tuple[tuple[type[AosError], HTTPStatus], ...]] = (
    (Configuration, HTTPStatus.BAD_REQUEST),
    (DataQuality, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Transient, HTTPStatus.SERVICE_UNAVAILABLE),
    (Fenced, HTTPStatus.CONFLICT),
)
_OURS: Final = re.compile(r"setting (kafka|registry|topics|source|sources|stream|sink)\b")
"""A setting of the deployment is wrong, or what it leads to is away: no fault of whoever asks."""


class Answer(JSONResponse):
    """JSON, in which a number that is none is null: readings may hold such."""

    def render(self, content: Any) -> bytes:
        """Write it down."""
        try:
            return super().render(content)
        except ValueError:
            return super().render(_numbers(content))


def _numbers(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _numbers(value) for name, value in content.items()}
    if isinstance(content, list):
        return [_numbers(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def answer(status: int, message: str) -> JSONResponse:
    """Make the answer to what cannot be done."""
    told = {"error_code": int(status), "message": masked(message)}
    return JSONResponse(told, status_code=int(status))


def status_of(error: AosError) -> HTTPStatus:
    """Say which status an error of ours has.

    >>> int(status_of(Transient("away")))
    503
    """
    if isinstance(error, Configuration) and _OURS.match(error.message):
        return HTTPStatus.SERVICE_UNAVAILABLE
    found = (status for kind, status in _STATUS if isinstance(error, kind))
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


def handle_errors(app: FastAPI) -> None:
    """Have every error of an app answered in this shape."""
    app.add_exception_handler(AosError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(Exception, _bug)


async def _ours(_request: Request, error: Any) -> JSONResponse:
    return answer(status_of(error), str(error))


async def _http(_request: Request, error: Any) -> JSONResponse:
    return answer(error.status_code, str(error.detail))


async def _malformed(_request: Request, error: Any) -> JSONResponse:
    """Say what is wrong with a request; what was given is not repeated, it may be a secret."""
    told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return answer(HTTPStatus.BAD_REQUEST, told)


async def _bug(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("%s %s broke", request.method, request.url.path, exc_info=error)
    told = "this is a bug of the API; its log has the trace"
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, told)
