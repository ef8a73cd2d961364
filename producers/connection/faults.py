"""What an error of the source database means, in our own tree of errors.

Two refinements of ``Transient`` say where to go on: ``Away`` (another server of the same data may
answer) and ``Busy`` (this one is to be left alone for a while). What the codes mean stands in
:mod:`producers.connection.fault_codes`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from producers.connection.fault_codes import LEAVE_ALONE_SECONDS, Cause, Passing, meaning_of
from runtime.errors import AosError, Configuration, System, Transient

_MEND: Final = "see whether the database is up"


class Away(Transient):
    """The server does not answer, or the connection to it is lost."""


class Busy(Transient):
    """The server asks to be left alone for ``seconds`` at least."""

    def __init__(self, message: str, *, mend: str = "", seconds: float) -> None:
        super().__init__(message, mend=mend)
        self.seconds = seconds


def translated(error: SQLAlchemyError, url: URL, doing: str) -> AosError:
    """Say what an error means for whoever was ``doing`` something; the password is never in it."""
    text = f"{doing}: {_one_line(error, url)}"
    if isinstance(error, PoolTimeout):
        return Away(text, mend=_MEND)
    if not isinstance(error, DBAPIError):
        return System(text, mend="report it: this is a bug of ours")
    meaning = meaning_of(_sqlstate(error.orig), _words(error.orig))
    if isinstance(meaning, Cause):
        return _configuration(meaning, url, f"{doing}: {meaning.problem} ({_one_line(error, url)})")
    return _passing(meaning, text, lost=_is_lost(error))


def _passing(meaning: Passing | None, text: str, *, lost: bool) -> Transient:
    if meaning is Passing.LATER:
        return Busy(text, mend="ask less of the server", seconds=LEAVE_ALONE_SECONDS)
    if meaning is Passing.ELSEWHERE or lost:
        return Away(text, mend=_MEND)
    return Transient(text, mend=_MEND)


def _is_lost(error: DBAPIError) -> bool:
    """Say whether there is no connection: it broke, or was never made (no statement was sent).

    A query that ran out of time counts as broken for SQLAlchemy, and rightly so: its connection is
    of no further use. But the server is there.
    """
    if error.statement is None:
        return True
    return error.connection_invalidated and _sqlstate(error.orig) != "HYT00"


def _configuration(cause: Cause, url: URL, problem: str) -> Configuration:
    """Make the error; a password is named, never shown."""
    shown = {"source.url": url.render_as_string(hide_password=True), "source.password": "***"}
    if cause.setting not in shown:
        return Configuration(f"setting {cause.setting}: {problem}", mend=cause.mend)
    return Configuration.of(cause.setting, shown[cause.setting], problem, mend=cause.mend)


def _sqlstate(original: BaseException | None) -> str:
    state = getattr(original, "sqlstate", None) or (
        original.args[0] if original and original.args else ""
    )
    return str(state)


def _words(original: BaseException | None) -> str:
    """Give the message; pyodbc's errors are pairs of SQLSTATE and message."""
    args = original.args if original else ()
    return str(args[1] if len(args) > 1 else original)


def _one_line(error: SQLAlchemyError, url: URL) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    text = " ".join(_words(original).split())
    return text.replace(url.password, "***") if url.password else text
