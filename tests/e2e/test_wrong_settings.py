"""A wrong setting stops a stage at its start: exit code 2, and one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.sample import MAPPING, build
from devstack.stack import Stack

pytestmark = pytest.mark.requirement("D3")

STAGES = ("source", "stream", "sink")
NO_BROKER = "127.0.0.1:1"
Settings = dict[str, Any]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build an AOS to read."""
    path = tmp_path_factory.mktemp("aos") / "sample.db"
    build(path)
    return path


@pytest.fixture
def settings(stack: Stack, sample: Path, namespace: str) -> Settings:
    """Give settings with which every stage would run."""
    return {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers, "connect_timeout_seconds": 2},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": namespace, "partitions": 1},
        "source": {"url": f"sqlite:///{sample}", "mapping": str(MAPPING)},
        "sink": {"database_url": stack.database_url},
    }


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[str, Settings], str]:
    """Run a stage that must not start, and give the one line that it says."""

    def run(stage: str, settings: Settings) -> str:
        config = tmp_path / "aos.yaml"
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        command = [sys.executable, "-m", "operate", stage, "--config", str(config)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AOS_")}
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 2, ended.stdout + ended.stderr
        assert ended.stderr.count("\n") == 1, ended.stderr
        assert ended.stderr.startswith("aos: ")
        assert " Mend: " in ended.stderr
        assert "Traceback" not in ended.stdout
        return ended.stderr

    return run


def with_mapping(settings: Settings, tmp_path: Path, old: str, new: str) -> Settings:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return {**settings, "source": {**settings["source"], "mapping": str(mapping)}}


@pytest.mark.parametrize("stage", STAGES)
def test_no_broker(stage: str, settings: Settings, refused: Callable[[str, Settings], str]) -> None:
    settings["kafka"]["bootstrap_servers"] = NO_BROKER
    told = refused(stage, settings)
    assert f"kafka.bootstrap_servers = '{NO_BROKER}'" in told
    assert "aos up" in told


def test_wrong_password_of_the_target(
    settings: Settings, refused: Callable[[str, Settings], str]
) -> None:
    settings["sink"]["password"] = "hunter2"
    told = refused("sink", settings)
    assert "sink.password" in told
    assert "hunter2" not in told


def test_wrong_password_of_the_source(
    settings: Settings, postgres: str, refused: Callable[[str, Settings], str]
) -> None:
    user, _, address = postgres.removeprefix("postgresql://").rpartition("@")
    url = f"postgresql+psycopg://{user.partition(':')[0]}@{address}"
    settings["source"] |= {"url": url, "password": "hunter2"}
    told = refused("source", settings)
    assert "source.password" in told
    assert "hunter2" not in told


def test_no_database(settings: Settings, refused: Callable[[str, Settings], str]) -> None:
    settings["sink"]["database_url"] = "postgresql://aos@127.0.0.1:1/aos"
    assert "sink.database_url = 'postgresql://aos@127.0.0.1:1/aos'" in refused("sink", settings)


def test_no_source(settings: Settings, refused: Callable[[str, Settings], str]) -> None:
    del settings["source"]
    assert "source.url is not set" in refused("source", settings)


def test_missing_table_of_the_source(
    settings: Settings, tmp_path: Path, refused: Callable[[str, Settings], str]
) -> None:
    wrong = with_mapping(settings, tmp_path, "table: weather_hourly", "table: weather_daily")
    assert "weather_daily" in refused("source", wrong)


def test_missing_column_of_the_source(
    settings: Settings, tmp_path: Path, refused: Callable[[str, Settings], str]
) -> None:
    wrong = with_mapping(settings, tmp_path, "column: precip", "column: rain")
    assert "rain" in refused("source", wrong)


def test_missing_tables_of_the_target(
    settings: Settings, postgres: str, refused: Callable[[str, Settings], str]
) -> None:
    settings["sink"] |= {"database_url": postgres, "migrate_at_start": False}
    told = refused("sink", settings)
    assert "migrations have not run" in told
    assert "aos db migrate" in told


def test_unknown_parameter(
    settings: Settings, tmp_path: Path, refused: Callable[[str, Settings], str]
) -> None:
    wrong = with_mapping(settings, tmp_path, "parameter: rainfall", "parameter: snow")
    told = refused("source", wrong)
    assert "source.mapping" in told
    assert "parameter" in told


@pytest.mark.parametrize("stage", STAGES)
def test_unknown_setting(
    stage: str, settings: Settings, refused: Callable[[str, Settings], str]
) -> None:
    settings["topics"]["partition"] = 3
    assert "topics.partition: there is no such setting" in refused(stage, settings)
