"""The watch: looks at the stages, decides by the rules, and has alerts told once and cleared once.

It needs the database only to agree with other watches on who tells: where that is away, which is
itself worth an alert, it tells by what it remembers.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from operate.alerts.ledger import Ledger
from operate.alerts.receivers import Notice, Receivers
from operate.alerts.rules import Alert, evaluate
from operate.alerts.samples import Snapshot
from operate.alerts.settings import AlertSettings
from runtime.errors import AosError, Transient

_LOGGER: Final = logging.getLogger("aos.alerts")
_MOST_LOOKS: Final = 40

Look = Callable[[float, Mapping[str, int]], Snapshot]


class Watch:
    """Looks when it is told to; ``look`` asks the stages, ``clock`` gives rising seconds."""

    def __init__(
        self,
        settings: AlertSettings,
        look: Look,
        ledger: Ledger,
        receivers: Receivers,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._look = look
        self._ledger = ledger
        self._receivers = receivers
        self._clock = clock
        self._looks: deque[Snapshot] = deque(maxlen=_MOST_LOOKS)
        self._since: dict[tuple[str, str], float] = {}
        self._told: dict[tuple[str, str], Notice] = {}
        self._cleared_alone: set[tuple[str, str]] = set()

    def look(self) -> list[Alert]:
        """Look once; give what is so now, and has been for long enough."""
        now = self._clock()
        self._looks.append(self._look(now, self._failed_jobs()))
        found = [self._with_runbook(one) for one in evaluate(self._looks, self._settings)]
        self._since = {one.key: self._since.get(one.key, now) for one in found}
        patient = self._settings.patience_seconds
        alerts = [one for one in found if now - self._since[one.key] >= patient]
        try:
            self._ledger.hold(alerts, self._tell, self._since)
            self._receivers.remind(self._ledger.standing())
        except AosError as error:
            _LOGGER.warning("alerts are told without their ledger: %s", error)
            self._without_ledger(alerts)
        return alerts

    def _failed_jobs(self) -> Mapping[str, int]:
        try:
            return self._ledger.failed_jobs()
        except AosError:
            return self._looks[-1].failed_jobs if self._looks else {}

    def _tell(self, notice: Notice) -> None:
        """Tell it, unless that was done while the ledger was away."""
        key = notice.name, notice.about
        if notice.cleared_at and key in self._cleared_alone:
            self._cleared_alone.discard(key)
            return
        before = self._told.pop(key, None) if notice.cleared_at else self._told.get(key)
        if before is None or notice.cleared_at:
            self._receivers.tell(notice)
        if not notice.cleared_at:
            self._told[key] = notice

    def _without_ledger(self, alerts: Sequence[Alert]) -> None:
        now = datetime.now(UTC)
        standing = {one.key: one for one in alerts}
        begun = [one for key, one in standing.items() if key not in self._told]
        over = [notice for key, notice in self._told.items() if key not in standing]
        try:
            for one in begun:
                self._tell(Notice(*one.key, one.severity, one.summary, one.runbook, now))
            for notice in over:
                self._tell(replace(notice, cleared_at=now))
                self._cleared_alone.add((notice.name, notice.about))
        except Transient as error:
            _LOGGER.warning("%s", error)

    def _with_runbook(self, alert: Alert) -> Alert:
        return replace(alert, runbook=f"{self._settings.runbooks}{alert.runbook}")
