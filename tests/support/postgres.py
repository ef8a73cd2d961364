"""A native PostgreSQL for tests, one server a session and a database of its own for each test.

Locks and fencing are tested here: on a database with one backend they would pass vacuously.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from devstack.postgres import Postgres
from devstack.process import start, stop
from devstack.server import Place
from devstack.state import free_port


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server and give the address of its database for maintenance."""
    directory = tmp_path_factory.mktemp("postgres")
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
