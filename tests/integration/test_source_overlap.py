"""A second look at what was read, against a real broker: only what is new is published."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.source_runs import Deployment
from tests.sources import create, document, hourly, insert, write_mapping


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return create(tmp_path / "little.db")


def looking_back(path: Path, **cursor: Any) -> Path:
    wide, long = document()["tables"]
    wide["cursor"] |= {"overlap": {"every_seconds": 0.01, "back_seconds": 3600}, **cursor}
    return write_mapping(path, tables=[wide, long])


def ago(seconds: float) -> str:
    return f"{datetime.now(UTC) - timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S.%f}"


def published(deployment: Deployment) -> Counter[str]:
    return Counter(reading["source_key"] for reading in deployment.raw("wind"))


@pytest.mark.requirement("A6")
def test_a_row_that_comes_late_is_published_and_no_other_comes_twice(
    deployment: Deployment, database: Path, tmp_path: Path
) -> None:
    mapping = looking_back(tmp_path / "mapping.yaml")
    insert(database, "hourly", [hourly(n, changed=ago(100 - n)) for n in range(1, 8)])
    deployment.run(database, mapping, page_rows=3)
    insert(database, "hourly", [hourly(8, changed=ago(1800)), hourly(9, changed=ago(1))])
    for _ in range(3):
        deployment.run(database, mapping, page_rows=3)
    assert published(deployment) == Counter(str(n) for n in range(1, 10))
    assert deployment.cursor("little", "hourly")["position"].endswith("|9")
    assert deployment.cursor("little", "hourly")["rows"] == 9


@pytest.mark.requirement("A6")
def test_a_row_that_changed_comes_again_once(
    deployment: Deployment, database: Path, tmp_path: Path
) -> None:
    mapping = looking_back(tmp_path / "mapping.yaml")
    insert(database, "hourly", [hourly(n, changed=ago(100 - n)) for n in range(1, 4)])
    deployment.run(database, mapping)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE hourly SET ta = 9, changed = ? WHERE id = 2", (ago(1),))
    for _ in range(2):
        deployment.run(database, mapping)
    assert published(deployment) == Counter({"1": 1, "2": 2, "3": 1})
    first, second = [
        reading for reading in deployment.raw("temperature") if reading["source_key"] == "2"
    ]
    assert second["source_version"] > first["source_version"]


@pytest.mark.requirement("A6")
def test_a_second_look_that_is_switched_on_later_publishes_nothing_again(
    deployment: Deployment, database: Path, tmp_path: Path
) -> None:
    plain = write_mapping(tmp_path / "plain.yaml")
    insert(database, "hourly", [hourly(n, changed=ago(100 - n)) for n in range(1, 4)])
    deployment.run(database, plain)
    wide, long = document()["tables"]
    wide["cursor"] |= {"overlap": {"every_seconds": 0.01, "back_seconds": 3600}}
    later = write_mapping(tmp_path / "later.yaml", tables=[wide, long], version=4)
    insert(database, "hourly", [hourly(4, changed=ago(1))])
    for _ in range(2):
        deployment.run(database, later)
    assert published(deployment) == Counter(["1", "2", "3", "4"])


@pytest.mark.requirement("A6")
def test_what_is_remembered_is_dropped_from_the_topic_of_cursors_when_it_is_old(
    deployment: Deployment, database: Path, tmp_path: Path
) -> None:
    overlap = {"every_seconds": 0.01, "back_seconds": 0.001}
    mapping = looking_back(tmp_path / "mapping.yaml", overlap=overlap)
    for number in range(1, 6):
        insert(database, "hourly", [hourly(number, changed=ago(0.0))])
        deployment.run(database, mapping)
    kept = [table for table in deployment.tables("little") if table.startswith("hourly#")]
    assert len(kept) <= 1
