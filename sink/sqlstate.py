"""What an error of the database means for us, by the class of its SQLSTATE.

The classes are those of the PostgreSQL documentation, appendix "PostgreSQL Error Codes".
"""

from __future__ import annotations

from typing import Final

import psycopg

from runtime.errors import AosError, Configuration, DataQuality, System, Transient

_TRANSIENT: Final = {
    "08": "see whether the database is up",
    "25006": "see whether the failover has ended",
    "40": "nothing: another transaction was in the way",
    "53": "free disk or memory of the database, or raise its max_connections",
    "55": "nothing: another transaction holds what is needed",
    "57": "see whether the database is up",
}
_DATA: Final = frozenset({"21", "22", "23", "44"})
_SETTING: Final = {
    "28": "correct sink.database_url and sink.password",
    "3D": "create the database, or correct sink.database_url",
    "3F": "run `aos db migrate`",
    "42501": "grant the right to the user of sink.database_url",
    "42": "run `aos db migrate`",
}


def translated(error: psycopg.Error, doing: str) -> AosError:
    """Say in our own tree what an error of the database means for whoever was ``doing`` something.

    >>> translated(psycopg.errors.UndefinedTable("no table"), "loading").mend
    'run `aos db migrate`'
    """
    problem = f"{doing}: {_said(error)}"
    state = error.sqlstate or ""
    if refuses_data(error):
        return DataQuality(problem, reason=f"refused_by_database_{state}".rstrip("_"))
    if mend := _found(_TRANSIENT, state):
        return Transient(problem, mend=mend)
    if mend := _found(_SETTING, state):
        return Configuration(problem, mend=mend)
    if isinstance(error, psycopg.OperationalError) and not state:
        return Transient(problem, mend=_TRANSIENT["08"])  # cut off without a word
    return System(problem, mend="see the log of the database")


def refuses_data(error: psycopg.Error) -> bool:
    """Say whether the data are at fault: then no other data need suffer for it."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.DataError)  # psycopg itself would not send it
    return error.sqlstate[:2] in _DATA


def refused(error: psycopg.Error, url: str) -> Configuration:
    """Say that the first connection failed: at start that is a wrong setting, whatever it was."""
    if isinstance(error, psycopg.ProgrammingError) and not error.sqlstate:
        # Neither it nor libpq's words are shown: who misspells an URL has often put a password in.
        problem = "setting sink.database_url is no URL of a database"
        return Configuration(problem, mend="write it as postgresql://user@host:5432/database")
    said = _said(error)
    # Of a login that failed libpq tells the server's words, not always its SQLSTATE.
    if (error.sqlstate or "") == "28P01" or "password authentication failed" in said:
        problem = f"setting sink.password: {said}, at sink.database_url = {url!r}"
        return Configuration(problem, mend="correct it, or the user in sink.database_url")
    mend = "start the database (`aos up` starts an embedded one), or correct it and sink.password"
    return Configuration.of("sink.database_url", url, said, mend=mend)


def _found(meanings: dict[str, str], state: str) -> str:
    return meanings.get(state) or meanings.get(state[:2], "")


def _said(error: psycopg.Error) -> str:
    """Give the server's own words on one line."""
    words = " ".join((error.diag.message_primary or str(error)).split())
    return f"{words} (SQLSTATE {error.sqlstate})" if error.sqlstate else words
