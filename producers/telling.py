"""What the source says in its log when something is not as it should be, and what would mend it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Final

from producers.connection.server import Held
from producers.reading.rows import Readings
from runtime.errors import AosError, Transient
from runtime.following import local, readings_of, tell

_LOGGER: Final = logging.getLogger("aos.source")
_READINGS: Final = readings_of("source")


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


def tell_published(table: str, readings: Readings) -> None:
    """Tell of each reading that was published, where somebody follows readings."""
    tell(_READINGS, "reading published", lambda: _published(table, readings))


def _published(table: str, readings: Readings) -> Iterator[dict[str, Any]]:
    for parameter, records in readings.records.items():
        for record in (one.as_record() for one in records):
            observed = record["observed_local"]
            yield {
                "sensor": record["sensor_id"],
                "observed_local": record.get("observed_text") if observed is None
                else local(observed),
                "parameter": parameter,
                "table": table,
                "source_key": record["source_key"],
                "source_version": record["source_version"],
                "op": record["op"],
            }  # fmt: skip
