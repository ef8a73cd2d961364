"""OpenLineage events: what is told of runs, to a file and over HTTP, and never in the way."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from devstack.sample import MAPPING
from operate.lineage.datasets import Dataset, Flow, flow_of, tables, topics
from operate.lineage.telling import lineage_of
from operate.settings import Settings
from runtime.errors import System
from tests.waiting import eventually


def settings(**lineage: Any) -> Settings:
    source = {"url": "mssql+pyodbc://reader@aos-db/AOS", "mapping": MAPPING}
    sink = {"database_url": "postgresql://aos@db:5433/weather"}
    return Settings(topics={"namespace": "lab"}, source=source, sink=sink, lineage=lineage)


def events(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


@pytest.mark.requirement("D9")
def test_a_stage_begins_goes_on_and_is_done_with_its_topics_and_tables(tmp_path: Path) -> None:
    file = tmp_path / "events"
    given = settings(transport="file", file=str(file), heartbeat_seconds=0.05)
    with lineage_of(given, "sink", beats=True):
        eventually(lambda: len(events(file)) >= 3 if file.exists() else False, every=0.02)
    told = events(file)
    assert [told[0]["eventType"], told[1]["eventType"], told[-1]["eventType"]] == [
        "START", "RUNNING", "COMPLETE",
    ]  # fmt: skip
    assert len({one["run"]["runId"] for one in told}) == 1
    assert told[0]["job"] | {"facets": None} == {
        "namespace": "aos", "name": "lab.sink", "facets": None,
    }  # fmt: skip
    assert told[0]["inputs"][3]["name"] == "lab.weather.clean.wind.v1"
    assert told[0]["inputs"][3]["namespace"] == "kafka://127.0.0.1:9092"
    assert told[0]["outputs"][1]["name"] == "weather.weather.temperature"
    assert told[0]["outputs"][1]["namespace"] == "postgres://db:5433"


def test_what_fails_says_why_and_fails_as_before(tmp_path: Path) -> None:
    file, problem = tmp_path / "events", "the disk is full"
    given = settings(transport="file", file=str(file))
    with pytest.raises(System, match=problem), lineage_of(given, "job.tidy"):
        raise System(problem, mend="make room")
    begun, failed = events(file)
    assert (begun["eventType"], failed["eventType"]) == ("START", "FAIL")
    assert failed["run"]["facets"]["errorMessage"]["message"] == f"{problem}. Mend: make room"
    assert failed["inputs"] == failed["outputs"] == []


def test_where_it_is_off_nothing_is_asked_or_written(tmp_path: Path) -> None:
    def asked(_settings: Settings) -> Flow:
        raise AssertionError

    with lineage_of(settings(file=str(tmp_path / "events")), "replay", asked):
        pass
    assert not [*tmp_path.iterdir()]


@pytest.fixture
def server() -> Iterator[tuple[HTTPServer, list[tuple[str, str | None, dict[str, Any]]]]]:
    heard: list[tuple[str, str | None, dict[str, Any]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, self.headers["Authorization"], json.loads(body)))
            self.send_response(201)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made, heard
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_server_of_lineage_hears_it_and_is_not_missed(
    server: tuple[HTTPServer, list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    made, heard = server
    url = f"http://127.0.0.1:{made.server_port}"
    with lineage_of(settings(transport="http", url=url, token="s3cret"), "backfill"):
        pass
    assert [(path, key) for path, key, _ in heard] == [("/api/v1/lineage", "Bearer s3cret")] * 2
    assert heard[0][2]["inputs"][0] | {"facets": None, "inputFacets": None} == {
        "namespace": "sqlserver://aos-db:1433", "name": "AOS.weather_hourly",
        "facets": None, "inputFacets": None,
    }  # fmt: skip
    done = []
    nobody = settings(transport="http", url="http://127.0.0.1:9")
    with caplog.at_level(logging.WARNING, "aos.lineage"), lineage_of(nobody, "job.tidy"):
        done.append("tidied")
    assert done == ["tidied"]
    assert caplog.text.count("lineage was not told of lab.job.tidy") == 2
    assert "s3cret" not in caplog.text


def test_names_are_those_of_the_naming_conventions() -> None:
    given = settings()
    assert topics(given, ["t"]) == [Dataset("kafka://127.0.0.1:9092", "t")]
    shadow = tables(given, "weather_shadow", "july_")[3]
    assert shadow == Dataset("postgres://db:5433", "weather.weather_shadow.july_wind")
    assert flow_of("replay", given) == Flow()
    assert len(flow_of("stream", given).outputs) == 5
