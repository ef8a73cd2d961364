"""Puts the sample AOS on a SQL Server: the database, its rows, and a login that may only read.

Tables and rows come in one transaction, so the sample is whole or not there; one that is there
stays as it is. The login gets the password of today's secret. Run by docker-compose.yml alone.
"""  # noqa: INP001 - a script, in no package

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from devstack.sample import Table, insert_statement, tables

SECRETS: Final = Path("/run/secrets")
SERVER: Final = "sqlserver,1433"

# The server's certificate is its own, made at its first start; both ends are in one network.
_CONNECTION: Final = (
    "DRIVER={{ODBC Driver 18 for SQL Server}};SERVER={server};DATABASE={database};"
    "UID=sa;PWD={{{password}}};Encrypt=yes;TrustServerCertificate=yes"
)
_DATABASE: Final = "IF DB_ID(N'AOS') IS NULL CREATE DATABASE AOS"
_IS_THERE: Final = "SELECT OBJECT_ID(N'dbo.aws_minute')"
_LOGIN: Final = """\
IF SUSER_ID(N'aos_reader') IS NULL
    CREATE LOGIN aos_reader WITH PASSWORD = {password}, DEFAULT_DATABASE = AOS;
IF EXISTS (
    SELECT 1 FROM sys.sql_logins
    WHERE name = N'aos_reader' AND PWDCOMPARE({password}, password_hash) = 0
)
    ALTER LOGIN aos_reader WITH PASSWORD = {password};
IF USER_ID(N'aos_reader') IS NULL
    CREATE USER aos_reader FOR LOGIN aos_reader;
GRANT SELECT ON SCHEMA::dbo TO aos_reader;
"""

Connect = Callable[[str], Any]
"""Opens a database by its name, as the administrator; autocommit is on."""


def make(connect: Connect, reader_password: str) -> int:
    """Make what is missing and give the number of rows written."""
    connect("master").execute(_DATABASE)
    aos = connect("AOS")
    rows = 0 if aos.execute(_IS_THERE).fetchone()[0] else fill(aos)
    run(aos.cursor(), _LOGIN.format(password=literal(reader_password)))
    return rows


def fill(aos: Any) -> int:
    """Create the tables and write all rows, in one transaction."""
    aos.autocommit = False
    cursor = aos.cursor()
    run(cursor, "SET XACT_ABORT ON;\n" + _definition())
    rows = sum(insert(cursor, table) for table in tables())
    aos.commit()
    aos.autocommit = True
    return rows


def insert(cursor: Any, table: Table) -> int:
    """Write the rows of a table with the ids that they have in the sample."""
    rows = list(table.rows)
    own_ids = "id" in table.columns
    if own_ids:
        cursor.execute(f"SET IDENTITY_INSERT dbo.{table.name} ON")
    cursor.executemany(insert_statement(table), rows)
    if own_ids:
        cursor.execute(f"SET IDENTITY_INSERT dbo.{table.name} OFF")
    return len(rows)


def run(cursor: Any, batch: str) -> None:
    """Run a batch to its end: an error of a later statement shows only when one gets there."""
    cursor.execute(batch)
    while cursor.nextset():
        pass


def literal(text: str) -> str:
    """Quote a text for T-SQL, which takes no parameters in statements about logins.

    >>> literal("o'clock")
    "N'o''clock'"
    """
    return "N'" + text.replace("'", "''") + "'"


def connection_string(database: str, password: str) -> str:
    """Write the ODBC connection string of the administrator."""
    braced = password.replace("}", "}}")
    return _CONNECTION.format(server=SERVER, database=database, password=braced)


def _definition() -> str:
    return files("devstack.sample").joinpath("sqlserver.sql").read_text(encoding="utf-8")


def _secret(name: str) -> str:
    return (SECRETS / name).read_text(encoding="utf-8").strip()


def main() -> None:
    """Make the sample on the server of docker-compose.yml."""
    import pyodbc  # noqa: PLC0415 - needs the driver manager, which only the image is sure to have

    administrator = _secret("sqlserver_sa_password")

    def connect(database: str) -> Any:
        where = connection_string(database, administrator)
        return pyodbc.connect(where, autocommit=True, timeout=30)

    rows = make(connect, _secret("aos_reader_password"))
    told = f"{rows:,} rows written" if rows else "it was there already"
    sys.stdout.write(f"sample AOS: {told}\n")


if __name__ == "__main__":
    main()
