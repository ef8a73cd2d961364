"""Alerts end to end: the sink is killed, somebody is told once; it comes back, and once more."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from devstack.state import free_port
from operate.alerts.ledger import Ledger
from operate.alerts.receivers import Notice
from operate.alerts.rules import Alert
from operate.alerts.running import watch
from operate.settings import Settings
from runtime.errors import Transient
from sink import migrate
from sink.database import Database
from tests.sinks import Rig
from tests.stage_process import StageProcess
from tests.waiting import eventually

pytestmark = [pytest.mark.requirement("D6", "E5"), pytest.mark.slow]


class Hook(BaseHTTPRequestHandler):
    """Takes alerts as whoever is on duty would."""

    told: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.told.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def hook() -> Iterator[str]:
    Hook.told.clear()
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_sink_that_is_killed_is_told_of_once_by_two_watches_and_cleared_once(
    rig: Rig, tmp_path: Path
) -> None:
    port = free_port()
    sink = {"database_url": rig.database_url, "metrics_port": port}
    process = StageProcess("sink", sink, rig.kafka, rig.registry, rig.topics, tmp_path / "log")
    with closing(Database(rig.settings())) as database:
        migrate.migrate(database)
    with ExitStack() as stack:
        told = {"webhook_url": stack.enter_context(hook()), "patience_seconds": 0.1}
        settings = Settings.model_validate({"sink": sink, "alerts": told})
        stack.enter_context(process)
        watches = [stack.enter_context(watch(settings)) for _ in range(2)]

        def look() -> list[str]:
            for watching in watches:
                watching.look()
            return [f"{one['alert']} {one['about']} {one['status']}" for one in Hook.told]

        def is_up() -> bool:
            look()
            return all(not watching.look() for watching in watches)

        eventually(is_up)
        Hook.told.clear()
        process.kill()
        eventually(look)
        for _ in range(3):
            assert look() == ["StageDown sink firing"]
        process.start()
        eventually(lambda: len(look()) > 1)
        for _ in range(3):
            assert look() == ["StageDown sink firing", "StageDown sink resolved"]
        assert Hook.told[0]["runbook"] == "docs/runbooks/stage-down.md"


@pytest.fixture
def ledger(postgres: str) -> Iterator[Ledger]:
    settings = Settings.model_validate({"sink": {"database_url": postgres}})
    with closing(Database(settings.sink)) as database:
        migrate.migrate(database)
        yield Ledger(database)


def test_an_alert_that_cannot_be_told_is_told_at_the_next_look(ledger: Ledger) -> None:
    alert = Alert("StageDown", "sink", "critical", "it is down", "x.md")
    told: list[str] = []

    def refuse(_notice: Notice) -> None:
        problem = "nobody listens"
        raise Transient(problem)

    ledger.hold([alert], refuse)
    ledger.hold([alert], lambda notice: told.append(notice.state))
    ledger.hold([alert], lambda notice: told.append(notice.state))
    assert [notice.about for notice in ledger.standing()] == ["sink"]
    ledger.hold([], refuse)
    ledger.hold([alert], lambda notice: told.append(notice.state))
    assert told == ["firing", "resolved", "firing"]
    assert len(ledger.newest()) == 2


def test_what_another_watch_has_seen_for_too_short_a_time_is_not_cleared(ledger: Ledger) -> None:
    alert = Alert("StageDown", "sink", "critical", "it is down", "x.md")
    told: list[str] = []
    ledger.hold([alert], lambda notice: told.append(notice.state))
    ledger.hold([], lambda notice: told.append(notice.state), {alert.key})
    assert told == ["firing"]
    ledger.hold([], lambda notice: told.append(notice.state))
    assert told == ["firing", "resolved"]
