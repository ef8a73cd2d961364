"""The commands of the runbooks that are marked as tested run, as they stand there, and succeed."""

from __future__ import annotations

import re
import shlex
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlfluff
import yaml
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner, Result

from devstack.sample import MAPPING
from devstack.sample.database import build
from devstack.stack import Stack
from operate.cli import app
from runtime.kafka import KafkaSettings
from runtime.kafka_topics import ensure_topics
from schemas.topics import Topics

RUNBOOKS = Path(__file__).parents[2] / "docs" / "runbooks"
BLOCK = re.compile(r"```sh\n[ ]*# tested\n(.*?)```", re.DOTALL)
ON_POSTGRES = re.compile(r"```sql\n[ ]*-- tested on PostgreSQL\n(.*?)```", re.DOTALL)
ON_SQL_SERVER = re.compile(r"```sql\n[ ]*-- not run here: needs SQL Server\n(.*?)```", re.DOTALL)
ANY = re.compile(r"^ *```\w*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(
    r"^ *(aos |curl |kubectl |docker |python |openssl |kafka-|psql |SELECT |ALTER |DBCC |KILL )"
)
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "README.md")
TESTED = [page for page in PAGES if BLOCK.search(page.read_text(encoding="utf-8"))]
Run = Callable[[list[str]], Result]

pytestmark = [pytest.mark.requirement("F2"), pytest.mark.backend("embedded TimescaleDB")]


def commands(page: Path) -> Iterator[list[str]]:
    """Give the words of each command of a page's tested blocks."""
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.strip().splitlines():
            yield shlex.split(line.strip())


def _sample(folder: Path) -> Path:
    """Make a sample of two days."""
    build(sample := folder / "aos.db")
    with closing(sqlite3.connect(sample)) as source, source:
        source.execute("DELETE FROM weather_hourly WHERE observed_at NOT LIKE '2013-11-0%'")
        source.execute("DELETE FROM aws_minute")
    return sample


@pytest.fixture(scope="module")
def run(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Give a way to run a command on the stack, with topics of its own and migrated tables."""
    topics = Topics(namespace="runbooks", partitions=2)
    config = tmp_path_factory.mktemp("runbooks") / "aos.yaml"
    settings = {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"namespace": topics.namespace, "partitions": topics.partitions},
        "source": {"url": f"sqlite:///{_sample(config.parent)}", "mapping": str(MAPPING)},
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


@pytest.mark.backend("native PostgreSQL")
def test_what_a_runbook_asks_of_a_database_finds_who_is_in_the_way(postgres: str) -> None:
    asked = "".join(one for page in PAGES for one in ON_POSTGRES.findall(page.read_text("utf-8")))
    with (
        psycopg.connect(postgres, application_name="night-load") as hanging,
        psycopg.connect(postgres) as looking,
    ):
        hanging.execute("SELECT 1")
        there = looking.execute("SELECT 1 FROM pg_roles WHERE rolname = 'aos_writer'").fetchone()
        if there is None:
            looking.execute("CREATE ROLE aos_writer LOGIN")
        statements = [one.strip() for one in asked.split(";") if one.strip()]
        answers = [looking.execute(one.encode()) for one in statements]
        found = {row for answer in answers if answer.description for row in answer.fetchall()}
        assert hanging.info.backend_pid in {row[0] for row in found}
        assert (True,) in found, "it was ended"
        with pytest.raises(psycopg.OperationalError):
            hanging.execute("SELECT 1")
        looking.rollback()


@pytest.mark.backend("nothing but the code")
def test_what_a_runbook_asks_of_a_sql_server_is_sql_of_its_dialect() -> None:
    asked = [one for page in PAGES for one in ON_SQL_SERVER.findall(page.read_text("utf-8"))]
    assert len(asked) == 2
    for one in asked:
        sqlfluff.parse(one, dialect="tsql")


@pytest.mark.backend("nothing but the code")
def test_no_command_of_a_runbook_stands_there_untried() -> None:
    for page in PAGES:
        for block in ANY.findall(page.read_text(encoding="utf-8")):
            labelled = re.match(r" *(# tested|-- tested on|-- not run here: needs)", block)
            untried = [] if labelled else [ln for ln in block.splitlines() if COMMAND.match(ln)]
            assert untried == [], page.name


def test_every_runbook_is_in_the_index_and_tested() -> None:
    assert TESTED == PAGES
    index = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f"({page.name})" not in index] == []


def test_every_alert_names_a_runbook_that_is_there() -> None:
    rules = (RUNBOOKS.parents[1] / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8")
    named = set(re.findall(r"runbook_url: (\S+)", rules))
    assert named
    assert sorted(one for one in named if not (RUNBOOKS.parents[1] / one).exists()) == []
