"""On PostgreSQL the catalogue tells more: comments, schemas, checks, estimates, rights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
import pytest

from producers.connection.database import open_engine
from producers.inspect.run import Bounds, Inspection, inspect
from producers.inspect.table_draft import Hints
from producers.settings import SourceSettings
from tests.only_endpoint import endpoints_of
from tests.unit.inspect_databases import measures_of, nothing, table_of

pytestmark = pytest.mark.requirement("A2", "A3", "A4")

_SCHEMA = """
CREATE SCHEMA obs;
CREATE TABLE obs.site (
    site_id integer PRIMARY KEY, site_name text, latitude numeric(8, 5), longitude numeric(8, 5)
);
CREATE TABLE obs.minute_data (
    record_id bigserial PRIMARY KEY,
    site_id integer NOT NULL REFERENCES obs.site,
    observed timestamptz NOT NULL,
    p1 numeric(6, 1),
    p2 numeric(6, 1) CHECK (p2 >= 0),
    tags text[], extra jsonb, place point, forever timestamp DEFAULT 'infinity',
    last_update timestamptz NOT NULL DEFAULT now(),
    UNIQUE (site_id, observed)
);
CREATE INDEX changed ON obs.minute_data (last_update, record_id);
COMMENT ON COLUMN obs.minute_data.p1 IS 'Air temperature (°F)';
COMMENT ON COLUMN obs.minute_data.p2 IS 'Wind speed (km/h)';
CREATE TABLE obs.secret (id integer);
CREATE VIEW obs.hidden AS SELECT id FROM obs.secret;
CREATE ROLE reader LOGIN PASSWORD 'reader';
GRANT USAGE ON SCHEMA obs TO reader;
GRANT SELECT ON obs.site, obs.minute_data TO reader;
"""


def prepare(url: str) -> str:
    """Make the tables; give the address for a user with SELECT on some of them."""
    start = datetime(2024, 7, 1, tzinfo=UTC)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_SCHEMA)
        connection.execute("INSERT INTO obs.site VALUES (7, 'Harbour', 35.1, 129.0)")
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO obs.minute_data (site_id, observed, p1, p2) VALUES (7, %s, %s, %s)",
                [(start + timedelta(minutes=n), 70 + n % 9, n % 30) for n in range(300)],
            )
        connection.execute("ANALYZE obs.minute_data")
    at = urlsplit(url)
    return f"postgresql+psycopg://reader:reader@{at.hostname}:{at.port}{at.path}"


def look(url: str, tmp_path: object) -> Inspection:
    engine = open_engine(SourceSettings(url=url, mapping=str(tmp_path)))  # type: ignore[arg-type]
    try:
        return inspect(endpoints_of(engine), Bounds(), Hints(), nothing)
    finally:
        engine.dispose()


def test_comments_schemas_and_rights_are_told(postgres: str, tmp_path: object) -> None:
    try:
        found = look(prepare(postgres), tmp_path)
    finally:
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute("DROP OWNED BY reader; DROP ROLE reader")
    table = table_of(found, "minute_data")
    assert table["db_schema"] == "obs"
    assert measures_of(table) == {
        "temperature value": ("p1", "degF"),
        "wind speed": ("p2", "km/h"),
    }
    assert table["time"] == {"column": "observed", "zone": "UTC"}
    assert table["cursor"]["id"] == "record_id"
    assert found.proposal.problem == ""
    unseen = "\n".join(found.unseen)
    assert "obs.secret: its number of rows: permission denied" in unseen
    assert "the values of place: the type" in unseen
    described = found.catalogue.table("minute_data")
    assert described is not None
    assert described.count is not None
    assert described.count.rows == 300
    assert any("p2 >=" in check for check in described.checks)
    assert [fk.table for fk in described.foreign_keys] == ["site"]
