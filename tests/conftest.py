"""What all tests share: one embedded stack a session, a fresh namespace and database for each test.

``AOS_TEST_STACK`` names a directory whose stack is to be used, and kept: quick when writing tests.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings

from devstack.stack import Stack
from runtime.kafka import KafkaSettings
from schemas.registry import Registry, RegistrySettings
from schemas.topics import Topics

# No deadline: how long an example takes is no property of the code. `make test-unit` tries fewer.
# CI tries the same examples in every run; people's machines go on looking for new ones.
settings.register_profile("thorough", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile(os.environ.get("AOS_TEST_PROFILE", "thorough"))

pytest_plugins = [
    "tests.support.backends",
    "tests.support.deployments",
    "tests.support.postgres",
    "tests.support.requirements",
    "tests.support.sinks",
]


collect_ignore = ["support/record_peers.py"]  # it needs libraries of an environment of its own


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Bring up Kafka, registry and TimescaleDB once; parallel workers share them."""
    kept = os.environ.get("AOS_TEST_STACK")
    if kept:
        made = Stack.at(Path(kept))
        made.up()
        yield made
        return
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with Stack.at(shared / "stack").lease() as made:
        yield made


@pytest.fixture
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes run without a count of lines, where others are counted: in half the time.

    A process that is killed leaves no count behind anyhow.
    """
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture
def namespace() -> str:
    """Give a prefix for topics, groups and transactional ids that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def topics(namespace: str) -> Topics:
    """Name the topics of a deployment of the test's own: few partitions, so that it is quick."""
    return Topics(namespace=namespace, partitions=2)


@pytest.fixture
def kafka(stack: Stack) -> KafkaSettings:
    """Say where the broker is."""
    return KafkaSettings(bootstrap_servers=stack.bootstrap_servers)


@pytest.fixture
def registry_settings(stack: Stack) -> RegistrySettings:
    """Say where the registry is."""
    return RegistrySettings(url=stack.registry_url)


@pytest.fixture
def registry(registry_settings: RegistrySettings) -> Iterator[Registry]:
    """Give a client of the registry."""
    with closing(Registry(registry_settings)) as client:
        yield client
