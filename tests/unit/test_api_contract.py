"""Our answers have the shape of those that a worker of Kafka Connect gave, and its status codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from operate.api.context import Context
from runtime.control.orders import State
from tests.api_fakes import Api, status

pytestmark = pytest.mark.requirement("D5", "F3")
FILE = Path(__file__).parents[1] / "data" / "connect_answers.json"
RECORDED = json.loads(FILE.read_text(encoding="utf-8"))
NUMBER = (int, float)


class Cluster:
    """Brokers that have one topic of the sink."""

    def list_topics(self, timeout: float = 0.0) -> Any:
        topic = SimpleNamespace(partitions={0: None})
        return SimpleNamespace(cluster_id="xyz", topics={"weather.clean.wind.v1": topic})


@pytest.fixture(scope="module")
def built() -> tuple[Api, TestClient]:
    made = Api()
    return made, made.client()


@pytest.fixture(autouse=True)
def _brokers(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def admin(_self: Context) -> Iterator[Any]:
        yield Cluster()

    monkeypatch.setattr(Context, "admin", admin)


def misfits(given: Any, wanted: Any, where: str = "") -> list[str]:
    """Name where an answer has another shape; ours may have more names, and null for a text."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        missing = [f"{where}.{name} is missing" for name in wanted.keys() - given.keys()]
        both = wanted.keys() & given.keys()
        return missing + [m for n in both for m in misfits(given[n], wanted[n], f"{where}.{n}")]
    if isinstance(wanted, list) and isinstance(given, list):
        if bool(wanted) > bool(given):
            return [f"{where} is empty"]
        return [m for one in given for each in wanted[:1] for m in misfits(one, each, f"{where}[]")]
    same = wanted is None or isinstance(
        given, NUMBER if isinstance(wanted, NUMBER) else type(wanted)
    )
    return [] if same else [f"{where} is {given!r}, not like {wanted!r}"]


def answered(built: tuple[Api, TestClient], recorded: dict[str, Any]) -> Any:
    api, client = built
    api.forget()
    api.fleet.says(status("timescale-sink"))
    if recorded.get("stopped"):
        api.fleet.tell("timescale-sink", State.STOPPED)
        api.fleet.says(status("timescale-sink", State.STOPPED, tasks=()))
    method, _, path = recorded["request"].partition(" ")
    body = {name: recorded[name] for name in ("json", "content") if name in recorded}
    return client.request(method, path, **body)


@pytest.mark.parametrize(
    "recorded",
    [*RECORDED["answers"], *RECORDED["differs"]],
    ids=lambda one: f"{one['request']} {one['status']}",
)
def test_an_answer_is_as_connect_gave_it(
    built: tuple[Api, TestClient], recorded: dict[str, Any]
) -> None:
    answer = answered(built, recorded)
    assert answer.status_code == recorded["status"], answer.text
    if recorded["body"] is None:
        assert answer.content == b""
    else:
        assert not misfits(answer.json(), recorded["body"])


def test_whatever_has_another_shape_is_named() -> None:
    wanted = {"tasks": [{"id": 0}], "type": "sink"}
    assert misfits({"tasks": [{"id": "0"}]}, wanted) == [
        ".type is missing",
        ".tasks[].id is '0', not like 0",
    ]
    assert misfits({"tasks": [], "type": "sink"}, wanted) == [".tasks is empty"]
