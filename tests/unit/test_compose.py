"""docker-compose.yml, without Docker: its schema, and the rules that every service keeps."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from devstack.fetch_maven import KAFKA_LOCK, REGISTRY_LOCK, Pinned
from operate.settings import load
from runtime import heartbeat
from schemas.mapping import read_mapping
from schemas.registry import COMPATIBILITY

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
REAL_AOS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose/real-aos.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
STAGES = ("source", "stream", "sink")
ONE_SHOTS = ("sample-aos", "migrate")
PROMETHEUS: dict[str, Any] = yaml.safe_load(
    (ROOT / "deploy/compose/prometheus.yml").read_text("utf-8")
)
# The one image whose program has a capability of its own, without which it does not start.
UNCONFINED = ("sqlserver",)
SECRETS = {name: Path(given["file"]) for name, given in COMPOSE["secrets"].items()}

each_service = pytest.mark.parametrize("name", SERVICES)
each_stage = pytest.mark.parametrize("name", STAGES)


@pytest.mark.parametrize("document", [COMPOSE, REAL_AOS], ids=["compose", "real-aos"])
def test_the_file_keeps_to_the_compose_specification(document: dict[str, Any]) -> None:
    schema = json.loads((ROOT / "tests/data/compose-spec.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(document)] == []


@each_service
def test_a_service_has_a_health_check_unless_it_ends_by_itself(name: str) -> None:
    service = SERVICES[name]
    assert ("healthcheck" in service) != (name in ONE_SHOTS)
    assert service["restart"] == ("no" if name in ONE_SHOTS else "unless-stopped")


@each_service
def test_a_service_waits_for_others_to_be_healthy_or_done(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        done = "service_completed_successfully" if other in ONE_SHOTS else "service_healthy"
        assert how["condition"] == done


@each_service
def test_a_port_is_open_to_this_machine_alone(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{AOS_[A-Z]+_PORT:-\d+\}:\d+", port)


@each_service
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert re.search(r"\d+\.\d+|CU\d+", tag)
    assert "latest" not in tag


@each_service
def test_a_service_is_bounded_in_memory_processors_log_and_time_to_stop(name: str) -> None:
    service = SERVICES[name]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["stop_grace_period"] == "60s"
    assert service["networks"] == ["aos"]


@each_service
def test_a_service_has_no_right_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    confined = (service.get("cap_drop"), service.get("security_opt"))
    assert (confined == (["ALL"], ["no-new-privileges:true"])) != (name in UNCONFINED)
    assert service.get("user") not in ("0", "root", "0:0")
    assert not service.get("privileged")


@each_service
def test_data_are_in_named_volumes(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        assert volume.split(":")[0] in COMPOSE["volumes"]


@each_service
def test_a_password_is_never_a_value(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if re.search("password|secret", variable, re.IGNORECASE):
            assert variable.endswith("_FILE")
            assert value.removeprefix("/run/secrets/") in SERVICES[name]["secrets"]
    written = json.dumps(SERVICES[name])
    assert {*re.findall(r"/run/secrets/([\w.]+)", written)} <= {*SERVICES[name].get("secrets", [])}


def test_each_secret_is_a_file_outside_the_repository_for_those_who_need_it() -> None:
    assert (ROOT / "deploy/compose/.gitignore").read_text("utf-8").split() == ["secrets/"]
    assert {file.parent for file in SECRETS.values()} == {Path("deploy/compose/secrets")}
    assert not SERVICES["stream"].get("secrets")
    assert SERVICES["source"]["secrets"] == ["aos_reader_password"]
    assert SERVICES["sink"]["secrets"] == ["sink_database_password"]
    assert SERVICES["migrate"]["secrets"] == ["migrator_database_password"]


@each_stage
def test_a_stage_runs_as_nobody_on_a_file_system_it_cannot_change(name: str) -> None:
    stage = SERVICES[name]
    assert stage["command"] == [name]
    assert stage["user"] == "10001:10001"
    assert stage["read_only"] is True
    assert stage["tmpfs"] == ["/tmp"]  # noqa: S108
    assert stage["image"] == SERVICES["source"]["image"]


@each_stage
def test_a_stage_is_healthy_by_its_heartbeat(name: str) -> None:
    stage = SERVICES[name]
    assert stage["healthcheck"]["test"] == ["CMD", "python", "-m", heartbeat.__name__]
    assert stage["environment"][heartbeat.ENVIRONMENT].startswith("/tmp/")  # noqa: S108


@each_stage
def test_a_stage_finds_its_settings(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = SERVICES[name]
    targets = {config["target"]: config["source"] for config in stage["configs"]}
    for variable, value in stage["environment"].items():
        if variable.endswith("_FILE"):
            secret = tmp_path / Path(value).name
            secret.write_text(f"{secret.name} of this test\n", encoding="utf-8")
            monkeypatch.setenv(variable, str(secret))
    file = COMPOSE["configs"][targets[stage["environment"]["AOS_CONFIG"]]]["file"]

    settings = load(ROOT / file)

    password = {"source": settings.the_source().password, "sink": settings.sink.password}.get(name)
    if password is not None:
        assert password.get_secret_value() == f"{stage['secrets'][0]} of this test"
    mapping = COMPOSE["configs"][targets[str(settings.the_source().mapping)]]["file"]
    assert read_mapping(ROOT / mapping).source == "sample"


def test_the_settings_name_services_as_they_are_called_here() -> None:
    settings = load(ROOT / "deploy/compose/aos.yaml")
    kafka = SERVICES["kafka"]["environment"]
    assert f"INTERNAL://{settings.kafka.bootstrap_servers}" in kafka["KAFKA_ADVERTISED_LISTENERS"]
    assert settings.registry.url == "http://registry:8080/apis/ccompat/v7"
    assert settings.the_source().url.split("@")[1].startswith("sqlserver:1433/AOS")
    assert settings.sink.database_url == "postgresql://aos_writer@timescaledb:5432/aos"
    replicas = [value for key, value in kafka.items() if "REPLICATION" in key or "ISR" in key]
    assert replicas == ["1"] * len(replicas)
    assert settings.topics.replication == 1


@pytest.mark.requirement("C1")
def test_the_sink_loads_as_the_writer_what_the_migrator_owns() -> None:
    """Who is who, in the settings and in the script that makes the roles; one server, one base."""
    sink, migrate = load(ROOT / "deploy/compose/aos.yaml").sink, SERVICES["migrate"]
    script = (ROOT / "deploy/compose/timescaledb-roles.sh").read_text("utf-8")
    as_migrator = migrate["environment"]["AOS_SINK__DATABASE_URL"]
    assert migrate["command"] == ["db", "migrate"]
    assert not sink.migrate_at_start
    assert "migrate" in SERVICES["sink"]["depends_on"]
    assert sink.database_url.replace(sink.writer_role, sink.migrator_role) == as_migrator
    assert f"ALTER DATABASE aos OWNER TO {sink.migrator_role};" in script
    files = dict(re.findall(r"^\\set (\w+) `cat /run/secrets/(\w+)`$", script, re.MULTILINE))
    made = dict(re.findall(r"^CREATE ROLE (\w+) LOGIN PASSWORD :'(\w+)';$", script, re.MULTILINE))
    assert {role: files[variable] for role, variable in made.items()} == {
        sink.migrator_role: "migrator_database_password",
        sink.writer_role: "sink_database_password",
        sink.reader_role: "reader_database_password",
    }
    assert {*files.values()} < {*SERVICES["timescaledb"]["secrets"]}
    assert "SUPERUSER" not in script


@pytest.mark.requirement("D5")
def test_prometheus_finds_every_stage_where_it_serves_its_metrics() -> None:
    settings = load(ROOT / "deploy/compose/aos.yaml")
    (found,) = PROMETHEUS["scrape_configs"][0]["dns_sd_configs"]
    assert found["names"] == [*STAGES, "jobs"]
    for stage in (settings.the_source(), settings.stream, settings.sink, settings.jobs):
        assert (stage.metrics_host, stage.metrics_port) == ("0.0.0.0", found["port"])  # noqa: S104
    assert not [name for name in STAGES if SERVICES[name].get("ports")]
    given, rules = SERVICES["prometheus"]["configs"]
    assert f"--config.file={given['target']}" in SERVICES["prometheus"]["command"]
    assert PROMETHEUS["rule_files"] == [rules["target"]]


def test_the_api_is_reached_from_this_machine_alone_and_asks_for_its_token() -> None:
    settings, service = load(ROOT / "deploy/compose/aos.yaml"), SERVICES["api"]
    assert not settings.api.is_loopback
    assert service["environment"]["AOS_API__TOKEN_FILE"] == "/run/secrets/api_token"
    (port,) = service["ports"]
    assert port.endswith(f":{settings.api.port}")
    assert f":{settings.api.port}/" in service["healthcheck"]["test"][-1]


def test_kafka_and_registry_are_those_of_the_embedded_stack() -> None:
    kafka = {pinned.parts[2] for pinned in Pinned.read(KAFKA_LOCK) if "kafka" in pinned.coordinate}
    (registry,) = Pinned.read(REGISTRY_LOCK)
    assert kafka == {SERVICES["kafka"]["image"].split(":")[1]}
    assert registry.parts[2] == SERVICES["registry"]["image"].split(":")[1]


def test_the_registry_refuses_what_would_break_a_reader() -> None:
    environment = SERVICES["registry"]["environment"]
    assert environment["REGISTRY_RULES_GLOBAL_COMPATIBILITY"] == COMPATIBILITY


def test_another_aos_takes_the_place_of_the_sample() -> None:
    services = REAL_AOS["services"]
    assert services["sqlserver"]["profiles"] == services["sample-aos"]["profiles"]
    assert SERVICES["source"]["depends_on"]["sample-aos"]["required"] is False
    url = services["source"]["environment"]["AOS_SOURCE__URL"]
    assert "TrustServerCertificate" not in url
