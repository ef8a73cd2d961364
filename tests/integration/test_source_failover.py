"""Endpoints that fall silent, come back, or are somebody else: on a native PostgreSQL."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest
import yaml
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, make_url, text

from producers.connection.endpoints import Endpoints
from producers.settings import SourceSettings
from runtime.breaker import Circuit
from runtime.errors import Configuration, Transient
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics
from tests.source_runs import Deployment
from tests.sources import document
from tests.tcp_proxy import Fault, Proxy
from tests.waiting import eventually

_ROWS = 900
_TABLE = """
CREATE TABLE hourly (id int PRIMARY KEY, station text, at timestamp, ta float8, ws float8,
                     wd float8, flag text, changed timestamp(6) NOT NULL);
INSERT INTO hourly SELECT n, 'S' || n % 7, timestamp '2020-01-01' + n / 7 * interval '1 hour',
    n % 30, 2, 90, NULL, timestamp '2020-01-01' + n / 100 * interval '1 second'
FROM generate_series(1, {rows}) AS n;
"""
_SHORT = {"query_timeout_seconds": 1, "grace_seconds": 0.5, "login_timeout_seconds": 1}


def fill(address: str, rows: int = _ROWS) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_TABLE.format(rows=rows).encode())


def through(proxy: Proxy, address: str) -> str:
    url = make_url(address).set(drivername="postgresql+psycopg", port=proxy.port, host="127.0.0.1")
    return url.render_as_string(hide_password=False)


def settings(first: str, *others: str, mapping: Path = Path("m.yaml")) -> SourceSettings:
    given = {"url": first, "endpoints": others, "mapping": mapping, **_SHORT}
    return SourceSettings.model_validate(given)


def ask(endpoints: Endpoints) -> int:
    def count(connection: Connection) -> int:
        return int(connection.execute(text("SELECT count(*) FROM hourly")).scalar_one())

    return endpoints.ask("counting", count)


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    whole = document()
    path = tmp_path / "mapping.yaml"
    path.write_text(yaml.safe_dump({**whole, "tables": whole["tables"][:1]}), encoding="utf-8")
    return path


@pytest.fixture
def deployment(
    kafka: KafkaSettings, registry_settings: RegistrySettings, topics: Topics
) -> Iterator[Deployment]:
    with closing(Deployment(kafka, registry_settings, topics)) as made:
        yield made


@pytest.fixture
def filled(postgres: str) -> str:
    fill(postgres)
    return postgres


@pytest.fixture
def other(postgres_server: str, namespace: str) -> str:
    name = f"{namespace}_other"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    address = postgres_server.rpartition("/")[0] + f"/{name}"
    fill(address, 5)
    return address


@pytest.mark.requirement("A5", "D3")
@pytest.mark.parametrize("fault", ["stall", "cut"])
@pytest.mark.parametrize("after", [25_000, 43_210])
def test_an_endpoint_that_stops_in_mid_page_is_replaced_and_nothing_is_lost_or_doubled(
    deployment: Deployment, filled: str, mapping: Path, fault: Fault, after: int
) -> None:
    port = int(make_url(filled).port or 0)
    with Proxy(port, fault, after) as first, Proxy(port) as second:
        summary = deployment.run_with(
            settings(through(first, filled), through(second, filled), mapping=mapping),
            page_rows=100,
        )
        assert first.faulty
        assert second.passed > 0
    assert summary.errors == {}
    assert summary.rows == _ROWS
    for parameter in ("temperature", "wind"):
        found = Counter(record["source_key"] for record in deployment.raw(parameter))
        assert found == {str(n): 1 for n in range(1, _ROWS + 1)}


@pytest.mark.requirement("A5", "D4")
def test_reading_returns_to_the_preferred_endpoint_once_it_answers(filled: str) -> None:
    port = int(make_url(filled).port or 0)
    with ExitStack() as stack:
        first, second = stack.enter_context(Proxy(port, "cut")), stack.enter_context(Proxy(port))
        endpoints = Endpoints.open(settings(through(first, filled), through(second, filled)))
        stack.callback(endpoints.dispose)
        endpoints.settle(lambda: None)
        first.fail()
        assert ask(endpoints) == _ROWS
        assert [*endpoints.circuits.values()] == [Circuit.OPEN, Circuit.CLOSED]
        first.mend()

        def is_back() -> bool:
            ask(endpoints)
            return [*endpoints.circuits.values()] == [Circuit.CLOSED, Circuit.CLOSED]

        eventually(is_back)
        before = second.passed
        assert ask(endpoints) == _ROWS
        assert second.passed == before


@pytest.mark.requirement("A5")
def test_an_endpoint_of_another_database_is_refused_in_one_line_and_the_others_go_on(
    deployment: Deployment,
    filled: str,
    other: str,
    mapping: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Proxy(int(make_url(filled).port or 0)) as proxy:
        right, wrong = through(proxy, filled), through(proxy, other)
        deployment.run_with(settings(right, mapping=mapping))
        with psycopg.connect(filled, autocommit=True) as connection:
            connection.execute("UPDATE hourly SET changed = '2020-02-01' WHERE id = 3")
        with caplog.at_level(logging.WARNING, "aos.source"):
            summary = deployment.run_with(settings(wrong, right, mapping=mapping))
    refusals = [r.getMessage() for r in caplog.records if "is left out" in r.getMessage()]
    assert len(refusals) == 1
    assert "source.endpoints" in refusals[0]
    assert "\n" not in refusals[0]
    assert (summary.rows, summary.errors) == (1, {})
    assert len(deployment.raw("wind")) == _ROWS + 1


@pytest.mark.requirement("A5")
def test_a_server_whose_address_comes_to_mean_another_database_is_not_read_on(
    filled: str, other: str
) -> None:
    with Proxy(int(make_url(filled).port or 0)) as proxy:
        endpoints = Endpoints.open(settings(through(proxy, filled)))
        endpoints.settle(lambda: None)
        moved = Endpoints.open(settings(through(proxy, other)))
        moved._endpoints[0].expected = endpoints._endpoints[0].expected
        with pytest.raises(Configuration, match="but the source is postgresql:"):
            ask(moved)
        with pytest.raises(Transient, match="but the source is"):
            ask(moved)
        endpoints.dispose()
        moved.dispose()


@pytest.mark.requirement("A1", "D4")
def test_a_dead_socket_ends_in_a_transient_error_and_its_connection_is_given_up(
    filled: str,
) -> None:
    with Proxy(int(make_url(filled).port or 0)) as proxy:
        endpoints = Endpoints.open(settings(through(proxy, filled)))
        assert ask(endpoints) == _ROWS
        proxy.fail()
        with pytest.raises(Transient, match="not even a refusal"):
            ask(endpoints)
        proxy.mend()
        before = proxy.connections

        def answers() -> bool:
            try:
                return ask(endpoints) == _ROWS
            except Transient:
                return False

        eventually(answers)
        assert proxy.connections > before
        endpoints.dispose()
