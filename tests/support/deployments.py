"""A deployment of a source, and databases for it to read, for all tests of the source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from devstack.sample.database import build
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from tests.source_runs import Deployment
from tests.source_tables import fill


@pytest.fixture
def deployment(
    kafka: KafkaSettings, registry_settings: RegistrySettings, topics: Topics
) -> Iterator[Deployment]:
    """Give a namespace of the test's own on the stack."""
    with closing(Deployment(kafka, registry_settings, topics)) as made:
        yield made


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Make the whole sample AOS."""
    build(path := tmp_path / "aos.db")
    return path


@pytest.fixture
def filled(postgres: str) -> str:
    """Give a PostgreSQL with the wide table of the small AOS."""
    fill(postgres)
    return postgres


@pytest.fixture
def other(postgres_server: str, namespace: str) -> str:
    """Give another database on the same server, with fewer rows of that table."""
    name = f"{namespace}_other"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    address = postgres_server.rpartition("/")[0] + f"/{name}"
    fill(address, 5)
    return address
