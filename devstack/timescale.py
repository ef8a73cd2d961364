"""TimescaleDB: compiled to WebAssembly, run by node, behind our own socket (``tsdb_wire``)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from devstack.databases import DatabaseServer
from devstack.fetch_npm import NODE, packages_directory
from devstack.process import Command

_SERVER: Final = Path(__file__).with_name("tsdb_wire") / "server.mjs"


class Timescale(DatabaseServer):
    """The database with hypertables; one backend for all its clients."""

    name: ClassVar[str] = "timescale"
    port_names: ClassVar[tuple[str, ...]] = ("timescale",)

    def has_data(self) -> bool:
        """Tell whether the database was initialised."""
        return (self.data / "PG_VERSION").exists()

    def prepare(self) -> None:
        """Make room for the database; it has no lock file that a crash could leave."""
        self.data.mkdir(parents=True, exist_ok=True)

    def command(self) -> Command:
        """Start the wire server."""
        settings = {
            "TSDB_PORT": str(self.port),
            "TSDB_PASSWORD": self.place.password,
            "TSDB_PACKAGES": str(packages_directory(self.place.cache)),
            "TSDB_DATA": str(self.data),
        }
        return Command([str(NODE), str(_SERVER)], cwd=self.log.parent, env=settings)
