"""What the codes of database errors mean: tables, and one function that looks into them.

Drivers agree on little: SQL Server tells by error number, PostgreSQL by SQLSTATE, SQLite by text.
Each table holds what is known for certain; whatever is in none of them is taken for transient:
a wrong guess then costs a pause and a log line, and the other way round the stage.

Numbers of SQL Server: Microsoft, "Database Engine errors" and "Troubleshoot transient connection
errors". An error often carries several; one that says *later* outweighs one that says *never*,
since a database that is starting also refuses logins.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Passing(Enum):
    """What is to be done about an error that passes."""

    AGAIN = "ask the same server again"
    ELSEWHERE = "the server is away: another one may answer"
    LATER = "the server asks to be left alone for a while"


@dataclass(frozen=True, slots=True)
class Cause:
    """A setting that is wrong, why, and what to do."""

    setting: str
    problem: str
    mend: str


LEAVE_ALONE_SECONDS: Final = 10.0
"""How long a server that says 40501, or the like, is left alone at least."""

LOGIN: Final = Cause(
    "source.password",
    "the database refuses the login",
    "set source.password, or the user in source.url",
)
DATABASE: Final = Cause(
    "source.url", "there is no such database", "correct the name of the database, or its path"
)
TABLE: Final = Cause(
    "source.mapping",
    "a table or column is not there",
    "correct the mapping; `aos inspect` shows what is there",
)
RIGHTS: Final = Cause(
    "source.url", "the user may not read this", "grant SELECT on the mapped tables to the user"
)
NO_DATABASE_FILE: Final = Cause(
    "source.url", "the file is not an SQLite database", "correct the path in source.url"
)
NO_SNAPSHOT: Final = Cause(
    "source.url",
    "the database does not allow SNAPSHOT isolation, which this read needs",
    "ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON",
)
CERTIFICATE: Final = Cause(
    "source.url",
    "the server's certificate is not trusted",
    "install its authority here, or, knowing who may then listen, "
    "add TrustServerCertificate=yes to source.url",
)
NO_DRIVER: Final = Cause(
    "source.url",
    "the ODBC driver that it names is not here",
    "leave `driver` out of source.url, or install that driver",
)

Meaning = Passing | Cause

SQL_SERVER: Final[dict[int, Meaning]] = {
    **dict.fromkeys(
        (64, 121, 233, 997, 4060, 4221, 10053, 10054, 10060, 40143, 40197, 40540, 40613,
         42108, 42109),
        Passing.ELSEWHERE,
    ),
    **dict.fromkeys((1204, 1205, 1222, 41301, 41302, 41305, 41325, 41839), Passing.AGAIN),
    **dict.fromkeys((10928, 10929, 40501, 49918, 49919, 49920), Passing.LATER),
    18456: LOGIN, 208: TABLE, 207: TABLE, 229: RIGHTS, 230: RIGHTS, 3952: NO_SNAPSHOT,
}  # fmt: skip
SQLSTATES: Final[dict[str, Meaning]] = {
    **dict.fromkeys(("08001", "08003", "08004", "08006", "08007", "08S01", "HYT01"),
                    Passing.ELSEWHERE),
    **dict.fromkeys(("57P01", "57P02", "57P03", "53300"), Passing.ELSEWHERE),
    **dict.fromkeys(("40001", "40P01", "55P03", "57014", "HYT00"), Passing.AGAIN),
    "28P01": LOGIN, "28000": LOGIN, "3D000": DATABASE, "42P01": TABLE, "42703": TABLE,
    "42S02": TABLE, "42S22": TABLE, "42501": RIGHTS, "IM002": NO_DRIVER,
}  # fmt: skip
# psycopg gives no SQLSTATE for what fails while connecting, and sqlite3 never gives one.
TEXTS: Final[dict[str, Meaning]] = {
    "Can't open lib": NO_DRIVER,
    "certificate verify failed": CERTIFICATE,
    "password authentication failed": LOGIN,
    "no password supplied": LOGIN,
    'database ".*" does not exist': DATABASE,
    "unable to open database file": DATABASE,
    "file is not a database": NO_DATABASE_FILE,
    "no such (table|column)": TABLE,
}
# pyodbc ends each diagnostic with the server's number: "… (18456) (SQLDriverConnect); …".
_NUMBER: Final = re.compile(r"\((\d{2,5})\)(?=$|;| \()")


def numbers_in(text: str) -> list[int]:
    """Give the server's error numbers in a message of pyodbc.

    >>> numbers_in("[28000] varchar(64) Login failed. (18456) (SQLDriverConnect); [01000] x (4060)")
    [18456, 4060]
    """
    return [int(number) for number in _NUMBER.findall(text)]


def meaning_of(sqlstate: str, text: str) -> Meaning | None:
    """Say what an error means, by number, then SQLSTATE, then text; None where nobody knows."""
    known = [SQL_SERVER[n] for n in numbers_in(text) if n in SQL_SERVER]
    by_text = (meaning for pattern, meaning in TEXTS.items() if re.search(pattern, text))
    return _gravest(known) or next(by_text, None) or SQLSTATES.get(sqlstate)


def _gravest(known: Iterable[Meaning]) -> Meaning | None:
    found = list(known)
    return next((m for m in found if isinstance(m, Passing)), next(iter(found), None))
