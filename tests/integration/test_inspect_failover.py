"""An inspection whose first endpoint dies goes on at the second, and sees the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import make_url

from producers.connection.endpoints import Endpoints
from producers.inspect.run import Bounds, Inspection, inspect
from producers.inspect.table_draft import Hints
from tests.source_tables import ROWS, settings, through
from tests.tcp_proxy import Fault, Proxy
from tests.unit.inspect_databases import nothing


@contextmanager
def inspected(*addresses: str) -> Iterator[Inspection]:
    database = Endpoints.open(settings(*addresses))
    database.settle(lambda: None)
    try:
        yield inspect(database, Bounds(), Hints(zone="UTC"), nothing)
    finally:
        database.dispose()


@pytest.mark.requirement("A2", "A5")
@pytest.mark.parametrize("fault", ["stall", "cut"])
@pytest.mark.parametrize("after", [3_000, 20_000])
def test_what_is_seen_does_not_depend_on_the_endpoint_that_lives(
    filled: str, fault: Fault, after: int
) -> None:
    port = int(make_url(filled).port or 0)
    with Proxy(port) as whole, inspected(through(whole, filled)) as undisturbed:
        assert undisturbed.unseen == []
    with Proxy(port, fault, after) as first, Proxy(port) as second:
        with inspected(through(first, filled), through(second, filled)) as found:
            assert first.faulty
        assert second.passed > 0
    assert found.as_document() == undisturbed.as_document()
    (table,) = found.catalogue.tables
    assert table.count is not None
    assert table.count.rows == ROWS
