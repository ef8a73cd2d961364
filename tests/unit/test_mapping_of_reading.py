"""A reading is read by the mapping it names: of its source, its version, and its table alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from runtime.errors import Configuration, DataQuality
from schemas.mapping import Mapping, published_mapping, read_mapping
from stream_app.judging.table import table_of
from tests.sources import document, mapping, write_mapping

pytestmark = pytest.mark.requirement("A5", "B1")


def with_sentinel(sentinel: float, interval: int, **changes: Any) -> Mapping:
    """Map the same tables in another way."""
    told = document(**changes)
    reading = told["tables"][0]["readings"][0]
    reading["interval_seconds"] = interval
    reading["measures"]["value"]["sentinels"] = [sentinel]
    return Mapping.model_validate(told)


def record(source: str, version: int, table: str = "hourly") -> dict[str, Any]:
    return {
        "source": source, "mapping_version": version, "source_table": table, "zone": "UTC",
        "unit": "degC",
    }  # fmt: skip


MAPPINGS = {
    (m.source, m.version): m
    for m in (
        with_sentinel(-99.0, 60, source="best", rank=2, version=1),
        with_sentinel(-77.0, 600, source="best", rank=2, version=2),
        with_sentinel(999.0, 3600, source="older", rank=1, version=1),
    )
}


@pytest.mark.parametrize(
    ("source", "version", "sentinel", "seconds"),
    [("best", 1, -99.0, 60), ("best", 2, -77.0, 600), ("older", 1, 999.0, 3600)],
)
def test_ranked_sources_with_tables_of_one_name_are_each_read_by_their_own_mapping(
    source: str, version: int, sentinel: float, seconds: int
) -> None:
    found = table_of("temperature", record(source, version), MAPPINGS)
    assert found.sentinels["value"] == (sentinel,)
    assert found.interval_micros == seconds * 1_000_000


def test_two_tables_of_one_mapping_are_each_read_in_their_own_way() -> None:
    wide = table_of("temperature", record("older", 1), MAPPINGS)
    long = table_of("temperature", record("older", 1, "minutely"), MAPPINGS)
    assert wide.sentinels["value"] == (999.0,)
    assert long.sentinels["value"] == ()


@pytest.mark.parametrize("unknown", [("older", 2, "hourly"), ("best", 1, "daily")])
def test_a_mapping_that_says_nothing_of_a_reading_is_not_replaced_by_another(
    unknown: tuple[str, int, str],
) -> None:
    with pytest.raises(DataQuality, match="says nothing of temperature"):
        table_of("temperature", record(*unknown), MAPPINGS)


@pytest.mark.parametrize("schema", [None, "archive"])
def test_a_table_that_is_mapped_twice_is_refused_before_any_database_is_asked(
    tmp_path: Path, schema: str | None
) -> None:
    wide, long = document()["tables"]
    tables = [wide, long, {**wide, "db_schema": schema}]
    path = write_mapping(tmp_path / "mapping.yaml", tables=tables)
    with pytest.raises(Configuration, match="hourly is mapped twice: give all") as caught:
        read_mapping(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValidationError):
        mapping(tables=tables)


def test_a_mapping_means_the_same_once_it_is_published() -> None:
    for each in MAPPINGS.values():
        assert published_mapping(each.as_json()) == each
