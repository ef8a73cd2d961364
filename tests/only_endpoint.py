"""An engine of a test's own, asked as the endpoints of a source are."""

from __future__ import annotations

from sqlalchemy import Engine

from producers.connection.endpoint import Endpoint
from producers.connection.endpoints import Endpoints
from runtime.breaker import Breaker


def endpoints_of(engine: Engine) -> Endpoints:
    """Make it the one endpoint of a source that needs no proof of who it is."""
    return Endpoints([Endpoint(engine, 60.0, Breaker(), "the test's own")])
