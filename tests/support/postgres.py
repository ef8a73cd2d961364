"""A native PostgreSQL for tests, one server a session and a database of its own for each test.

Locks and fencing are tested here: on a database with one backend they would pass vacuously.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from devstack.postgres import Postgres
from devstack.process import start, stop
from devstack.server import Place
from devstack.state import free_port


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a server and give the address of its database for maintenance."""
    # Not below pytest's own folder: each further run of pytest closes that to other users again,
    # and started by root the server runs as somebody else.
    with TemporaryDirectory(prefix="aos-postgres-", ignore_cleanup_errors=True) as directory:
        yield from _served(Path(directory))


def _served(directory: Path) -> Iterator[str]:
    place = Place(directory, Path(), {"postgres": free_port()}, "s3cret")
    server = Postgres(place)
    server.log.parent.mkdir(parents=True)
    server.prepare()
    running = start(server.command(), server.log)
    try:
        server.wait_until_ready(running, threading.Event())
        yield server.url
    finally:
        stop(running, polite=signal.SIGINT)


@pytest.fixture
def postgres(postgres_server: str, namespace: str) -> str:
    """Make a database that no other test has, and give its address."""
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(namespace)))
    return postgres_server.rpartition("/")[0] + f"/{namespace}"
