"""The first layer that fails is the headline; what lies behind it is not checked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from operate.api.health import Doctor
from operate.cli import app
from operate.control.fleet import state_of
from operate.doctor import addresses, flow
from operate.doctor.walk import Check, Condition, Diagnosis, Layer, Part, walk
from operate.lag.rules import Rule
from operate.lag.sampling import Report
from operate.settings import Settings
from producers.settings import SourceSettings
from runtime.control.orders import State, Task
from runtime.errors import AosError, Configuration, System, Transient
from tests.api_fakes import Api, Fleet, status

pytestmark = pytest.mark.requirement("D5")


def broken() -> str:
    problem = "nobody answers"
    raise Transient(problem, mend="start it")


def conditions(found: Diagnosis) -> dict[tuple[Layer, Part], Condition]:
    return {(one.layer, one.part): one.condition for one in found.findings}


def test_what_lies_behind_a_failure_is_not_checked() -> None:
    well = ""
    found = walk(
        [
            Check(Layer.FRESHNESS, Part.FLOW, lambda: well, needs=(Part.KAFKA, Part.DATABASE)),
            Check(Layer.TOPICS, Part.KAFKA, lambda: well),
            Check(Layer.TCP, Part.KAFKA, broken),
            Check(Layer.DNS, Part.KAFKA, lambda: well),
            Check(Layer.LOGIN, Part.DATABASE, lambda: "as aos"),
        ]
    )
    assert conditions(found) == {
        (Layer.DNS, Part.KAFKA): Condition.OK,
        (Layer.TCP, Part.KAFKA): Condition.FAILED,
        (Layer.LOGIN, Part.DATABASE): Condition.OK,
        (Layer.TOPICS, Part.KAFKA): Condition.NOT_CHECKED,
        (Layer.FRESHNESS, Part.FLOW): Condition.NOT_CHECKED,
    }
    assert found.headline == "TCP of Kafka: nobody answers. Mend: start it"
    assert found.below(Layer.TCP).is_well


def test_the_lowest_layer_that_fails_is_the_headline_of_several() -> None:
    found = walk([Check(Layer.LOGIN, Part.AOS, broken), Check(Layer.TCP, Part.DATABASE, broken)])
    assert found.headline.startswith("TCP of database")


def test_a_password_is_never_told() -> None:
    def refused() -> str:
        problem = "cannot open postgresql://aos:hunter2@db/w"
        raise System(problem)

    assert "hunter2" not in walk([Check(Layer.LOGIN, Part.DATABASE, refused)]).headline


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("mssql+pyodbc://reader@aos-host/AOS", ["aos-host:1433"]),
        (
            "mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BSERVER%3Dtcp%3Aaos%2C1500%3BUID%3Dr",
            ["aos:1500"],
        ),
        ("postgresql+psycopg://r@db:6543/aos", ["db:6543"]),
        ("sqlite:///aos.db", []),
    ],
)
def test_where_aos_is_stands_in_its_url(url: str, where: list[str]) -> None:
    source = SourceSettings(url=url, mapping=Path("m.yaml"))
    assert [str(one) for one in addresses.of_source(source)] == where


def test_where_the_others_are_stands_in_the_settings() -> None:
    settings = Settings.model_validate(
        {
            "kafka": {"bootstrap_servers": "a:9092, b"},
            "registry": {"url": "https://registry.example"},
            "sink": {"database_url": "postgresql://aos@[::1]/w"},
        }
    )
    found = [*addresses.of_kafka(settings), *addresses.of_registry(settings)]
    assert [str(one) for one in found] == ["a:9092", "b:9092", "registry.example:443"]
    assert [one.port for one in addresses.of_database(settings)] == [5432]


def test_a_host_that_is_not_and_a_port_where_nobody_listens_are_told_apart() -> None:
    nowhere = addresses.Address("kafka.bootstrap_servers", "no-such-host.invalid", 9092)
    with pytest.raises(Configuration, match="no such host"):
        addresses.resolve([nowhere])
    closed = addresses.Address("kafka.bootstrap_servers", "127.0.0.1", 1)
    assert not addresses.resolve([closed])
    with pytest.raises(Transient, match=r"nobody answers at 127\.0\.0\.1:1"):
        addresses.connect([closed])
    assert "no-such-host.invalid" in addresses.resolve([closed, nowhere])


def test_a_file_that_is_not_there_is_missed(tmp_path: Path) -> None:
    source = SourceSettings(url=f"sqlite:///{tmp_path}/aos.db", mapping=Path("m.yaml"))
    with pytest.raises(Configuration, match="there is no file"):
        addresses.check_files(source)


def report(rule: Rule, lag: int = 5) -> Report:
    return Report("timescale-sink", "aos-sink", rule, lag, [])


@pytest.mark.parametrize(
    ("said", "ordered", "found", "live"),
    [
        ({}, None, report(Rule.OK), True),
        ({}, None, report(Rule.WARN), True),
        ({}, None, report(Rule.STALL), False),
        ({}, None, report(Rule.STOP), False),
        ({"idle_seconds": 500.0}, None, report(Rule.OK), False),
        ({"tasks": (Task("a", trace="no such table"),)}, None, report(Rule.OK), False),
        ({"state": State.PAUSED}, State.PAUSED, report(Rule.STOP), True),
        ({"state": State.STOPPED}, State.STOPPED, report(Rule.STOP), True),
        (None, None, report(Rule.OK), False),
        (None, State.STOPPED, report(Rule.STOP), True),
    ],
)
def test_alive_is_what_makes_progress_or_rests_by_order(
    said: dict[str, Any] | None, ordered: State | None, found: Report, live: bool
) -> None:
    fleet = Fleet()
    if said is not None:
        fleet.says(status("timescale-sink", **said))
    if ordered:
        fleet.tell("timescale-sink", ordered)
    state = state_of("timescale-sink", fleet.snapshot(), datetime.now(UTC))
    assert flow.vital(state, found).is_live is live


def test_late_tables_are_a_fault_only_while_something_is_under_way() -> None:
    late = [{"parameter": "wind", "fresh": 0, "newest": datetime(2013, 12, 30, tzinfo=UTC)}]
    assert "all that AOS has is loaded" in flow.check_fresh(late, at_rest=True)
    with pytest.raises(System, match="wind since 2013-12-30"):
        flow.check_fresh(late, at_rest=False)
    assert not flow.check_fresh([{**late[0], "fresh": 1}], at_rest=False)


def test_at_rest_is_who_has_read_all_and_left_nothing_unread() -> None:
    fleet = Fleet()
    fleet.says(status("aos-source", tasks=(Task("a", behind_seconds=0.0),)))
    source = state_of("aos-source", fleet.snapshot(), datetime.now(UTC))
    assert flow.is_at_rest([source], [report(Rule.OK, lag=0)])
    assert not flow.is_at_rest([source], [report(Rule.OK, lag=1)])
    assert not flow.is_at_rest([], [report(Rule.OK, lag=0)])


@pytest.mark.parametrize(
    ("kafka", "headline"),
    [
        ("no-such-host.invalid:9092", "DNS of Kafka: no such host: no-such-host.invalid"),
        ("127.0.0.1:1", "TCP of Kafka: nobody answers at 127.0.0.1:1"),
    ],
)
def test_the_command_ends_with_1_and_leaves_out_what_lies_behind(
    tmp_path: Path, kafka: str, headline: str
) -> None:
    config = tmp_path / "aos.yaml"
    nobody = "http://127.0.0.1:1", "postgresql://aos@127.0.0.1:1/w"
    config.write_text(
        f"kafka: {{bootstrap_servers: '{kafka}'}}\n"
        f"registry: {{url: '{nobody[0]}'}}\nsink: {{database_url: '{nobody[1]}'}}\n"
    )
    ran = CliRunner().invoke(app, ["doctor", "--json", "--config", str(config)])
    told = json.loads(ran.stdout)
    assert ran.exit_code == 1
    assert told["headline"].startswith(headline)
    states = {(one["layer"], one["part"]): one["state"] for one in told["checks"]}
    assert states["login", "Kafka"] == states["freshness", "flow"] == "not checked"
    assert states["TCP", "registry"] == "failed"


def test_settings_that_cannot_be_read_are_the_first_layer(tmp_path: Path) -> None:
    config = tmp_path / "aos.yaml"
    config.write_text("kafka: {bootstrap: here}\n")
    ran = CliRunner().invoke(app, ["doctor", "--json", "--config", str(config)])
    told = json.loads(ran.stdout)
    assert (ran.exit_code, told["well"]) == (1, False)
    assert told["headline"].startswith("settings of all: setting kafka.bootstrap")
    assert {one["state"] for one in told["checks"][1:]} == {"not checked"}


def test_liveness_over_http_names_who_is_dead() -> None:
    api = Api()
    for name in ("aos-source", "aos-stream"):
        api.fleet.says(status(name))
    answer = api.client().get("/health/live")
    assert answer.status_code == 503
    assert answer.json()["message"] == "timescale-sink: no worker says anything"
    api.fleet.says(status("timescale-sink"))
    assert api.client().get("/health/live").status_code == 200


def test_each_check_is_a_line_that_begins_with_its_mark(tmp_path: Path) -> None:
    config = tmp_path / "aos.yaml"
    config.write_text("registry: {url: nonsense, " + "x" * 200 + ": 1}\n")
    told = CliRunner().invoke(app, ["doctor", "--config", str(config)]).stdout
    lines = [line.split() for line in told.splitlines()]
    assert ["✗", "settings"] in [words[:2] for words in lines]
    assert ["·", "DNS", "AOS"] in [words[:3] for words in lines]


def test_health_is_looked_at_once_for_many_who_ask() -> None:
    looks: list[AosError | None] = []

    def look() -> Diagnosis:
        looks.append(None)
        return walk([])

    doctor = Doctor(look)
    assert [doctor.diagnosis().is_well for _ in range(3)] == [True] * 3
    assert len(looks) == 1
