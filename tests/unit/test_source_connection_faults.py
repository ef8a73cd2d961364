"""What each code of an error means: one case for each that Microsoft documents as passing."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from producers.connection.faults import Away, Busy, translated
from runtime.errors import AosError, Configuration, Transient

SERVER = make_url("mssql+pyodbc://reader:pa55@aos:1433/AOS")
ELSEWHERE = (64, 121, 233, 997, 4060, 4221, 10053, 10054, 10060, 40143, 40197, 40540, 40613,
             42108, 42109)  # fmt: skip
AGAIN = (1204, 1205, 1222, 41301, 41302, 41305, 41325, 41839)
LATER = (10928, 10929, 40501, 49918, 49919, 49920)


class Pyodbc(Exception):
    """Carries SQLSTATE and message as its arguments, as pyodbc's errors do."""


class Psycopg(Exception):
    """Carries SQLSTATE as an attribute, as psycopg's errors do."""

    def __init__(self, message: str, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


def meant(
    original: Exception, *, lost: bool = False, statement: str | None = "SELECT 1"
) -> AosError:
    error: DBAPIError = OperationalError(statement, {}, original, connection_invalidated=lost)
    return translated(error, SERVER, "reading obs")


def numbered(number: int, state: str = "42000") -> Pyodbc:
    told = f"[{state}] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]varchar(208) it is so."
    return Pyodbc(state, f"{told} ({number}) (SQLExecDirectW)")


@pytest.mark.requirement("A1", "D3")
@pytest.mark.parametrize(
    ("number", "kind"),
    [
        *((number, Away) for number in ELSEWHERE),
        *((number, Transient) for number in AGAIN),
        *((number, Busy) for number in LATER),
        *((number, Configuration) for number in (18456, 208, 207, 229, 230, 3952)),
    ],
)
def test_each_number_of_sql_server_has_its_meaning(number: int, kind: type[AosError]) -> None:
    assert type(meant(numbered(number))) is kind


@pytest.mark.requirement("A1", "D3")
@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("08001", Away),
        ("08S01", Away),
        ("HYT01", Away),
        ("HYT00", Transient),
        ("40001", Transient),
        ("IM002", Configuration),
    ],
)
def test_each_sqlstate_of_odbc_has_its_meaning(state: str, kind: type[AosError]) -> None:
    assert type(meant(Pyodbc(state, f"[{state}] [unixODBC] so (0) (SQLExecDirectW)"))) is kind


@pytest.mark.requirement("D3")
@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("57P01", Away),
        ("57P03", Away),
        ("53300", Away),
        ("40P01", Transient),
        ("57014", Transient),
        ("55P03", Transient),
        ("42501", Configuration),
        ("3D000", Configuration),
    ],
)
def test_each_sqlstate_of_postgresql_has_its_meaning(state: str, kind: type[AosError]) -> None:
    assert type(meant(Psycopg("so", state))) is kind


@pytest.mark.requirement("D4")
def test_a_server_that_throttles_is_left_alone_for_ten_seconds_at_least() -> None:
    error = meant(numbered(40501))
    assert isinstance(error, Busy)
    assert error.seconds >= 10


@pytest.mark.requirement("D3")
def test_what_passes_outweighs_what_does_not() -> None:
    told = "[42000] not open (4060) (SQLDriverConnect); [28000] Login failed. (18456)"
    assert type(meant(Pyodbc("28000", told), statement=None)) is Away


@pytest.mark.requirement("D3")
def test_a_number_in_the_words_of_a_message_is_none() -> None:
    told = "[42000] [SQL Server]Arithmetic overflow, varchar(229). (8115) (SQLExecDirectW)"
    assert type(meant(Pyodbc("42000", told))) is Transient


@pytest.mark.parametrize(
    ("number", "says"),
    [(18456, "login"), (208, "aos inspect"), (229, "grant SELECT"), (3952, "ALLOW_SNAPSHOT")],
)
def test_fatal_ones_are_named_with_their_mend(number: int, says: str) -> None:
    assert says in str(meant(numbered(number)))


@pytest.mark.requirement("A5")
def test_a_connection_that_broke_or_was_never_made_is_away_whatever_it_says() -> None:
    assert type(meant(Psycopg("server closed the connection"), lost=True)) is Away
    assert type(meant(Psycopg("connection timeout expired"), statement=None)) is Away
    assert type(translated(PoolTimeout("no connection is free"), SERVER, "reading")) is Away


def test_a_query_that_ran_out_of_time_says_that_the_server_is_there() -> None:
    told = "[HYT00] [Microsoft] Query timeout expired (0) (SQLExecDirectW)"
    assert type(meant(Pyodbc("HYT00", told), lost=True)) is Transient
    assert type(meant(Pyodbc("HYT00", told), statement=None)) is Away


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("SSL Provider: certificate verify failed:unable to get issuer (-1)", "certificate"),
        ("[01000] [unixODBC][Driver Manager]Can't open lib 'x' : file not found (0)", "driver"),
    ],
)
def test_what_only_its_words_tell_is_told_by_them(text: str, says: str) -> None:
    error = meant(Pyodbc("08001", text), statement=None)
    assert type(error) is Configuration
    assert says in str(error)
