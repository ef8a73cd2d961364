"""What the two databases share: a PostgreSQL address, and a login as the readiness check."""

from __future__ import annotations

from typing import Final

import psycopg

from devstack.server import Server

USER: Final = "postgres"


class DatabaseServer(Server):
    """A server that speaks PostgreSQL."""

    @property
    def url(self) -> str:
        """The address with its password, as libpq takes it."""
        return f"postgresql://{USER}:{self.place.password}@{self.address}/postgres"

    def answers(self) -> bool:
        """Log in: that works while a client's transaction holds the one backend, too."""
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
