"""Connectors are seen and steered over HTTP; orders reach whoever listens, not a pid."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from operate.masking import MASK
from operate.settings import Settings
from runtime.control.orders import State, Task
from tests.api_fakes import WORKER, Api, status

pytestmark = pytest.mark.requirement("D5")
SINK = "/connectors/timescale-sink"


@pytest.fixture(scope="module")
def built() -> tuple[Api, TestClient]:
    made = Api()
    return made, made.client()


@pytest.fixture
def api(built: tuple[Api, TestClient]) -> Api:
    built[0].forget()
    for connector in ("aos-source", "aos-stream", "timescale-sink"):
        built[0].fleet.says(status(connector))
    return built[0]


@pytest.fixture
def client(built: tuple[Api, TestClient]) -> TestClient:
    return built[1]


def state_of(client: TestClient, connector: str = "timescale-sink") -> str:
    return str(client.get(f"/connectors/{connector}/status").json()["connector"]["state"])


@pytest.mark.parametrize(
    ("verb", "code", "ordered"),
    [("pause", 202, "PAUSED"), ("resume", 202, "RUNNING"), ("stop", 204, "STOPPED")],
)
def test_an_order_goes_to_the_topic_and_is_answered_as_connect_does(
    api: Api, client: TestClient, verb: str, code: int, ordered: str
) -> None:
    answer = client.put(f"{SINK}/{verb}")
    assert (answer.status_code, answer.content) == (code, b"")
    assert [order.value for order in api.fleet.orders.values()] == [ordered]


def test_the_source_has_a_task_for_each_table_and_the_others_for_each_worker(
    api: Api, client: TestClient
) -> None:
    api.fleet.says(status("aos-source", tasks=(Task("aos/hourly", 5), Task("aos/minutely", 7))))
    api.fleet.says(status("aos-stream", worker="host-b:9"))
    tasks = {
        name: [(task["id"], task["worker_id"]) for task in one["status"]["tasks"]]
        for name, one in client.get("/connectors?expand=status").json().items()
    }
    assert tasks["aos-source"] == [(0, WORKER), (1, WORKER)]
    assert tasks["aos-stream"] == [(0, WORKER), (1, "host-b:9")]
    assert tasks["timescale-sink"] == [(0, WORKER)]


def test_a_worker_that_says_nothing_any_more_is_unassigned(api: Api, client: TestClient) -> None:
    api.fleet.says(status("timescale-sink"), ago=60)
    answer = client.get(f"{SINK}/status").json()
    assert answer["connector"]["state"] == "UNASSIGNED"
    assert [task["state"] for task in answer["tasks"]] == ["UNASSIGNED"]


def test_a_worker_that_failed_says_why_in_its_trace(api: Api, client: TestClient) -> None:
    api.fleet.says(status("timescale-sink", State.FAILED, trace="the disk is full"), ago=60)
    answer = client.get(f"{SINK}/status").json()
    assert answer["connector"]["state"] == "FAILED"
    assert answer["tasks"][0]["trace"] == "the disk is full"


def test_a_table_that_cannot_be_read_is_a_failed_task_of_a_running_source(
    api: Api, client: TestClient
) -> None:
    tasks = (Task("aos/hourly", 5), Task("aos/minutely", 7, trace="no such table"))
    api.fleet.says(status("aos-source", tasks=tasks))
    answer = client.get("/connectors/aos-source/status").json()
    assert [task["state"] for task in answer["tasks"]] == ["RUNNING", "FAILED"]
    assert answer["connector"]["state"] == "RUNNING"


def test_offsets_are_set_back_only_while_it_is_stopped(api: Api, client: TestClient) -> None:
    asked = client.get(f"{SINK}/offsets").json()
    assert client.patch(f"{SINK}/offsets", json=asked).status_code == 400
    assert not api.places.moved
    client.put(f"{SINK}/stop")
    api.fleet.says(status("timescale-sink", State.STOPPED, tasks=()))
    assert client.patch(f"{SINK}/offsets", json=asked).status_code == 200
    assert client.delete(f"{SINK}/offsets").status_code == 200
    assert api.places.moved == [("sink", asked["offsets"]), ("sink", None)]


def test_a_restart_reaches_each_worker_that_is_there(api: Api, client: TestClient) -> None:
    assert client.post(f"{SINK}/restart").status_code == 204
    assert client.post(f"{SINK}/tasks/0/restart").status_code == 204
    assert api.fleet.restarts == [("timescale-sink", WORKER)] * 2
    answer = client.post(f"{SINK}/restart?includeTasks=true&onlyFailed=false")
    assert answer.status_code == 202
    assert answer.json()["connector"]["state"] == "RESTARTING"


def test_a_restart_that_nobody_would_hear_is_refused(api: Api, client: TestClient) -> None:
    api.fleet.says(status("timescale-sink"), ago=60)
    answer = client.post(f"{SINK}/restart")
    assert answer.status_code == 409
    assert not api.fleet.restarts


def test_only_what_failed_is_restarted_where_that_is_asked(api: Api, client: TestClient) -> None:
    assert client.post(f"{SINK}/restart?onlyFailed=true").status_code == 204
    assert not api.fleet.restarts


def test_no_secret_stands_in_a_config() -> None:
    secrets = {"password": "hunter2", "database_url": "postgresql://aos@db/w?password=hunter3"}
    source = {"url": "mssql+pyodbc:///?odbc_connect=PWD%3Dhunter4", "mapping": "m.yaml"}
    settings = Settings.model_validate(
        {"sink": secrets, "source": {**source, "password": "hunter5"}, "api": {"token": "hunter6"}}
    )
    client = Api(settings).client()
    client.headers["Authorization"] = "Bearer hunter6"
    answer = client.get("/connectors?expand=info")
    assert answer.status_code == 200
    assert "hunter" not in answer.text
    assert client.get(f"{SINK}/config").json()["password"] == MASK


def test_a_config_that_is_given_is_held_to_the_settings(client: TestClient) -> None:
    plugin = "/connector-plugins/sink.stage/config/validate"
    given = {"name": "timescale-sink", "batch_rows": "none", "password": "hunter2", "batch": "1"}
    answer = client.put(plugin, json=given).json()
    wrong = {one["value"]["name"] for one in answer["configs"] if one["value"]["errors"]}
    assert wrong == {"batch_rows", "batch"}
    assert answer["error_count"] == 2
    assert "hunter2" not in str(answer)


def test_a_level_is_ordered_for_every_stage_and_lasts(api: Api, client: TestClient) -> None:
    assert client.get("/admin/loggers/aos.sink").json() == {"level": "INFO", "last_modified": None}
    assert client.put("/admin/loggers/aos.sink", json={"level": "DEBUG"}).json() == ["aos.sink"]
    level: dict[str, Any] = client.get("/loggers").json()["aos.sink"]
    assert level["level"] == "DEBUG"
    assert level["last_modified"] > 0
    assert client.get("/admin/loggers/nope").status_code == 404


def test_what_a_process_alone_can_do_is_refused_with_a_mend(client: TestClient) -> None:
    refused = [
        client.put(f"{SINK}/config", json={}),
        client.delete(SINK),
        client.post("/connectors", json={"name": "timescale-sink", "config": {}}),
        client.post("/connectors", json={"name": "other", "config": {}}),
    ]
    assert [answer.status_code for answer in refused] == [405, 405, 409, 400]
    assert all(answer.json()["message"] for answer in refused)
