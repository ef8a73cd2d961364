"""How a source is opened, and what its errors mean: one clear line, and never a password."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from producers.connection.database import for_reading, open_engine, reading, with_password
from producers.connection.faults import Away, translated
from producers.count import Held, count_readings
from producers.reading.tables import check_mapping
from producers.settings import SourceSettings
from runtime.errors import AosError, Configuration, Exit, System, Transient
from tests.sources import create, document, hourly, insert, mapping, minutely

SERVER = make_url("mssql+pyodbc://reader:pa55@aos:1433/AOS")


def settings(url: str, **more: object) -> SourceSettings:
    return SourceSettings.model_validate({"url": url, "mapping": "m.yaml", **more})


@pytest.fixture
def little(tmp_path: Path) -> Path:
    return create(tmp_path / "little #1.db")


@pytest.mark.requirement("A1")
def test_sql_server_is_reached_encrypted_and_for_reading() -> None:
    query = for_reading(make_url("mssql+pyodbc://reader@aos/AOS")).query
    assert query["Encrypt"] == "yes"
    assert query["TrustServerCertificate"] == "no"
    assert query["ApplicationIntent"] == "ReadOnly"
    assert query["driver"] == "ODBC Driver 18 for SQL Server"


@pytest.mark.requirement("A1")
def test_what_the_url_says_itself_is_kept_whatever_its_case() -> None:
    url = for_reading(make_url("mssql+pyodbc://u@aos/AOS?driver=FreeTDS&encrypt=strict"))
    assert (url.query["driver"], url.query["encrypt"]) == ("FreeTDS", "strict")
    assert "Encrypt" not in url.query


def test_a_password_enters_at_the_last_moment_and_is_not_shown() -> None:
    made = with_password(make_url("postgresql+psycopg://u@h/d"), "p@ss/word")
    assert made.password == "p@ss/word"
    assert "p@ss" not in repr(settings("sqlite:///x", password=SecretStr("p@ss")))


@pytest.mark.requirement("A1", "E8")
def test_an_sqlite_source_cannot_be_written_to(little: Path) -> None:
    engine = open_engine(settings(f"sqlite:///{little}"))
    with (
        pytest.raises(AosError, match="readonly"),
        reading(engine, "writing") as connection,
    ):
        connection.execute(text("DELETE FROM hourly"))
    engine.dispose()


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    "url", ["no url", "oracle://u:pa55@h/d", "sqlite+nothing:///x", "mysql://"]
)
def test_a_url_that_cannot_be_opened_is_named_without_its_password(url: str) -> None:
    with pytest.raises(Configuration, match=r"source\.url") as caught:
        open_engine(settings(url))
    assert "pa55" not in str(caught.value)
    assert caught.value.exit_code == Exit.USAGE
    assert caught.value.mend


class Pyodbc(Exception):
    """Carries SQLSTATE and message as its arguments, as pyodbc's errors do."""


class Psycopg(Exception):
    """Carries SQLSTATE as an attribute, as psycopg's errors do."""

    def __init__(self, message: str, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


def failed(original: Exception) -> DBAPIError:
    return OperationalError("SELECT 1", {}, original)


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("original", "kind", "says"),
    [
        (
            Pyodbc("28000", "Login failed for user 'reader'. (18456) (pa55)"),
            Configuration,
            "password",
        ),
        (Pyodbc("42S02", "Invalid object name 'obs'. (208)"), Configuration, "mapping"),
        (Pyodbc("42000", "SELECT permission was denied (229)"), Configuration, "grant"),
        (Psycopg("no such database", "3D000"), Configuration, "no such database"),
        (Pyodbc("HYT00", "Login timeout expired"), Transient, "timeout"),
        (Pyodbc("40001", "deadlock victim (1205)"), Transient, "deadlock"),
        (Psycopg('password authentication failed for user "u"'), Configuration, "password"),
        (Psycopg("relation", "42P01"), Configuration, "mapping"),
        (Psycopg("terminating connection", "57P01"), Away, "terminating"),
        (sqlite3.OperationalError("unable to open database file"), Configuration, "source.url"),
        (sqlite3.OperationalError("database is locked"), Transient, "locked"),
    ],
)
def test_a_drivers_error_becomes_one_of_ours(
    original: Exception, kind: type[AosError], says: str
) -> None:
    error = translated(failed(original), SERVER, "reading")
    assert type(error) is kind
    assert says in str(error)
    assert "pa55" not in str(error)
    assert "\n" not in str(error)


def test_an_error_that_no_driver_raised_is_ours() -> None:
    assert type(translated(SQLAlchemyError("odd"), SERVER, "reading")) is System


@pytest.mark.requirement("D3")
def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    engine = open_engine(settings(f"sqlite:///{tmp_path / 'none.db'}"))
    with (
        pytest.raises(Configuration, match="no such database"),
        reading(engine, "looking") as connection,
    ):
        connection.execute(text("SELECT 1"))
    engine.dispose()


def changed(**table: object) -> dict[str, object]:
    wide, long = document()["tables"]
    return {"tables": [{**wide, **table}, long]}


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (changed(table="daily"), "no table daily.*hourly, minutely"),
        (changed(station="stn"), "hourly has no column stn.*station"),
        (changed(cursor={"column": "ts", "id": "id"}), "hourly has no column ts"),
    ],
)
def test_a_mapping_that_does_not_fit_the_database_is_refused(
    little: Path, changes: dict[str, object], says: str
) -> None:
    engine = open_engine(settings(f"sqlite:///{little}"))
    with pytest.raises(Configuration, match=says), reading(engine, "looking") as connection:
        check_mapping(connection, mapping(**changes))
    engine.dispose()


@pytest.mark.requirement("D7")
def test_readings_are_counted_as_they_will_be_published(little: Path) -> None:
    insert(little, "hourly", [hourly(1), hourly(2, ta=None)])
    insert(little, "minutely", [minutely(1), minutely(2, no=1), minutely(3, code="SNOW")])
    engine = open_engine(settings(f"sqlite:///{little}"))
    assert count_readings(engine, mapping()) == {"temperature": Held(4, 4), "wind": Held(2, 2)}
    engine.dispose()
