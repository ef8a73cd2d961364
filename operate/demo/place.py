"""The directory of an embedded stack, with what the demo keeps there beside the servers' data.

::

    .aos/aos.yaml      settings for the stages, readable by their owner alone: a password is in it
    .aos/sample.db     the sample AOS
    .aos/stages.json   the stages that run
    .aos/logs/         what servers and stages log
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from devstack.sample import MAPPING
from devstack.stack import Database, Stack
from devstack.state import free_port

_PARTITIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Place:
    """One directory, by its absolute path."""

    directory: Path
    stack: Stack
    mapping: Path = MAPPING

    @classmethod
    def at(cls, directory: Path, db: Database | None = None, mapping: Path | None = None) -> Place:
        """Name the place, and the mapping if it is not the sample's own; nothing is made yet."""
        return cls(directory.absolute(), Stack.at(directory, db), (mapping or MAPPING).absolute())

    @property
    def settings(self) -> Path:
        """The settings of the stages."""
        return self.directory / "aos.yaml"

    @property
    def sample(self) -> Path:
        """The sample AOS."""
        return self.directory / "sample.db"

    @property
    def stages(self) -> Path:
        """Which stages run."""
        return self.directory / "stages.json"

    def log(self, stage: str) -> Path:
        """The log of a stage."""
        return self.directory / "logs" / f"{stage}.log"

    @property
    def page(self) -> str:
        """The address of the page, where the API serves it."""
        return f"http://127.0.0.1:{self.api_port()}/page/"

    def api_port(self) -> int:
        """Give the port of the API: that of the settings that are there, or else a free one."""
        if self.settings.exists():
            written = yaml.safe_load(self.settings.read_text(encoding="utf-8")) or {}
            if port := written.get("api", {}).get("port"):
                return int(port)
        return free_port()

    def is_up(self) -> bool:
        """Say whether the whole stack runs already."""
        parts = self.stack.status()
        return bool(parts) and all(part.state == "ready" for part in parts)

    def write_settings(self) -> None:
        """Write the settings for the stack as it runs; its password is for its owner's eyes."""
        document = settings_for(self.stack, self.sample, self.mapping)
        document["api"] = {"port": self.api_port()}
        aside = self.settings.with_suffix(".new")
        aside.unlink(missing_ok=True)
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yaml.safe_dump(document, file, sort_keys=False)
        aside.replace(self.settings)


def settings_for(stack: Stack, sample: Path, mapping: Path = MAPPING) -> dict[str, Any]:
    """Compose the settings of three stages that work on a stack.

    Each has a name that stays, so that one which is started again needs not wait for the session
    of the one before to run out.
    """
    database = urlsplit(stack.database_url)
    address = database._replace(netloc=f"{database.username}@{database.hostname}:{database.port}")
    return {
        "kafka": {"bootstrap_servers": stack.bootstrap_servers},
        "registry": {"url": stack.registry_url},
        "topics": {"partitions": _PARTITIONS},
        "source": {
            "url": f"sqlite:///{sample}",
            "mapping": str(mapping),
            "poll_seconds": 0.2,
            "instance": "demo",
        },
        "stream": {"instance": "demo"},
        "sink": {
            "database_url": address.geturl(),
            "password": database.password,
            "instance_id": "demo",
            "batch_seconds": 0.1,
        },
    }
