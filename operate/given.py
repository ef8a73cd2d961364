"""What is given on the command line: times, as people type and read them, and what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from runtime.errors import Configuration

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def micros_of(text: str, option: str) -> int:
    """Read a time that names its zone.

    >>> micros_of("1970-01-01T09:00:01+09:00", "FROM")
    1000000

    Raises:
        Configuration: it is no time, or of no zone: an hour that is guessed is the wrong hour.
    """
    mend = "write it with its zone, such as 2026-03-01T00:00Z or 2026-03-01T09:00+09:00"
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise wrong(text, "it is no time", mend, name=option) from error
    if at.tzinfo is None:
        raise wrong(text, "it has no zone", mend, name=option)
    return (at - _EPOCH) // _MICROSECOND


def text_of(micros: int) -> str:
    """Write a time.

    >>> text_of(1_000_000)
    '1970-01-01T00:00:01Z'
    """
    return (_EPOCH + micros * _MICROSECOND).isoformat().replace("+00:00", "Z")


def moment_of(micros: int) -> str:
    """Write when something was said, to the second.

    >>> moment_of(1_999_999)
    '1970-01-01T00:00:01Z'
    """
    return text_of(micros - micros % 1_000_000)


def moment(option: str, text: str) -> datetime:
    """Read a time; one without an offset is UTC.

    >>> moment("TIME", "2013-11-03T06:00").isoformat()
    '2013-11-03T06:00:00+00:00'

    Raises:
        Configuration: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        mend = "write it like 2013-11-03 or 2013-11-03T06:00"
        raise Configuration.of(option, text, "it is no time", mend=mend) from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def wrong(value: object, problem: str, mend: str, name: str) -> Configuration:
    """Name what was given, what is wrong with it, and the mend.

    >>> print(wrong("noon", "it is no time", "write it so", name="FROM"))
    FROM 'noon': it is no time. Mend: write it so
    """
    told = f"{name} {value!r}: {problem}"
    return Configuration(told, mend=mend)
