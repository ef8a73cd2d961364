"""PostgreSQL behind pyodbc, for SQLAlchemy: what lets the pyodbc path run without a SQL Server.

SQLAlchemy has no such dialect any more; this one is made of its own two halves.
"""

from __future__ import annotations

from sqlalchemy.connectors.pyodbc import PyODBCConnector
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect

DRIVER = "PostgreSQL Unicode"


class OdbcPostgres(PyODBCConnector, PGDialect):
    """Speaks PostgreSQL's SQL through an ODBC driver."""

    supports_statement_cache = True


def register() -> None:
    """Let ``postgresql+pyodbc://`` be known."""
    registry.register("postgresql.pyodbc", __name__, "OdbcPostgres")
