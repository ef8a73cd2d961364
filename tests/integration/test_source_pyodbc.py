"""The pyodbc path, which SQL Server is read by, run against PostgreSQL's ODBC driver.

It needs Debian's ``unixodbc`` and ``odbc-postgresql``; ``.ci/run`` installs both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, make_url, text

from producers.connection.database import _bounded_waits
from producers.connection.endpoints import Endpoints
from producers.connection.faults import Away
from producers.reading.feed import TableFeed
from producers.reading.tables import check_mapping
from producers.settings import SourceSettings
from runtime.errors import Configuration
from tests.odbc_dialect import DRIVER, register
from tests.sources import mapping
from tests.tcp_proxy import Proxy
from tests.waiting import eventually

pytestmark = pytest.mark.backend("native PostgreSQL through unixODBC and pyodbc")

SHORT = {"query_timeout_seconds": 1, "grace_seconds": 1, "login_timeout_seconds": 2}
_TABLES = """
CREATE TABLE hourly (id int PRIMARY KEY, station text, at timestamp, ta float8, ws float8,
                     wd float8, flag text, changed timestamp(6) NOT NULL);
INSERT INTO hourly SELECT n, 'S', timestamp '2020-01-01', n, 2, 90, NULL,
    timestamp '2020-01-01' + n / 100 * interval '0.000001 second' FROM generate_series(1, 250) n;
"""


@pytest.fixture(autouse=True)
def driver() -> None:
    try:
        installed = import_module("pyodbc").drivers()
    except ImportError:
        pytest.skip("unixodbc is not installed: apt-get install unixodbc odbc-postgresql")
    if DRIVER not in installed:
        pytest.skip("psqlodbc is not installed: apt-get install odbc-postgresql")
    register()


@pytest.fixture
def proxy(postgres: str) -> Iterator[Proxy]:
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(_TABLES.encode())
    with Proxy(int(make_url(postgres).port or 0)) as standing:
        yield standing


def opened(proxy: Proxy, address: str, **changes: Any) -> Endpoints:
    to = make_url(address)
    parts = {"username": to.username, "password": to.password, "database": to.database, **changes}
    query = {"driver": DRIVER, "port": str(proxy.port), "UseServerSidePrepare": "0"}
    url = URL.create("postgresql+pyodbc", host="127.0.0.1", query=query, **parts)
    given = {"url": url.render_as_string(hide_password=False), "mapping": Path("m.yaml")}
    return Endpoints.open(SourceSettings.model_validate({**given, **SHORT}))


@pytest.fixture
def endpoints(proxy: Proxy, postgres: str) -> Iterator[Endpoints]:
    made = opened(proxy, postgres)
    made.settle(lambda: None)
    yield made
    made.dispose()


def run(endpoints: Endpoints, statement: str) -> Any:
    return endpoints.ask("asking", lambda c: c.execute(text(statement)).all())


@pytest.mark.requirement("A1", "A6")
def test_increments_are_read_page_by_page_through_pyodbc(endpoints: Endpoints) -> None:
    how = mapping(tables=mapping().model_dump()["tables"][:1])
    types = endpoints.ask("looking", partial(check_mapping, mapping=how))
    feed = TableFeed(endpoints, how, how.tables[0], types["hourly"], 100)
    keys, position, drained = [], "", False
    while not drained:
        page = feed.next_page(position)
        keys += [r.as_record()["source_key"] for r in page.readings.records["temperature"]]
        position, drained = page.position, page.drained
    assert keys == [str(n) for n in range(1, 251)]


@pytest.mark.requirement("A1", "D4")
def test_a_query_that_no_driver_ends_is_left_behind_and_the_next_has_a_new_connection(
    endpoints: Endpoints,
) -> None:
    [(before,)] = run(endpoints, "SELECT pg_backend_pid()")
    with pytest.raises(Away, match="no answer for 3 s"):
        run(endpoints, "SELECT pg_sleep(8)")
    [(after,)] = eventually(lambda: _or_none(endpoints, "SELECT pg_backend_pid()"))
    assert after != before


@pytest.mark.requirement("A1")
@pytest.mark.backend("libsqliteodbc through unixODBC and pyodbc")
def test_a_driver_that_can_bound_its_queries_is_told_to(tmp_path: Path) -> None:
    pyodbc = import_module("pyodbc")
    if "SQLite3" not in pyodbc.drivers():
        pytest.skip("libsqliteodbc is not installed: apt-get install libsqliteodbc")
    settings = SourceSettings.model_validate({"url": "-", "mapping": "m.yaml", **SHORT})
    with closing(pyodbc.connect(f"DRIVER=SQLite3;Database={tmp_path / 'a.db'}")) as connection:
        _bounded_waits("sqlite", settings)(connection, None)
        assert connection.timeout == 1


@pytest.mark.requirement("D3")
def test_a_table_that_is_not_there_is_the_mappings_fault(endpoints: Endpoints) -> None:
    with pytest.raises(Configuration, match=r"source\.mapping.*nothing_such"):
        run(endpoints, "SELECT * FROM nothing_such")


@pytest.mark.requirement("D3")
def test_a_database_that_is_not_there_is_named(proxy: Proxy, postgres: str) -> None:
    lost = opened(proxy, postgres, database="nowhere")
    with pytest.raises(Configuration, match="nowhere") as caught:
        lost.settle(lambda: None)
    assert "s3cret" not in str(caught.value)
    lost.dispose()


@pytest.mark.requirement("A1", "A5", "D4")
def test_a_dead_socket_under_pyodbc_is_left_behind(endpoints: Endpoints, proxy: Proxy) -> None:
    proxy.fail()
    with pytest.raises(Away, match="not even a refusal"):
        run(endpoints, "SELECT 1")
    proxy.mend()


def _or_none(endpoints: Endpoints, statement: str) -> Any:
    """Ask while the breaker may still be open."""
    try:
        return run(endpoints, statement)
    except Away:
        return None
