"""Endpoints that fall silent, come back, or are somebody else: on a native PostgreSQL."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, make_url, text

from producers.connection.endpoints import Endpoints
from runtime.breaker import Circuit
from runtime.errors import Configuration, Transient
from tests.source_runs import Deployment
from tests.source_tables import ROWS, mapping_of_hourly, settings, through
from tests.tcp_proxy import Fault, Proxy
from tests.waiting import eventually


def ask(endpoints: Endpoints) -> int:
    def count(connection: Connection) -> int:
        return int(connection.execute(text("SELECT count(*) FROM hourly")).scalar_one())

    return endpoints.ask("counting", count)


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return mapping_of_hourly(tmp_path / "mapping.yaml")


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
    assert summary.rows == ROWS
    for parameter in ("temperature", "wind"):
        found = Counter(record["source_key"] for record in deployment.raw(parameter))
        assert found == {str(n): 1 for n in range(1, ROWS + 1)}


@pytest.mark.requirement("A5", "D4")
def test_reading_returns_to_the_preferred_endpoint_once_it_answers(filled: str) -> None:
    port = int(make_url(filled).port or 0)
    with ExitStack() as stack:
        first, second = stack.enter_context(Proxy(port, "cut")), stack.enter_context(Proxy(port))
        endpoints = Endpoints.open(settings(through(first, filled), through(second, filled)))
        stack.callback(endpoints.dispose)
        endpoints.settle(lambda: None)
        first.fail()
        assert ask(endpoints) == ROWS
        assert [*endpoints.circuits.values()] == [Circuit.OPEN, Circuit.CLOSED]
        first.mend()

        def is_back() -> bool:
            ask(endpoints)
            return [*endpoints.circuits.values()] == [Circuit.CLOSED, Circuit.CLOSED]

        eventually(is_back)
        before = second.passed
        assert ask(endpoints) == ROWS
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
    assert len(deployment.raw("wind")) == ROWS + 1


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
        assert ask(endpoints) == ROWS
        proxy.fail()
        with pytest.raises(Transient, match="not even a refusal"):
            ask(endpoints)
        proxy.mend()
        before = proxy.connections

        def answers() -> bool:
            try:
                return ask(endpoints) == ROWS
            except Transient:
                return False

        eventually(answers)
        assert proxy.connections > before
        endpoints.dispose()
