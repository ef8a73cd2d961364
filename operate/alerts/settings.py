"""The section ``alerts`` of the settings: what is watched, and who is told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class AlertSettings(BaseModel):
    """Where alerts go. With no receiver they stand in the log and in ``ops.alert``.

    >>> AlertSettings().has_receiver
    False
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    watch: bool = False
    """``aos jobs worker`` watches, too; where Prometheus does, leave it off."""
    every_seconds: float = Field(default=15.0, gt=0)
    patience_seconds: float = Field(default=60.0, ge=0)
    """For how long something has to be so before it is told; flapping is nobody's business."""
    stages: dict[str, str] = {}
    """Where each stage serves its metrics, by name; those whose port is set are known already."""
    lag_seconds: float = Field(default=300.0, gt=0)
    """The sink is behind when what waits takes longer than this at the pace it has."""
    dead_letters_per_minute: float = Field(default=1.0, ge=0)
    silent_sensors: int = Field(default=1, ge=1)
    late_seconds: float = Field(default=7200.0, gt=0)
    """A parameter is stale when its oldest sensor that still speaks is older than this."""
    low_share: float = Field(default=0.1, gt=0, le=1)
    """Quality drops when so great a part of the newest readings is below the threshold."""

    runbooks: str = "docs/runbooks/"
    """What stands before the name of a runbook in an alert: a folder, or the address of one."""
    alertmanager_url: str = ""
    webhook_url: SecretStr = SecretStr("")
    """Gets each alert as JSON; such addresses often hold a secret."""
    mail_to: tuple[str, ...] = ()
    mail_from: str = "aos-stream@localhost"
    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: bool = False

    @property
    def has_receiver(self) -> bool:
        """Whether anybody is told."""
        webhook = self.webhook_url.get_secret_value()
        return bool(self.alertmanager_url or webhook or self.mail_to)
