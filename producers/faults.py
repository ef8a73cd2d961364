"""What an error of the source database means, in our own tree of errors.

Drivers agree on little: SQL Server tells by error number, PostgreSQL by SQLSTATE, SQLite by text.
Each table below holds what is known for certain; whatever is in none of them is taken for
transient: a wrong guess then costs a pause and a log line, and the other way round the stage.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from runtime.errors import AosError, Configuration, System, Transient


@dataclass(frozen=True, slots=True)
class _Cause:
    """A setting that is wrong, why, and what to do."""

    setting: str
    problem: str
    mend: str

    def at(self, url: URL, problem: str) -> Configuration:
        """Make the error; a password is named, never shown."""
        shown = {"source.url": url.render_as_string(hide_password=True), "source.password": "***"}
        if self.setting not in shown:
            return Configuration(f"setting {self.setting}: {problem}", mend=self.mend)
        return Configuration.of(self.setting, shown[self.setting], problem, mend=self.mend)


_LOGIN: Final = _Cause(
    "source.password",
    "the database refuses the login",
    "set source.password, or the user in source.url",
)
_DATABASE: Final = _Cause(
    "source.url", "there is no such database", "correct the name of the database, or its path"
)
_TABLE: Final = _Cause(
    "source.mapping",
    "a table or column is not there",
    "correct the mapping; `aos inspect` shows what is there",
)
_RIGHTS: Final = _Cause(
    "source.url", "the user may not read this", "grant SELECT on the mapped tables to the user"
)
_NO_DATABASE_FILE: Final = _Cause(
    "source.url", "the file is not an SQLite database", "correct the path in source.url"
)

_SQL_SERVER: Final = {18456: _LOGIN, 4060: _DATABASE, 208: _TABLE, 207: _TABLE, 229: _RIGHTS}
_SQLSTATES: Final = {
    "28P01": _LOGIN, "28000": _LOGIN, "3D000": _DATABASE, "42P01": _TABLE, "42703": _TABLE,
    "42S02": _TABLE, "42S22": _TABLE, "42501": _RIGHTS,
}  # fmt: skip
# psycopg gives no SQLSTATE for what fails while connecting, and sqlite3 never gives one.
_TEXTS: Final = {
    "password authentication failed": _LOGIN,
    "no password supplied": _LOGIN,
    'database ".*" does not exist': _DATABASE,
    "unable to open database file": _DATABASE,
    "file is not a database": _NO_DATABASE_FILE,
    "no such (table|column)": _TABLE,
}
_NUMBER: Final = re.compile(r"\((\d{3,5})\)")


def translated(error: SQLAlchemyError, url: URL, doing: str) -> AosError:
    """Say what an error means for whoever was ``doing`` something; the password is never in it."""
    text = _one_line(error, url)
    if not isinstance(error, DBAPIError):
        return System(f"{doing}: {text}", mend="report it: this is a bug of ours")
    cause = _cause(error)
    if cause is None:
        return Transient(f"{doing}: {text}", mend="see whether the database is up")
    return cause.at(url, f"{doing}: {cause.problem} ({text})")


def _cause(error: DBAPIError) -> _Cause | None:
    original = error.orig
    numbers = [int(n) for n in _NUMBER.findall(str(original))]
    by_number = next((_SQL_SERVER[n] for n in numbers if n in _SQL_SERVER), None)
    return by_number or _SQLSTATES.get(_sqlstate(original)) or _by_text(str(original))


def _sqlstate(original: BaseException | None) -> str:
    state = getattr(original, "sqlstate", None) or (
        original.args[0] if original and original.args else ""
    )
    return str(state)


def _by_text(text: str) -> _Cause | None:
    return next((cause for pattern, cause in _TEXTS.items() if re.search(pattern, text)), None)


def _one_line(error: SQLAlchemyError, url: URL) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    text = " ".join(str(original).split())
    return text.replace(url.password, "***") if url.password else text
