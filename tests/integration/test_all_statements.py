"""Whatever source, backfill and inspection send to a database stands in the document."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from sqlalchemy import make_url

from devstack.sample import MAPPING
from producers.backfill import job
from producers.backfill.options import Options
from producers.backfill.request import Request, spans_of
from producers.connection.endpoints import Endpoints
from producers.inspect.run import Bounds, inspect
from producers.inspect.table_draft import Hints
from producers.settings import SourceSettings
from tests.other_statements import backfill, inspection, metadata, start
from tests.source_runs import Deployment
from tests.source_tables import settings
from tests.sources import document
from tests.statement_senders import SENDERS, senders

pytestmark = pytest.mark.requirement("E8")
_SENSORS = """
CREATE TABLE sensor (no int PRIMARY KEY, station text, kind text);
INSERT INTO sensor VALUES (1, 'S1', 'T');
ALTER TABLE hourly ADD COLUMN sensor int;
UPDATE hourly SET sensor = 1;
"""
AT_SQL_SERVER_ONLY = {"backfill.connection._give_way", "connection.endpoint.Endpoint._work"}
BY_ODBC_ONLY = {"connection.database._bounded_waits"}


def all_of_it(deployment: Deployment, source: SourceSettings) -> set[str]:
    """Run source, backfill and inspection; give who sent statements."""
    with senders() as found:
        deployment.run_with(source)
        world = deployment.kafka, deployment.registry, deployment.topics
        request = Request(spans_of("2013-01-01", "2021-01-01", None))
        options = Options(request, workers=2, chunk_rows=50_000)
        assert job.run(source, *world, options, threading.Event()).finished
        database = Endpoints.open(source)
        inspect(database, Bounds(rows=1000), Hints(), lambda *_: None)
        database.dispose()
    return found


def mapping_with_everything(path: Path) -> Path:
    """Map the wide table by way of its sensors, with second looks and metadata."""
    wide, _ = document()["tables"]
    overlap = {"every_seconds": 0.01, "back_seconds": 604_800}
    wide["cursor"] |= {"overlap": overlap}
    wide |= {"station": "site", "flag": None}
    wide |= {"via": {"table": "sites", "on": "sensor", "key": "no", "columns": ["site"]}}
    told: dict[str, Any] = {
        "stations": {"table": "sensor", "station": "station"},
        "sensors": {
            "table": "sensor", "key": "no", "station": "station", "code": "kind",
            "codes": {"T": "temperature"},
        },
    }  # fmt: skip
    path.write_text(yaml.safe_dump(document(tables=[wide], metadata=told)), encoding="utf-8")
    return path


@pytest.fixture
def on_postgres(filled: str, tmp_path: Path) -> SourceSettings:
    view = "CREATE VIEW sites AS SELECT no, station AS site FROM sensor"
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute(_SENSORS.encode())
        connection.execute(view.encode())
    url = make_url(filled).set(drivername="postgresql+psycopg")
    mapping = mapping_with_everything(tmp_path / "mapping.yaml")
    return settings(url.render_as_string(hide_password=False), mapping=mapping)


def test_nobody_sends_a_statement_on_postgresql_who_is_not_in_the_document(
    deployment: Deployment, on_postgres: SourceSettings
) -> None:
    found = all_of_it(deployment, on_postgres)
    assert found - SENDERS.keys() == set()
    heard = {name for part in (start, metadata, backfill, inspection) for name, _ in part()}
    unseen = SENDERS.keys() - found - heard - BY_ODBC_ONLY
    assert unseen == set(), "these stand in the document, and nothing sends them"
    assert found >= SENDERS.keys() - AT_SQL_SERVER_ONLY - BY_ODBC_ONLY - {
        "backfill.moments._writer",  # of times that are text
        "connection.database.reading",  # before the first statement of all
        "inspect.database._schemas",
    }


def test_nobody_sends_a_statement_on_the_sample_who_is_not_in_the_document(
    deployment: Deployment, sample: Path
) -> None:
    source = SourceSettings(url=f"sqlite:///{sample}", mapping=MAPPING)
    found = all_of_it(deployment, source)
    assert found - SENDERS.keys() == set()
    assert "backfill.moments._writer" in found


def test_what_the_statements_for_sql_server_are_sent_by_is_in_the_document() -> None:
    heard = {name for part in (start, metadata, backfill, inspection) for name, _ in part()}
    assert heard - SENDERS.keys() == set()
    assert heard >= AT_SQL_SERVER_ONLY
