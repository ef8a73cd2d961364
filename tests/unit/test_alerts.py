"""Our own watch: what it finds in two looks, and who is told of it how often."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
import pytest

from operate.alerts.ledger import Ledger
from operate.alerts.receivers import Notice, Receivers
from operate.alerts.rules import Alert, evaluate
from operate.alerts.samples import Snapshot, parsed, places
from operate.alerts.settings import AlertSettings
from operate.alerts.watch import Watch
from operate.settings import Settings
from runtime.errors import Transient

pytestmark = pytest.mark.requirement("D6")
DOWN = Snapshot(0, {"sink": False})
UP = Snapshot(0, {"sink": True})
HTTP_ERROR = 503


def looks(*texts: str, **jobs: int) -> list[Snapshot]:
    """Look at a stage once a minute."""
    return [
        Snapshot(60.0 * minute, {"stage": True}, {"stage": parsed(text)}, jobs)
        for minute, text in enumerate(texts)
    ]


def found(*texts: str, **jobs: int) -> set[tuple[str, str]]:
    return {alert.key for alert in evaluate(looks(*texts, **jobs), AlertSettings())}


CIRCUIT = 'aos_source_database_circuit{endpoint="aos:1433"}'
DEAD = 'aos_stream_dead_letters_total{topic="raw"}'
LOADED = 'aos_sink_inserted_rows_total{topic="t"}'
SCORE = "aos_stream_score_ratio_%s{parameter='wind'}".replace("'", '"')


@pytest.mark.parametrize(
    ("before", "after", "alert"),
    [
        ("aos_sink_database_circuit 0", "aos_sink_database_circuit 2", ("DatabaseAway", "sink")),
        (f"{CIRCUIT} 0", f"{CIRCUIT} 2", ("DatabaseAway", "source aos:1433")),
        (f"{DEAD} 5", f"{DEAD} 9", ("DeadLetters", "raw")),
        (
            f"aos_sink_lag_records 0\n{LOADED} 0",
            f"aos_sink_lag_records 90000\n{LOADED} 600",
            ("SinkLagGrows", "sink"),
        ),
        (
            'aos_stream_silent_sensors{parameter="wind"} 0',
            'aos_stream_silent_sensors{parameter="wind"} 2',
            ("SensorsSilent", "wind"),
        ),
        (
            'aos_stream_watermark_age_seconds{parameter="wind"} 7100',
            'aos_stream_watermark_age_seconds{parameter="wind"} 7300',
            ("ReadingsLate", "wind"),
        ),
        (
            'aos_source_held_seconds{table="t"} 0',
            'aos_source_held_seconds{table="t"} 400',
            ("HangingTransaction", "t"),
        ),
        (
            f"{SCORE % 'sum'} 0\n{SCORE % 'count'} 0",
            f"{SCORE % 'sum'} 70\n{SCORE % 'count'} 100",
            ("QualityDrops", "wind"),
        ),
    ],
)
def test_a_rule_finds_what_has_begun_and_not_what_was_before(
    before: str, after: str, alert: tuple[str, str]
) -> None:
    assert found(before + "\n", after + "\n") == {alert}
    assert found(before + "\n", before + "\n") == set()


def test_a_lag_that_is_being_loaded_is_none() -> None:
    slow = f"aos_sink_lag_records 9000\n{LOADED} 0\n", f"aos_sink_lag_records 9000\n{LOADED} 6000\n"
    assert found(*slow) == set()
    done = f"aos_sink_lag_records 9000\n{LOADED} 0\n", f"aos_sink_lag_records 8000\n{LOADED} 0\n"
    assert found(*done) == set()


def test_a_counter_that_begins_anew_counts_from_nought() -> None:
    assert found(f"{DEAD} 9000\n", f"{DEAD} 1\n", f"{DEAD} 2\n") == set()
    assert found(f"{DEAD} 9000\n", f"{DEAD} 100\n") == {("DeadLetters", "raw")}


def test_a_job_that_failed_is_told_of() -> None:
    assert found("", "", reconcile=1, daily_import=0) == {("JobFailed", "reconcile")}


def test_the_stages_are_found_by_their_ports() -> None:
    settings = Settings.model_validate(
        {
            "sink": {"metrics_port": 9403},
            "stream": {"metrics_port": 0},
            "alerts": {"stages": {"second sink": "http://127.0.0.1:9404/metrics"}},
        }
    )
    assert places(settings) == {
        "sink": "http://127.0.0.1:9403/metrics",
        "second sink": "http://127.0.0.1:9404/metrics",
    }


class Away(Ledger):
    """A ledger whose database is away."""

    def __init__(self) -> None:
        pass

    def hold(self, alerts: Sequence[Alert], tell: Any, seen: Any = ()) -> None:
        problem = "away"
        raise Transient(problem)

    def failed_jobs(self) -> dict[str, int]:
        problem = "away"
        raise Transient(problem)


class Told(Receivers):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notices: list[tuple[str, str]] = []

    def tell(self, notice: Notice) -> None:
        self.notices.append((notice.name, notice.state))

    def remind(self, notices: Sequence[Notice]) -> None:
        pass


def test_without_its_ledger_the_watch_tells_by_what_it_remembers() -> None:
    told, clock, now = Told(), [0.0], [UP]
    settings = AlertSettings(patience_seconds=60)
    watch = Watch(settings, lambda _at, _jobs: now[0], Away(), told, lambda: clock[0])
    for snapshot, times in ((UP, 2), (DOWN, 2), (UP, 1), (DOWN, 5), (UP, 3)):
        for _ in range(times):
            now[0] = snapshot
            watch.look()
            clock[0] += 30
    assert told.notices == [("StageDown", "firing"), ("StageDown", "resolved")]


class Mailbox(socketserver.StreamRequestHandler):
    """Takes a letter as an SMTP server does."""

    letters: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        for line in iter(self.rfile.readline, b""):
            if line.upper().startswith(b"DATA"):
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.letters.append(b"".join(lines).decode())
            self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")
            if line.upper().startswith(b"QUIT"):
                return


@contextmanager
def mailbox() -> Iterator[int]:
    Mailbox.letters.clear()
    with socketserver.TCPServer(("127.0.0.1", 0), Mailbox) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def notice() -> Notice:
    at = datetime(2013, 11, 3, tzinfo=UTC)
    return Notice("StageDown", "sink", "critical", "it is down", "docs/runbooks/x.md", at)


def test_everybody_who_is_named_is_told() -> None:
    asked: list[tuple[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((str(request.url), json.loads(request.content)))
        return httpx.Response(200)

    with mailbox() as port, httpx.Client(transport=httpx.MockTransport(answer)) as client:
        settings = AlertSettings.model_validate(
            {
                "alertmanager_url": "http://manager:9093/",
                "webhook_url": "http://hook/s3cret",
                "mail_to": ["duty@example.org"],
                "smtp_port": port,
            }
        )
        Receivers(settings, client).tell(notice())
    (manager, alerts), (hook, document) = asked
    assert manager == "http://manager:9093/api/v2/alerts"
    assert alerts[0]["labels"] == {
        "alertname": "StageDown", "about": "sink", "severity": "critical", "job": "aos",
    }  # fmt: skip
    assert alerts[0]["endsAt"] > alerts[0]["startsAt"]
    assert (hook, document["status"]) == ("http://hook/s3cret", "firing")
    assert "Subject: aos-stream: [firing] StageDown sink: it is down" in Mailbox.letters[0]


def test_who_cannot_be_told_is_told_later_and_no_secret_is_named() -> None:
    refuse = httpx.MockTransport(lambda _request: httpx.Response(HTTP_ERROR))
    settings = AlertSettings.model_validate({"webhook_url": "http://hook/s3cret"})
    with httpx.Client(transport=refuse) as client, pytest.raises(Transient) as caught:
        Receivers(settings, client).tell(notice())
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
