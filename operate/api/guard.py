"""Who may ask: on loopback whoever is on this host, elsewhere whoever has the token.

On loopback a browser of this host could be made to ask by a page from elsewhere: under another name
that leads here, which the header ``Host`` betrays, or across origins, which ``Origin`` does.
"""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from operate.api.errors import answer
from operate.api.settings import ApiSettings
from runtime.errors import Configuration

OPEN: Final = ("/health/live", "/health/ready", "/page/", "/docs", "/openapi.json")
"""What a probe asks for, and pages that hold no data: the one of the data asks for the token."""
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def check(settings: ApiSettings) -> None:
    """Refuse to listen where others can reach us and nobody has to show a token.

    Raises:
        Configuration: there is no token.
    """
    if not settings.is_loopback and not settings.token.get_secret_value():
        problem = "other hosts can reach it, and no token is set"
        setting, mend = "api.host", "set api.token, or listen on 127.0.0.1"
        raise Configuration.of(setting, settings.host, problem, mend=mend)


class Guard:
    """Lets a request pass, or answers it with 401 or 403.

    Without a token only this host can reach us, and only it is let in.
    """

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless it is refused."""
        refused = self._refused(scope) if scope["type"] == "http" else None
        if refused is None:
            await self._app(scope, receive, send)
            return
        status, told = refused
        response = answer(status, told)
        if status == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        await response(scope, receive, send)

    def _refused(self, scope: Scope) -> tuple[HTTPStatus, str] | None:
        headers, path = Headers(scope=scope), str(scope["path"])
        token = self._settings.token.get_secret_value()
        if not token:
            told = "call it by 127.0.0.1 or localhost, from no other page"
            return None if _from_here(headers) else (HTTPStatus.FORBIDDEN, told)
        if any(path.startswith(each) for each in OPEN) or _is_browser_at_door(path, headers):
            return None
        kind, _, shown = headers.get("authorization", "").partition(" ")
        right = secrets.compare_digest(shown.strip().encode(), token.encode())
        if kind.lower() == "bearer" and right:
            return None
        return HTTPStatus.UNAUTHORIZED, "send the header Authorization: Bearer <api.token>"


def _is_browser_at_door(path: str, headers: Headers) -> bool:
    """Whether somebody opens the page by the name of the host alone, and is only sent there."""
    return path == "/" and "text/html" in headers.get("accept", "")


def _from_here(headers: Headers) -> bool:
    """Say whether a request names this host, and comes from a page of ours or from none."""
    host = headers.get("host", "")
    origin = headers.get("origin")
    try:
        named = urlsplit(f"//{host}").hostname
        return named in _LOCAL and (origin is None or urlsplit(origin).netloc == host)
    except ValueError:
        return False
