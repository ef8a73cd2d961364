"""The commands of the runbooks that are marked as tested run, as they stand there, and succeed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner, Result

from devstack.stack import Stack
from operate.cli import app
from runtime.kafka import KafkaSettings
from runtime.kafka_topics import ensure_topics
from schemas.topics import Topics

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
BLOCK = re.compile(r"```sh\n[ ]*# tested\n(.*?)```", re.DOTALL)
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
TESTED = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]
Run = Callable[[list[str]], Result]

pytestmark = [pytest.mark.requirement("F2"), pytest.mark.backend("embedded TimescaleDB")]


def commands(page: Path) -> Iterator[list[str]]:
    """Give the words of each command of a page's tested blocks."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.strip().splitlines():
            yield shlex.split(line.strip())


@pytest.fixture(scope="module")
def run(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Give a way to run a command on the stack, with topics of its own and migrated tables."""
    topics = Topics(namespace="runbooks", partitions=2)
    config = tmp_path_factory.mktemp("runbooks") / "aos.yaml"
    settings = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": topics.namespace, "partitions": topics.partitions},
        "sink": {"database_url": stack.database_url},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    kafka = KafkaSettings(bootstrap_servers=stack.bootstrap_servers)
    ensure_topics(AdminClient(kafka.client()), topics.specs(), 1)

    def invoke(words: list[str]) -> Result:
        """Run it; where it connects to nothing it takes no settings."""
        plain = words[1:] == ["schema", "check"]
        return CliRunner().invoke(app, [*words[1:], *([] if plain else ["--config", str(config)])])

    migrated = invoke(["aos", "db", "migrate"])
    assert migrated.exit_code == 0, migrated.output
    return invoke


@pytest.mark.parametrize("page", TESTED, ids=lambda page: page.stem)
def test_what_a_runbook_says_can_be_run(run: Run, page: Path) -> None:
    for words in commands(page):
        assert words[0] == "aos"
        result = run(words)
        assert result.exit_code == 0, f"{shlex.join(words)}: {result.output} {result.stderr}"


def test_every_runbook_is_in_the_index_and_most_are_tested() -> None:
    assert len(TESTED) >= len(PAGES) - 2
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f"({page.name})" not in index] == []


def test_every_alert_names_a_runbook_that_is_there() -> None:
    rules = (RUNBOOKS.parents[1] / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8")
    named = set(re.findall(r"runbook_url: (\S+)", rules))
    assert named
    assert sorted(one for one in named if not (RUNBOOKS.parents[1] / one).exists()) == []
