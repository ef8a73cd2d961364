"""The look back of a daily schedule: the last days again, by observation time.

It finds what no increment finds: rows that were changed without a new mark. It is a backfill whose
job is always called ``daily``; each day's is another round of it, so that a restart does not read
the same days twice, and what one day could not read the next one takes in.
"""

from __future__ import annotations

import logging
import threading
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from producers.backfill.job import run
from producers.backfill.options import Options
from producers.backfill.request import Request, Span
from producers.settings import SourceSettings
from runtime.errors import AosError
from runtime.kafka import KafkaSettings
from schemas.registry import RegistrySettings
from schemas.topics import Topics

JOB: Final = "daily"
_LOGGER: Final = logging.getLogger("aos.backfill")
_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)


def days_before(day: date, days: int) -> Request:
    """Ask for the days before ``day``.

    >>> [(span.end - span.start) // 86_400_000_000 for span in days_before(_EPOCH, 7).spans]
    [7]
    """
    end = day - _EPOCH
    return Request((Span((end - days * _DAY) // _MICROSECOND, end // _MICROSECOND),))


def look_back(
    settings: SourceSettings,
    kafka: KafkaSettings,
    registry: RegistrySettings,
    topics: Topics,
    stop: threading.Event,
    due: datetime,
) -> None:
    """Read the days before the one of ``due`` again; what goes wrong is logged, and left."""
    day = due.astimezone(ZoneInfo(settings.schedule_zone)).date()
    request = days_before(day, settings.reread_days)
    options = Options(request, JOB, workers=1, supersede=True)
    try:
        report = run(settings, kafka, registry, topics, options, stop)
    except AosError as error:
        _LOGGER.error("the days before %s are not read again: %s", day, error)  # noqa: TRY400
        return
    for table in report.tables:
        for problem in table.errors:
            _LOGGER.error("table %s, days before %s: %s", table.table, day, problem)
