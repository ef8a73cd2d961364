"""Settings of lineage events: the section ``lineage``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class LineageSettings(BaseModel):
    """Whether OpenLineage hears of runs, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transport: Literal["off", "file", "http", "kafka"] = "off"
    """Where events go: nowhere, to a file, to a server of lineage, or to a topic."""

    file: str = "openlineage.jsonl"
    """The file, an event a line."""

    url: str = "http://127.0.0.1:5000"
    """The server; events go to its ``/api/v1/lineage``."""

    token: SecretStr = SecretStr("")
    """What the server asks for; empty: nothing."""

    topic: str = "aos.openlineage.v1"
    """The topic, in the deployment's namespace."""

    namespace: str = Field(default="aos", min_length=1)
    """The namespace of the jobs, whatever the datasets' are."""

    heartbeat_seconds: float = Field(default=300.0, gt=0)
    """How often a stage that runs says so."""
