"""Who is told of alerts: Alertmanager, a webhook, people by mail; the log always."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any, Final

import httpx

from operate.alerts.settings import AlertSettings
from runtime.errors import Transient

_LOGGER: Final = logging.getLogger("aos.alerts")
_SECONDS: Final = 5.0
_HOLDS_FOR: Final = timedelta(minutes=10)
"""Alertmanager believes that an alert is over when it hears nothing more of it for so long."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is told: an alert has begun, or it is over."""

    name: str
    about: str
    severity: str
    summary: str
    runbook: str
    fired_at: datetime
    cleared_at: datetime | None = None

    @property
    def state(self) -> str:
        """Whether it has begun or is over."""
        return "resolved" if self.cleared_at else "firing"

    @property
    def headline(self) -> str:
        """Say it in a line."""
        return f"[{self.state}] {self.name} {self.about}: {self.summary}"

    def as_document(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "status": self.state,
            "alert": self.name,
            "about": self.about,
            "severity": self.severity,
            "summary": self.summary,
            "runbook": self.runbook,
            "fired_at": self.fired_at.isoformat(),
            "cleared_at": self.cleared_at.isoformat() if self.cleared_at else None,
        }


class Receivers:
    """Tells all that the settings name; ``client`` sends over HTTP."""

    def __init__(self, settings: AlertSettings, client: httpx.Client) -> None:
        self._settings = settings
        self._client = client

    def tell(self, notice: Notice) -> None:
        """Tell of one alert that has begun, or is over.

        Raises:
            Transient: somebody could not be told.
        """
        level = logging.INFO if notice.cleared_at else logging.WARNING
        _LOGGER.log(level, notice.headline, extra={"runbook": notice.runbook})
        try:
            self._over_http(notice)
            if self._settings.mail_to:
                self._mail(notice)
        except (httpx.HTTPError, OSError, smtplib.SMTPException) as error:
            # The address of a webhook is a secret, and httpx's messages may name it.
            problem = f"{notice.name} cannot be told: {type(error).__name__}"
            raise Transient(problem, mend="see the section alerts of the settings") from None

    def remind(self, notices: Sequence[Notice]) -> None:
        """Tell Alertmanager what still holds; it forgets what it does not hear of."""
        if self._settings.alertmanager_url and notices:
            with suppress(httpx.HTTPError):
                self._alertmanager(notices)

    def _over_http(self, notice: Notice) -> None:
        if self._settings.alertmanager_url:
            self._alertmanager([notice])
        if webhook := self._settings.webhook_url.get_secret_value():
            self._post(webhook, notice.as_document())

    def _alertmanager(self, notices: Sequence[Notice]) -> None:
        url = self._settings.alertmanager_url.rstrip("/") + "/api/v2/alerts"
        self._post(url, [_for_alertmanager(notice) for notice in notices])

    def _post(self, url: str, document: Any) -> None:
        self._client.post(url, json=document, timeout=_SECONDS).raise_for_status()

    def _mail(self, notice: Notice) -> None:
        settings = self._settings
        letter = EmailMessage()
        letter["Subject"] = f"aos-stream: {notice.headline}"
        letter["From"], letter["To"] = settings.mail_from, ", ".join(settings.mail_to)
        letter.set_content(f"{notice.summary}\n\nWhat to do: {notice.runbook}\n")
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_SECONDS) as server:
            if settings.smtp_tls:
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(letter)


def _for_alertmanager(notice: Notice) -> dict[str, Any]:
    ends = notice.cleared_at or datetime.now(UTC) + _HOLDS_FOR
    return {
        "labels": {
            "alertname": notice.name,
            "about": notice.about,
            "severity": notice.severity,
            "job": "aos",
        },
        "annotations": {"summary": notice.summary, "runbook_url": notice.runbook},
        "startsAt": notice.fired_at.isoformat(),
        "endsAt": ends.isoformat(),
    }
