"""How each server is started, and which data are kept together."""

from __future__ import annotations

from pathlib import Path

import pytest

from devstack.fetch_maven import registry_directory
from devstack.kafka import Kafka
from devstack.parts import DATABASES, data_belong_together, parts
from devstack.postgres import Postgres
from devstack.registry import Registry
from devstack.server import Place, Server
from devstack.stack import Stack
from devstack.state import State
from devstack.timescale import Timescale
from runtime.errors import Configuration

PORTS = {"kafka": 1, "kafka-controller": 2, "registry": 3, "timescale": 4, "postgres": 5}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "stack", tmp_path / "cache", PORTS, "pass-word")


def keep(server: Server, *files: str) -> None:
    server.data.mkdir(parents=True)
    for name in files:
        (server.data / name).touch()


def broker(place: Place) -> None:
    keep(Kafka(place), "meta.properties")


def registry(place: Place) -> None:
    keep(Registry(place), "registry.mv.db")


def timescale(place: Place) -> None:
    keep(Timescale(place), "PG_VERSION")


def postgres(place: Place) -> None:
    keep(Postgres(place), "PG_VERSION")


@pytest.mark.parametrize(
    ("kept", "together"),
    [
        ((), True),
        ((broker, registry), True),
        ((broker, registry, timescale), True),
        ((broker, registry, timescale, postgres), True),
        ((broker,), False),
        ((registry,), False),
        ((broker, timescale), False),
        ((timescale,), False),
        ((postgres,), False),
    ],
)
def test_no_part_keeps_data_whose_counterpart_is_lost(
    place: Place, kept: tuple[object, ...], together: bool
) -> None:
    for one in kept:
        assert callable(one)
        one(place)
    assert data_belong_together(place) is together


def test_kafka_listens_on_loopback_alone(place: Place) -> None:
    settings = dict(
        line.split("=", 1) for line in Kafka(place).settings().splitlines() if "=" in line
    )
    assert settings["listeners"] == "BROKER://127.0.0.1:1,CONTROLLER://127.0.0.1:2"
    assert settings["advertised.listeners"] == "BROKER://127.0.0.1:1"
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["log.dirs"] == str(place.directory / "data" / "kafka")


def test_the_registry_keeps_its_schemas_in_a_file_that_is_written_at_once(place: Place) -> None:
    home = registry_directory(place.cache)
    home.mkdir(parents=True)
    (home / "apicurio-registry-app-9-runner.jar").touch()
    argv = Registry(place).command().argv
    database = f"jdbc:h2:file:{place.directory}/data/registry/registry;WRITE_DELAY=0"
    assert f"-Dquarkus.datasource.jdbc.url={database}" in argv
    assert "-Dquarkus.http.host=127.0.0.1" in argv


@pytest.mark.parametrize("kind", list(DATABASES.values()))
def test_a_password_is_never_on_a_command_line(place: Place, kind: type[Server]) -> None:
    assert not any("pass-word" in argument for argument in kind(place).command().argv)


def test_postgres_listens_on_loopback_alone(place: Place) -> None:
    argv = Postgres(place).command().argv
    assert "listen_addresses=127.0.0.1" in argv
    assert "unix_socket_directories=" in argv


def test_a_database_url_is_what_libpq_takes(place: Place) -> None:
    assert Timescale(place).url == "postgresql://postgres:pass-word@127.0.0.1:4/postgres"


@pytest.mark.parametrize("database", ["timescale", "postgres"])
def test_a_stack_is_a_broker_a_registry_and_one_database(place: Place, database: str) -> None:
    assert [part.name for part in parts(place, database)] == ["kafka", "registry", database]  # type: ignore[arg-type]


def test_an_unknown_database_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(Configuration, match="no database 'oracle'") as refused:
        Stack.at(tmp_path, db="oracle")  # type: ignore[arg-type]
    assert "timescale, postgres" in refused.value.mend


def test_a_stack_that_was_never_up_says_so(tmp_path: Path) -> None:
    stack = Stack.at(tmp_path / "never")
    assert stack.status() == []
    stack.down()
    stack.wipe()
    with pytest.raises(Configuration, match="there is no kafka") as refused:
        _ = stack.bootstrap_servers
    assert "aos up" in refused.value.mend
    assert not (tmp_path / "never").exists()


def test_a_stack_keeps_its_kind_of_database(tmp_path: Path) -> None:
    State("postgres", "pass-word", PORTS).save(tmp_path / "state.json")
    assert [part.name for part in Stack.at(tmp_path).status()] == ["kafka", "registry", "postgres"]
    assert Stack.at(tmp_path).database_url.endswith("@127.0.0.1:5/postgres")
