"""All three stages and the API as processes of their own, over a small AOS; steered over HTTP."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import yaml
from confluent_kafka.admin import AdminClient
from psycopg.rows import dict_row

from devstack.stack import Stack
from runtime.kafka_topics import ensure_topics
from schemas.topics import Topics
from tests.sources import create, hourly, insert, write_mapping
from tests.stage_process import Process
from tests.waiting import eventually

STAGES = ("source", "stream", "sink")


class Pipeline:
    """What a test does with the pipeline: rows into AOS, rows out of the tables, HTTP between."""

    def __init__(self, folder: Path, url: str, processes: dict[str, Process], tables: str) -> None:
        self.processes = processes
        self.api = httpx.Client(base_url=url, timeout=60)
        self._aos = folder / "aos.db"
        self._tables = tables

    def insert(self, *numbers: int, **columns: Any) -> None:
        """Write hourly rows: each a reading of temperature and one of wind."""
        times = {n: f"2020-01-{1 + n // 24:02} {n % 24:02}:00:00" for n in numbers}
        rows = [
            hourly(n, at=at, changed=f"{at[:-2]}30.{n:06}", **{"ta": 20.0, **columns})
            for n, at in times.items()
        ]
        insert(self._aos, "hourly", rows)

    def rows(self, parameter: str = "temperature") -> int:
        """Count the rows of a table."""
        return int(self.query(f"SELECT count(*) AS n FROM weather.{parameter}")[0]["n"])  # noqa: S608

    def query(self, statement: str) -> list[dict[str, Any]]:
        """Ask the database; it may not know the tables yet."""
        with closing(psycopg.connect(self._tables, autocommit=True)) as connection:
            try:
                found = connection.cursor(row_factory=dict_row).execute(statement.encode())
                return found.fetchall() if found.description else []
            except psycopg.errors.UndefinedTable:
                return [{"n": 0}]

    def get(self, path: str) -> Any:
        """Ask the API."""
        return self.api.get(path).json()

    def state(self, connector: str) -> str:
        """Say how a connector is."""
        return str(self.get(f"/connectors/{connector}/status")["connector"]["state"])

    def hop(self, connector: str) -> dict[str, Any]:
        """Give the lag of a connector, as the API judges it."""
        hops = self.get("/api/v1/lag")["hops"]
        return next((hop for hop in hops if hop["connector"] == connector), {"status": None})

    def order(self, verb: str, connector: str, reached: str) -> None:
        """Order a connector something, and wait until it is so."""
        assert self.api.put(f"/connectors/{connector}/{verb}").is_success
        eventually(lambda: self.state(connector) == reached)


@contextmanager
def running(stack: Stack, topics: Topics, tables: str, folder: Path) -> Iterator[Pipeline]:
    """Start everything over an AOS that is empty yet; at the end nothing is left."""
    create(folder / "aos.db")
    # Here, not by whichever stage comes first: a client that meets a topic too young waits long.
    admin = AdminClient({"bootstrap.servers": stack.bootstrap_servers})
    ensure_topics(admin, topics.specs(), topics.replication)
    config = _settings(stack, topics, tables, folder)
    with ExitStack() as open_:
        processes = {
            name: open_.enter_context(Process(_command(name, config), folder / f"{name}.log"))
            for name in STAGES
        }
        api = Process(_command("api", config, "--port", "0"), folder / "api.log")
        processes["api"] = open_.enter_context(api)
        url = eventually(lambda: _address(api.log), seconds=180)
        made = Pipeline(folder, url, processes, tables)
        open_.callback(made.api.close)
        yield made


def _settings(stack: Stack, topics: Topics, tables: str, folder: Path) -> Path:
    document = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": topics.namespace, "partitions": topics.partitions},
        "source": {
            "url": f"sqlite:///{folder / 'aos.db'}",
            "mapping": str(write_mapping(folder / "mapping.yaml")),
            "poll_seconds": 0.05,
        },
        "stream": {"instance": "one"},
        "sink": {"database_url": tables, "instance_id": "one", "retry_seconds": 0.2},
        "api": {"sample_seconds": 0.2},
    }
    path = folder / "aos.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def _command(name: str, config: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "operate", name, "--config", str(config), *more]


def _address(log: str) -> str:
    found = re.search(r'"url": "(http[^"]+)"', log)  # its last line may not be whole yet
    return found[1] if found else ""
