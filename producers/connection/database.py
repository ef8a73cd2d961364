"""Engines: how a source database is opened: read-only, encrypted, with an end to every wait."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from producers.connection.archive import Archive, is_archive
from producers.connection.dialects import dialect_of
from producers.connection.drivers import MICROSOFT, find_driver, import_pyodbc, keywords_of
from producers.connection.faults import translated
from producers.settings import SourceSettings
from runtime.errors import Configuration

_LOGGER: Final = logging.getLogger("aos.source")
_KEEP_ALIVE: Final = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


def open_engine(settings: SourceSettings, address: str | None = None) -> Engine:
    """Make the engine of a source, or of one of its ``endpoints``; nothing is connected yet.

    Raises:
        Configuration: the URL is none, or its kind of database or driver is not here.
    """
    given = settings.url if address is None else address
    try:
        url = make_url(given)
        archive = Archive(url) if is_archive(url) else None
        if archive is not None:
            url = archive.imported()
        dialect_of(url.get_backend_name())
        engine = create_engine(
            with_password(_reached(url), settings.password.get_secret_value()),
            connect_args=_arguments(url, settings),
            pool_pre_ping=True,
            pool_recycle=1800,
            **_isolation(url),
        )
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        setting, problem = "source.url", f"it cannot be opened ({error})"
        mend = "write it like mssql+pyodbc://user@host:1433/database or sqlite:////path/to/file"
        raise Configuration.of(setting, shown(given), problem, mend=mend) from error
    if archive is not None:
        archive.kept_for(engine)
    if url.get_driver_name() == "pyodbc":
        event.listen(engine, "connect", _bounded_waits(url.get_backend_name(), settings))
    return engine


def for_reading(url: URL, driver: str = MICROSOFT) -> URL:
    """Turn a URL into one that cannot write, as far as the kind of database has a way to say so.

    >>> for_reading(make_url("sqlite:////data/aos.db")).database
    'file:/data/aos.db'
    """
    if url.get_backend_name() == "sqlite" and url.database:
        path = quote(str(Path(url.database).absolute()))
        return url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})
    if url.get_backend_name() == "mssql":
        return sql_server_url(url, driver)
    return url


def sql_server_url(url: URL, driver: str = MICROSOFT) -> URL:
    """Add what an ODBC connection string needs; what the URL says itself is kept.

    >>> url = sql_server_url(make_url("mssql+pyodbc://reader@host/AOS?encrypt=strict"))
    >>> url.query["ApplicationIntent"], "Encrypt" in url.query
    ('ReadOnly', False)
    """
    if "odbc_connect" in url.query:
        whole = str(url.query["odbc_connect"])
        return url.update_query_dict({"odbc_connect": connection_string(whole, driver)})
    said = {key.lower(): str(value) for key, value in url.query.items()}
    return url.update_query_dict(_unsaid(said, driver))


def connection_string(whole: str, driver: str = MICROSOFT) -> str:
    """Add to a connection string, too, what is not said in it.

    >>> connection_string("Server=aos;Encrypt=strict", "FreeTDS").split(";")[:3]
    ['Server=aos', 'Encrypt=strict', 'DRIVER={FreeTDS}']
    """
    parts = [part.partition("=") for part in whole.split(";") if part.strip()]
    said = {key.strip().lower(): value.strip().strip("{}") for key, _, value in parts}
    unsaid = {"DRIVER" if k == "driver" else k: v for k, v in _unsaid(said, driver).items()}
    added = [f"{k}={{{v}}}" if k == "DRIVER" else f"{k}={v}" for k, v in unsaid.items()]
    return ";".join([whole.rstrip("; "), *added])


def _unsaid(said: Mapping[str, str], driver: str) -> dict[str, str]:
    wanted = {"driver": driver, **keywords_of(said.get("driver", driver))}
    return {key: value for key, value in wanted.items() if key.lower() not in said}


def with_password(url: URL, password: str) -> URL:
    """Put the password in, at the last moment."""
    return url.set(password=password) if password else url


def shown(url: str) -> str:
    """Give a URL as it may stand in a message: a password that slipped into it is masked."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "(no URL)"


@contextmanager
def reading(engine: Engine, doing: str) -> Iterator[Connection]:
    """Lend a connection; what goes wrong on it comes out as an error of our own tree.

    Raises:
        Transient: the database may answer in a moment.
        Configuration: it refuses us, or lacks what the mapping names.
    """
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise translated(error, engine.url, doing) from error


def identity_of(connection: Connection, url: URL) -> str:
    """Name the database, so that a cursor is never carried on in another one."""
    asked = dialect_of(connection.dialect.name).identity()
    if asked is None:
        return f"{connection.dialect.name}:{url.database}"
    return f"{connection.dialect.name}:{connection.execute(asked).scalar_one()}"


def _reached(url: URL) -> URL:
    """Look for the driver only where the URL does not name one."""
    if url.get_driver_name() == "pyodbc":
        import_pyodbc()
    named = "driver" in {key.lower() for key in url.query} | {
        part.partition("=")[0].strip().lower()
        for part in str(url.query.get("odbc_connect", "")).split(";")
    }
    if url.get_backend_name() == "mssql" and not named:
        return for_reading(url, find_driver())
    return for_reading(url)


def _arguments(url: URL, settings: SourceSettings) -> dict[str, Any]:
    login, query = settings.login_timeout_seconds, settings.query_timeout_seconds
    if url.get_driver_name() == "psycopg":
        limits = f"-c statement_timeout={query}s -c lock_timeout={settings.lock_timeout_seconds}s"
        read_only = "-c default_transaction_read_only=on"
        return {"connect_timeout": login, "options": f"{limits} {read_only}", **_KEEP_ALIVE}
    return {"timeout": login}


def _isolation(url: URL) -> dict[str, Any]:
    """Say it for SQL Server: a connection from another program's pool may have left another."""
    return {"isolation_level": "READ COMMITTED"} if url.get_backend_name() == "mssql" else {}


def _bounded_waits(backend: str, settings: SourceSettings) -> Any:
    """Bound each query and each wait for a lock; the login is bound by an argument of connect."""
    refusal = import_pyodbc().Error

    def bound(connection: Any, _record: object) -> None:
        try:
            connection.timeout = settings.query_timeout_seconds
        except refusal as error:
            _LOGGER.info("the driver bounds no queries, the watchdog does: %s", error)
        if backend == "mssql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCK_TIMEOUT {settings.lock_timeout_seconds * 1000:d}")

    return bound
