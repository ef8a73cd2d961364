"""Several sources of one network: apart in what befalls them, ordered in what is believed."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from sqlalchemy import make_url

from producers import several
from producers.progress import Summary
from producers.settings import SourceSettings
from runtime import logs
from runtime.errors import AosError, Configuration
from schemas.codec import Record
from stream_app.judging.versions import version_of
from tests.source_runs import Deployment
from tests.sources import create, document, hourly, insert, minutely, write_mapping
from tests.tcp_proxy import Proxy
from tests.waiting import eventually

pytestmark = pytest.mark.requirement("A5", "A8")
_TABLE = """
CREATE TABLE hourly (id int PRIMARY KEY, station text, at timestamp, ta float8, ws float8,
                     wd float8, flag text, changed timestamp(6) NOT NULL);
"""
_ROWS = """
INSERT INTO hourly SELECT n, 'A', timestamp '2020-01-01' + n * interval '1 hour', 20, 2, 90, NULL,
    timestamp '2020-01-01' + n * interval '1 hour' FROM generate_series({0}, {1}) AS n
"""


def settings(url: str, mapping: Path) -> SourceSettings:
    short = {"query_timeout_seconds": 1, "grace_seconds": 0.5, "login_timeout_seconds": 1}
    given = {"url": url, "mapping": mapping, "poll_seconds": 0.05, **short}
    return SourceSettings.model_validate(given)


def run(deployment: Deployment, *sources: SourceSettings, stop: Any = None) -> dict[str, Summary]:
    world = (deployment.kafka, deployment.registry, deployment.topics)
    return several.run(sources, *world, stop or threading.Event(), once=stop is None)


def of_hourly(path: Path, **changes: Any) -> Path:
    """Write a mapping of the wide table alone."""
    [wide, _] = document()["tables"]
    table = {**wide, "time": {"column": "at", "zone": "UTC"}, **changes.pop("table", {})}
    path.write_text(yaml.safe_dump(document(tables=[table], **changes)), encoding="utf-8")
    return path


def archive(tmp_path: Path, rows: int) -> SourceSettings:
    """Write an archive whose temperatures are all 10 degrees."""
    folder = tmp_path / "archive"
    folder.mkdir()
    lines = [f"A,2020-01-{1 + n // 24:02d} {n % 24:02d}:00,10,2,90," for n in range(1, rows + 1)]
    (folder / "hourly.csv").write_text("\n".join(["station,at,ta,ws,wd,flag", *lines]))
    cursor = {"column": "aos_changed", "id": "aos_row", "lag_seconds": 0}
    table = {"key": ["aos_row"], "cursor": cursor}
    how = of_hourly(tmp_path / "archive.yaml", source="archive", rank=0, table=table)
    return settings(f"csv:///{folder}", how)


def believed(records: list[Record]) -> dict[int, Record]:
    """Choose as everything downstream does: of each time, the reading of the highest version."""
    best: dict[int, Record] = {}
    for record in sorted(records, key=version_of):
        best[record["observed_local"]] = record
    return best


def test_a_source_that_cannot_be_read_stops_no_other(
    deployment: Deployment, tmp_path: Path
) -> None:
    good = create(tmp_path / "good.db")
    insert(good, "hourly", [hourly(1), hourly(2)])
    sources = [
        settings(f"sqlite:///{tmp_path / 'none.db'}", write_mapping(tmp_path / "a", source="gone")),
        settings(f"sqlite:///{good}", write_mapping(tmp_path / "b", source="here", rank=0)),
    ]
    with pytest.raises(Configuration, match="no such database"):
        run(deployment, *sources)
    assert [r["source"] for r in deployment.raw("wind")] == ["here", "here"]


@pytest.mark.requirement("D5")
def test_each_line_of_the_log_names_its_source_whichever_thread_wrote_it(
    deployment: Deployment, tmp_path: Path
) -> None:
    sources = []
    for name, rank in (("best", 1), ("older", 0)):
        insert(path := create(tmp_path / f"{name}.db"), "minutely", [minutely(1, code="SNOW")])
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE minutely SET changed = '2999-01-01 00:00:00'")
            database.execute(
                "INSERT INTO minutely (id, station, code, at, v, changed) SELECT "
                "2, station, code, at, v, '2020-01-01 00:00:00' FROM minutely"
            )
        how = write_mapping(tmp_path / f"{name}.yaml", source=name, rank=rank)
        sources.append(settings(f"sqlite:///{path}", how))
    before = logging.getLogger().handlers[:]
    logs.configure(stream=(out := StringIO()), stage="source")
    try:
        run(deployment, *sources)
    finally:
        logging.getLogger().handlers[:] = before
        logging.captureWarnings(capture=False)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    for words in ("in the future", "has code"):  # of a watched thread; of the source's own
        told = [line.get("source") for line in lines if words in line["message"]]
        assert sorted(told) == ["best", "older"], words
    assert {line.get("source") for line in lines if "table" in line} == {"best", "older"}


def test_a_lower_rank_fills_in_and_the_primary_outranks_it_once_it_is_back(
    deployment: Deployment, postgres: str, tmp_path: Path
) -> None:
    how = of_hourly(tmp_path / "aos.yaml", source="aos", rank=1)
    with psycopg.connect(postgres, autocommit=True) as database, cut_before(postgres) as proxy:
        database.execute(_TABLE.encode())
        database.execute(_ROWS.format(1, 10).encode())
        url = make_url(postgres).set(drivername="postgresql+psycopg", port=proxy.port)
        primary = settings(url.render_as_string(hide_password=False), how)
        stop, ends = threading.Event(), list[Any]()

        def work() -> None:
            try:
                ends.append(run(deployment, primary, archive(tmp_path, 30), stop=stop))
            except AosError as error:
                ends.append(error)

        thread = threading.Thread(target=work)
        proxy.fail()
        thread.start()
        eventually(lambda: deployment.rows("archive") == 30)
        proxy.mend()
        eventually(lambda: deployment.rows("aos") == 10)
        proxy.fail()
        database.execute(_ROWS.format(11, 20).encode())
        proxy.mend()
        eventually(lambda: deployment.rows("aos") == 20)
        stop.set()
        thread.join(60)
    assert [*ends[0]] == ["aos", "archive"]
    records = deployment.raw("temperature")
    of_primary = [r["source_key"] for r in records if r["source"] == "aos"]
    assert sorted(map(int, of_primary)) == [*range(1, 21)]
    chosen = [believed(records)[at]["source"] for at in sorted(believed(records))]
    assert chosen == ["aos"] * 20 + ["archive"] * 10
    assert max(r["source_version"] for r in records if r["source"] == "archive") > max(
        r["source_version"] for r in records if r["source"] == "aos"
    )


def cut_before(address: str) -> Proxy:
    return Proxy(int(make_url(address).port or 0), "cut")
