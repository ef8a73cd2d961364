"""What docker-compose.yml starts beside the stages: the sample on SQL Server, and the secrets."""

from __future__ import annotations

import importlib.util
import re
import shutil
import stat
import subprocess
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlfluff.core import Linter

from devstack.sample import insert_statement, tables

pytestmark = pytest.mark.slow

COMPOSE = Path(__file__).parents[2] / "deploy" / "compose"
DEFINITION = files("devstack.sample").joinpath("sqlserver.sql").read_text(encoding="utf-8")
IDENTITIES = re.findall(
    r"CREATE TABLE dbo\.(\w+) \(\n    id \w+ IDENTITY", DEFINITION, re.MULTILINE
)


@pytest.fixture(scope="module")
def sample_aos() -> ModuleType:
    """Import the script, which is in no package."""
    spec = importlib.util.spec_from_file_location("sample_aos", COMPOSE / "sample_aos.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Server:
    """Remembers what a SQL Server is told; ``sample`` says whether the sample is there already."""

    def __init__(self, *, sample: bool = False) -> None:
        self.sample = sample
        self.told: list[str] = []
        self.rows: dict[str, int] = {}

    def connect(self, database: str) -> Connection:
        self.told.append(f"USE {database}")
        return Connection(self)


class Connection:
    """A connection and its cursor in one, as far as the script needs them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.__dict__["autocommit"] = True

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value
        if name == "autocommit":
            self._server.told.append("AUTOCOMMIT" if value else "BEGIN")

    def cursor(self) -> Connection:
        return self

    def execute(self, batch: str) -> Connection:
        self._server.told.append(batch)
        return self

    def executemany(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        assert {len(row) for row in rows} == {statement.count("?")}
        self._server.told.append(statement)
        self._server.rows[statement] = len(rows)

    def fetchone(self) -> tuple[int | None]:
        return (581577110 if self._server.sample else None,)

    def nextset(self) -> bool:
        return False

    def commit(self) -> None:
        self._server.told.append("COMMIT")


def test_the_whole_sample_is_written_in_one_transaction(sample_aos: ModuleType) -> None:
    server = Server()
    written = sample_aos.make(server.connect, "a password")
    expected = {insert_statement(t): len(list(t.rows)) for t in tables()}
    assert server.rows == expected
    assert written == sum(expected.values())
    inside = server.told[server.told.index("BEGIN") : server.told.index("COMMIT")]
    assert DEFINITION in inside[1]
    assert [line for line in inside if line in expected] == list(expected)
    assert server.told.count("COMMIT") == 1


def test_rows_keep_their_ids_where_the_server_would_give_its_own(sample_aos: ModuleType) -> None:
    server = Server()
    sample_aos.make(server.connect, "a password")
    switched = [line for line in server.told if line.startswith("SET IDENTITY_INSERT")]
    assert len(IDENTITIES) == 4
    assert switched == [
        f"SET IDENTITY_INSERT dbo.{table} {on}" for table in IDENTITIES for on in ("ON", "OFF")
    ]


def test_a_sample_that_is_there_stays_as_it_is(sample_aos: ModuleType) -> None:
    server = Server(sample=True)
    assert sample_aos.make(server.connect, "a new password") == 0
    assert server.rows == {}
    assert "N'a new password'" in server.told[-1]


def test_what_the_server_is_told_is_t_sql(sample_aos: ModuleType) -> None:
    server = Server()
    sample_aos.make(server.connect, "it's")
    words = ("AUTOCOMMIT", "BEGIN", "COMMIT")
    linter = Linter(dialect="tsql")
    for batch in (line for line in server.told if line not in words and "?" not in line):
        # sqlfluff has no ALTER LOGIN; what stands behind it is the same.
        parsed = linter.parse_string(batch.replace("ALTER LOGIN", "CREATE LOGIN") + "\n")
        assert parsed.violations == [], batch
        assert parsed.tree is not None
        assert "unparsable" not in parsed.tree.type_set(), batch


def test_the_reader_may_read_and_no_more(sample_aos: ModuleType) -> None:
    server = Server()
    sample_aos.make(server.connect, "a password")
    assert re.findall(r"GRANT (.*);", server.told[-1]) == ["SELECT ON SCHEMA::dbo TO aos_reader"]
    assert "sysadmin" not in server.told[-1]


def test_a_password_cannot_leave_its_place(sample_aos: ModuleType) -> None:
    assert "PWD={a}};b};" in sample_aos.connection_string("AOS", "a};b")
    assert sample_aos.literal("a';--") == "N'a'';--'"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Make the secrets in a place of the test's own."""
    script = shutil.copy(COMPOSE / "make-secrets", tmp_path)
    subprocess.run([script], check=True, capture_output=True)
    return tmp_path / "secrets"


def test_secrets_are_made_once_and_shut_off_from_other_users(made: Path) -> None:
    before = {file.name: file.read_text("utf-8") for file in made.iterdir()}
    again = subprocess.run([made.parent / "make-secrets"], check=True, capture_output=True)
    assert again.stdout == b""
    assert {file.name: file.read_text("utf-8") for file in made.iterdir()} == before
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in made.iterdir()} == {0o444}


def test_every_secret_of_compose_is_made_and_no_two_are_alike(made: Path) -> None:
    text = (COMPOSE.parents[1] / "docker-compose.yml").read_text("utf-8")
    wanted = re.findall(r"file: deploy/compose/secrets/([\w.]+)", text)
    assert sorted(wanted) == sorted(file.name for file in made.iterdir())
    passwords = [file.read_text("utf-8") for file in made.iterdir() if file.suffix == ""]
    assert len(set(passwords)) == len(passwords) == 9
    assert all(re.fullmatch(r"Aa1\.[0-9a-f]{48}", password) for password in passwords)


def test_the_registry_is_told_the_password_of_its_database(made: Path) -> None:
    password = (made / "registry_database_password").read_text("utf-8")
    told = (made / "registry.properties").read_text("utf-8")
    assert told == f"REGISTRY_DATASOURCE_PASSWORD={password}"
