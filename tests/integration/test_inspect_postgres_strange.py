"""Layouts that only a server has: partitions, enums, quoted names, times as keys."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from producers.connection.endpoints import Endpoints
from producers.inspect.run import Bounds, inspect
from producers.inspect.table_draft import Hints
from producers.reading.cursor_checks import check_cursors
from producers.reading.feed import feeds_of
from producers.reading.tables import check_mapping
from producers.settings import SourceSettings
from schemas.mapping import Mapping
from tests.unit.inspect_databases import hours, measures_of, nothing, table_of, told

pytestmark = pytest.mark.requirement("A2", "A3", "A4")

_SCHEMA = """
CREATE SCHEMA "Kma Data";
CREATE TYPE "Kma Data".element AS ENUM ('TA', 'HM');
CREATE TABLE "Kma Data"."AWS Hour" (
    "TM" timestamp NOT NULL, "STN" char(5) NOT NULL, "TA" numeric(5, 1), "HM" double precision,
    "Prs.Stn" real, PRIMARY KEY ("TM", "STN")
);
CREATE TABLE "Kma Data".long_data (
    no bigint GENERATED ALWAYS AS IDENTITY, stn text NOT NULL, at timestamptz NOT NULL,
    element "Kma Data".element NOT NULL, val numeric, PRIMARY KEY (no, at)
) PARTITION BY RANGE (at);
CREATE TABLE "Kma Data".long_data_2024 PARTITION OF "Kma Data".long_data
    FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Kma Data".changing (
    seq integer PRIMARY KEY, stn text, tm timestamp NOT NULL, ta real, upd_dt timestamp
);
CREATE VIEW "Kma Data".v_aws AS SELECT "TM", "STN", "TA" FROM "Kma Data"."AWS Hour";
"""


@pytest.fixture
def database(postgres: str, tmp_path: Path) -> Iterator[Endpoints]:
    """Fill a database, and open it."""
    with psycopg.connect(postgres, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(_SCHEMA)
        cursor.executemany(
            'INSERT INTO "Kma Data"."AWS Hour" VALUES (%s, %s, %s, %s, %s)',
            [
                (at, "108", w["ta"], float("nan") if n == 5 else w["hm"], w["pa"])
                for n, (at, w) in enumerate(hours(200))
            ],
        )
        cursor.executemany(
            'INSERT INTO "Kma Data".long_data (stn, at, element, val) VALUES (%s, %s, %s, %s)',
            [
                ("108", f"{at}+09", code, w[key])
                for at, w in hours(100)
                for code, key in (("TA", "ta"), ("HM", "hm"))
            ],
        )
        cursor.executemany(
            'INSERT INTO "Kma Data".changing VALUES (%s, %s, %s, %s, %s)',
            [
                (n, "119", at, w["ta"], None if n % 9 == 0 else at)
                for n, (at, w) in enumerate(hours(90))
            ],
        )
    url = urlsplit(postgres)._replace(scheme="postgresql+psycopg").geturl()
    opened = Endpoints.open(SourceSettings(url=url, mapping=tmp_path))
    yield opened
    opened.dispose()


def test_what_is_proposed_runs_as_it_stands(database: Endpoints) -> None:
    found = inspect(database, Bounds(), Hints(zone="+09:00"), nothing)
    assert found.proposal.problem == ""
    named = {table["table"] for table in found.proposal.document["tables"]}
    assert named == {"AWS Hour", "long_data", "changing"}
    assert "long_data_2024 is not mapped: its rows stand in Kma Data.long_data" in told(found)
    wide, long = table_of(found, "AWS Hour"), table_of(found, "long_data")
    assert measures_of(wide) == {
        "temperature value": ("TA", "degC"), "humidity value": ("HM", "%"),
        "pressure value": ("Prs.Stn", "hPa"),
    }  # fmt: skip
    assert (wide["cursor"]["mode"], wide["cursor"]["column"]) == ("timestamp", "TM")
    assert (long["code"], long["time"]) == ("element", {"column": "at", "zone": "UTC"})
    assert table_of(found, "changing")["cursor"]["null_rows"] == "by_id"
    counted = {"AWS Hour": 600, "long_data": 200, "changing": 80, "changing#nulls": 10}
    document = found.proposal.document
    for section in document["tables"]:
        section["cursor"]["lag_seconds"] = 0
    assert read_by(database, Mapping.model_validate(document)) == counted


def read_by(database: Endpoints, mapping: Mapping) -> dict[str, int]:
    """Check a mapping as the source does, and count the readings of each feed's first page."""
    types = database.ask("looking", partial(check_mapping, mapping=mapping))
    database.ask("looking", partial(check_cursors, mapping=mapping))
    return {
        feed.table: sum(map(len, feed.next_page("").readings.records.values()))
        for table in mapping.tables
        for feed in feeds_of(database, mapping, table, types[table.table], 5_000)
    }
