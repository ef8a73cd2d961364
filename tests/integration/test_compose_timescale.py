"""TimescaleDB in docker-compose.yml is the one that all other tests ran on."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import yaml

from devstack.stack import Stack

COMPOSE = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text("utf-8"))


def test_compose_has_the_minor_version_of_the_embedded_timescaledb(stack: Stack) -> None:
    image = COMPOSE["services"]["timescaledb"]["image"]
    pinned = re.fullmatch(r"timescale/timescaledb:(\d+\.\d+)\.\d+-pg(\d+)", image)
    assert pinned is not None
    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
        query = "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'"
        (extension,) = connection.execute(query).fetchone() or ("",)
        server = connection.info.server_version // 10_000
    assert (extension.rpartition(".")[0], str(server)) == pinned.groups()
