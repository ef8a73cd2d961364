"""The section ``api`` of the settings."""

from __future__ import annotations

import ipaddress
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_LOCALHOST: Final = "localhost"


class ApiSettings(BaseModel):
    """Where the API listens, and what it wants to be told by whoever calls from elsewhere.

    >>> ApiSettings().is_loopback, ApiSettings(host="0.0.0.0").is_loopback
    (True, False)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", min_length=1)
    """Loopback, so that other hosts reach it only where this says so; they need the token then."""
    port: int = Field(default=8083, ge=0, le=65535)
    token: SecretStr = SecretStr("")
    """What stands behind ``Authorization: Bearer``; asked for wherever it is set."""
    sample_seconds: float = Field(default=5.0, gt=0)
    """How often the lag of every partition is looked at."""

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this host can reach it."""
        if self.host == _LOCALHOST:
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
