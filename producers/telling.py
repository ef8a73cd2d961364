"""What the source says in its log when something is not as it should be, and what would mend it."""

from __future__ import annotations

import logging
from typing import Final

from producers.connection.server import Held
from runtime.errors import AosError, Transient

_LOGGER: Final = logging.getLogger("aos.source")


def tell_overdue(table: str, now: Held) -> None:
    """Tell that a table waits for a transaction in the source, or does so no more."""
    about = {"table": table}
    if not now.overdue:
        _LOGGER.info("no transaction is open any more that table %s waits for", table, extra=about)
        return
    seconds = now.oldest or 0.0
    _LOGGER.warning(
        "table %s: a transaction has been open in the source for %.0f s, longer than "
        "cursor.wait_seconds; %s. Mend: find it (sys.dm_tran_active_transactions, "
        "pg_stat_activity), and let it end",
        table, seconds, now.overdue, extra={**about, "oldest_seconds": seconds},
    )  # fmt: skip


def tell_unmapped(table: str, code: str) -> None:
    """Tell of a code that was met first and that the mapping does not name."""
    _LOGGER.warning(
        "table %s has code %r, which the mapping does not name: its rows are counted, "
        "not published. Mend: add a reading with this code to the mapping",
        table, code, extra={"table": table, "code": code},
    )  # fmt: skip


def tell_postponed(table: str, seconds: float, error: AosError) -> None:
    """Tell that a table could not be read, and for how long it is left alone."""
    _LOGGER.error("table %s waits %.1f s: %s", table, seconds, error, extra={"table": table})


def tell_retry(error: Transient, wait: float) -> None:
    """Tell that something did not answer and is tried again."""
    _LOGGER.warning("trying again in %.1f s: %s", wait, error)
