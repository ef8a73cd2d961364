"""CSV files read like a database: every row, with a place of its own, the same at each import."""

from __future__ import annotations

import gzip
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from producers.connection.endpoints import Endpoints
from producers.reading.feed import TableFeed
from producers.reading.tables import check_mapping
from producers.settings import SourceSettings
from runtime.errors import Configuration
from schemas.mapping import Mapping

pytestmark = pytest.mark.requirement("A5")
OLD, NEW = 1_577_840_460, 1_577_926_860


def write(file: Path, lines: str, changed: int = OLD) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".gz":
        file.write_bytes(gzip.compress(lines.encode()))
    else:
        file.write_text(lines, encoding="utf-8")
    os.utime(file, (changed, changed))
    return file


def how() -> Mapping:
    measure = {"value": {"column": "ta", "unit": "degC"}}
    table = {
        "shape": "wide", "table": "hourly", "key": ["aos_row"], "station": "stn",
        "cursor": {"column": "aos_changed", "id": "aos_row", "lag_seconds": 0},
        "time": {"column": "at", "zone": "UTC"},
        "readings": [{"parameter": "temperature", "measures": measure}],
    }  # fmt: skip
    return Mapping.model_validate(
        {"source": "archive", "version": 1, "rank": -1, "tables": [table]}
    )


def opened(folder: Path) -> Endpoints:
    given = {"url": f"csv:///{folder}", "mapping": "m.yaml"}
    return Endpoints.open(SourceSettings.model_validate(given))


def read(folder: Path, position: str = "") -> tuple[list[Any], str]:
    database, mapping = opened(folder), how()
    types = database.ask("looking", partial(check_mapping, mapping=mapping))
    feed = TableFeed(database, mapping, mapping.tables[0], types["hourly"], 2)
    told, drained = [], False
    while not drained:
        page = feed.next_page(position)
        for raw in page.readings.records["temperature"]:
            record = raw.as_record()
            told.append((record["station_id"], record["value_text"], record["source_key"]))
        position, drained = page.position, page.drained
    database.dispose()
    return told, position


@pytest.mark.requirement("A6")
def test_every_row_is_read_once_and_a_file_that_comes_later_is_an_increment(
    tmp_path: Path,
) -> None:
    write(tmp_path / "hourly" / "2012.csv", "stn,at,ta\nA,2012-01-01 00:00,1.5\nB,x,\n\nC,y,M\n")
    write(tmp_path / "hourly" / "2013.csv.gz", "at,stn,ta,note\n2013-01-01 00:00,A,2,ok\n")
    told, position = read(tmp_path)
    assert told == [
        ("A", "1.5", "hourly/2012.csv:000000002"),
        ("B", None, "hourly/2012.csv:000000003"),
        ("C", "M", "hourly/2012.csv:000000005"),
        ("A", "2", "hourly/2013.csv.gz:000000002"),
    ]
    assert read(tmp_path, position) == ([], position)
    write(tmp_path / "hourly" / "2011.csv", "stn,at,ta\nD,2011-01-01 00:00,3\n", NEW)
    assert read(tmp_path, position)[0] == [("D", "3", "hourly/2011.csv:000000002")]


def test_a_file_is_a_table_by_its_own_name_or_by_its_folders(tmp_path: Path) -> None:
    write(tmp_path / "one.csv", "a\n1\n")
    write(tmp_path / "two" / "x" / "y.csv", "b\n2\n")

    def tables(connection: Connection) -> list[str]:
        names = text("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return list(connection.execute(names).scalars())

    assert opened(tmp_path).ask("looking", tables) == ["one", "two"]


def test_a_short_row_ends_in_null_and_what_is_too_much_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "hourly.csv", "stn,at,ta\nA\nB,2012-01-01 00:00,1,9,9\n")
    told, _ = read(tmp_path)
    assert [(station, value) for station, value, _ in told] == [("A", None), ("B", "1")]
    assert "1 rows of hourly.csv have more fields" in caplog.text


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("lines", "says"),
    [(None, "no CSV file"), ("", "first line"), ("a,a\n", "each once"), ("a,,b\n", "each column")],
)
def test_an_archive_that_cannot_be_read_is_one_line_with_its_mend(
    tmp_path: Path, lines: str | None, says: str
) -> None:
    if lines is not None:
        write(tmp_path / "hourly.csv", lines)
    with pytest.raises(Configuration, match=says) as caught:
        opened(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_identity_of_an_archive_is_its_folder_not_its_import(tmp_path: Path) -> None:
    write(tmp_path / "hourly.csv", "stn,at,ta\n")
    one, other = opened(tmp_path), opened(tmp_path)
    assert one.settle(lambda: None) == other.settle(lambda: None) == f"csv:{tmp_path}"
