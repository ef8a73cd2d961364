"""What a database server says of itself: replica or primary, and which transactions are open.

From it follows by how much more than its lag a cursor's bound is held back. Every statement here is
optional: a user who may see less is served with the mapping's lag alone, and told so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, TextClause, text

from runtime.errors import Configuration
from schemas.cursors import ChangeTracking, Lagged, Rowversion
from schemas.mapping import AnyTable

_LOOK: Final = {
    # sql_variant has no type in ODBC, so it is converted.
    "mssql": text(
        "SELECT CONVERT(nvarchar(20), DATABASEPROPERTYEX(DB_NAME(), 'Updateability')) AS mode, "
        "HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE') AS sees, "
        "snapshot_isolation_state AS snapshot "
        "FROM sys.databases WHERE name = DB_NAME()"
    ),
    "postgresql": text(
        "SELECT 'READ_WRITE' AS mode, "
        "CAST(pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS int) AS sees, "
        "1 AS snapshot"
    ),
}
_OLDEST: Final = {
    # Read-only transactions, and those that have written nothing here yet, keep no row back.
    "mssql": text(
        "SELECT DATEDIFF(second, MIN(active.transaction_begin_time), GETDATE()) AS seconds "
        "FROM sys.dm_tran_active_transactions AS active "
        "JOIN sys.dm_tran_database_transactions AS here "
        "ON here.transaction_id = active.transaction_id "
        "WHERE here.database_id = DB_ID() AND here.database_transaction_type = 1 "
        "AND here.database_transaction_begin_time IS NOT NULL"
    ),
    "postgresql": text(
        "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp() - MIN(xact_start)) AS float) AS seconds "
        "FROM pg_stat_activity "
        "WHERE datname = current_database() AND backend_xid IS NOT NULL"
    ),
}
_REDONE: Final = text(
    "SELECT DATEDIFF(second, last_commit_time, GETDATE()) AS seconds "
    "FROM sys.dm_hadr_database_replica_states WHERE is_local = 1 AND database_id = DB_ID()"
)
_SERVER: Final = "aos_server"
_ROUNDING: Final = 1.0
"""DATEDIFF counts the boundaries between two times: up to a second less than lies between them."""
_NOT_ALLOWED: Final = "the user may not see the server's transactions (VIEW SERVER STATE)"
_NOT_HERE: Final = "a replica does not show the transactions of its primary"
_STANDSTILL: Final = "nothing that was changed since it began is read until it ends"
_PASSED_OVER: Final = "it is no longer waited for: what it commits only a second look finds"
_UNKNOWN: Final = "this kind of database does not show its transactions"


@dataclass(frozen=True, slots=True)
class Held:
    """By how much a bound is held back besides the cursor's lag, and why.

    Attributes:
        seconds: how long.
        oldest: age of the oldest transaction that has written and is open, in seconds; None: there
            is none, or it cannot be seen.
        blind: why it cannot be seen; empty when it can.
        overdue: what it means that it is open for longer than the cursor waits; empty when it is
            not.
    """

    seconds: float = 0.0
    oldest: float | None = None
    blind: str = ""
    overdue: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """What a server is, as seen by one connection.

    Attributes:
        dialect: SQLAlchemy's name for its kind.
        replica: it is a copy of another one, behind it, and read-only.
        sees: the user may look at the transactions of others.
        snapshot: transactions may be isolated as snapshots.
    """

    dialect: str
    replica: bool = False
    sees: bool = False
    snapshot: bool = True


def server_of(connection: Connection) -> Server:
    """See what kind of server a connection leads to; each is asked once.

    A server that becomes another's replica ends its connections. The transaction of the question
    ends with it, so that no snapshot is older than the bound that is asked for in it.
    """
    if _SERVER not in connection.info:
        connection.info[_SERVER] = _look(connection)
        connection.rollback()
    found: Server = connection.info[_SERVER]
    return found


def held(connection: Connection, how: object) -> Held:
    """Ask by how much the bound of a cursor has to be held back now.

    Raises:
        Configuration: it is a replica, and nobody says how far it is behind.
    """
    if not isinstance(how, Lagged | Rowversion):
        return Held()
    server = server_of(connection)
    if server.replica and isinstance(how, Lagged):
        return Held(_behind(connection, server, how), blind=_NOT_HERE)
    if server.dialect not in _OLDEST:
        return Held(blind=_UNKNOWN)
    if not server.sees:
        return Held(blind=_NOT_ALLOWED)
    return _by_oldest(_seconds(connection, _OLDEST[server.dialect]), how)


def _by_oldest(oldest: float | None, how: Lagged | Rowversion) -> Held:
    if oldest is None:
        return Held()
    if isinstance(how, Rowversion):
        return Held(oldest=oldest, overdue=_STANDSTILL if oldest > how.wait_seconds else "")
    waited = min(oldest + _ROUNDING, how.wait_seconds)
    late = oldest > how.lag_seconds + how.wait_seconds
    return Held(waited, oldest, overdue=_PASSED_OVER if late else "")


def _behind(connection: Connection, server: Server, how: Lagged) -> float:
    redone = _seconds(connection, _REDONE) if server.sees else None
    if redone is not None:
        return max(0.0, redone + _ROUNDING)
    if how.secondary_lag_seconds is None:
        problem = "this is a readable secondary, and how far it is behind cannot be seen"
        raise Configuration(problem, mend=_SECONDARY_MEND)
    return how.secondary_lag_seconds


_SECONDARY_MEND: Final = (
    "GRANT VIEW SERVER STATE to the user of source.url, set cursor.secondary_lag_seconds in the "
    "mapping to more than it can ever be behind, or read from the primary"
)


def _look(connection: Connection) -> Server:
    name = connection.dialect.name
    if name not in _LOOK:
        return Server(name)
    mode, sees, snapshot = connection.execute(_LOOK[name]).one()
    return Server(name, mode == "READ_ONLY", bool(sees), snapshot == 1)


def check_cursor(server: Server, table: AnyTable) -> None:
    """See whether a table can be read there with the cursor that the mapping gives it.

    Raises:
        Configuration: it cannot.
    """
    how, name = table.cursor, table.table
    if not isinstance(how, Rowversion | ChangeTracking):
        return
    if server.dialect != "mssql":
        problem = f"table {name}: {how.mode} is a cursor for SQL Server"
        raise Configuration(problem, mend="give the table a cursor of mode timestamp_id or id")
    if server.replica:
        problem = f"table {name}: {how.mode} can not be relied on at a readable secondary"
        mend = "read from the primary (ApplicationIntent=ReadWrite in source.url), or by time"
        raise Configuration(problem, mend=mend)
    if isinstance(how, ChangeTracking) and not server.snapshot:
        problem = f"table {name}: change_tracking needs snapshots, and the database allows none"
        raise Configuration(problem, mend="ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON")


def _seconds(connection: Connection, statement: TextClause) -> float | None:
    found = connection.execute(statement).scalar()
    return None if found is None else float(found)


STATEMENTS: Final = {"look": _LOOK, "oldest": _OLDEST, "redone": {"mssql": _REDONE}}
"""All of them, for those who document or test them."""
