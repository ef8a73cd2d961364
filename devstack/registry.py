"""The schema registry: Apicurio with Confluent's API, its schemas in an H2 file."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import ClassVar, Final

from devstack.fetch_maven import registry_directory
from devstack.java import java
from devstack.process import Command
from devstack.server import Server
from devstack.state import LOOPBACK
from runtime.errors import System

_HEAP_MEGABYTES: Final = 192
_API: Final = "/apis/ccompat/v7"
_COMPATIBILITY: Final = "BACKWARD_TRANSITIVE"


class Registry(Server):
    """The schema registry."""

    name: ClassVar[str] = "registry"
    port_names: ClassVar[tuple[str, ...]] = ("registry",)

    @property
    def url(self) -> str:
        """The Confluent-compatible API."""
        return f"http://{self.address}{_API}"

    def has_data(self) -> bool:
        """Tell whether the database file exists."""
        return (self.data / "registry.mv.db").exists()

    def prepare(self) -> None:
        """Make room for the database file; H2's lock goes with a killed process."""
        self.data.mkdir(parents=True, exist_ok=True)

    def command(self) -> Command:
        """Start Apicurio.

        Without ``WRITE_DELAY=0`` H2 writes up to half a second after its answer: a registry killed
        in between gives the same id to another schema, and old bytes decode wrongly.
        """
        home = registry_directory(self.place.cache)
        settings = {
            "quarkus.http.host": LOOPBACK,
            "quarkus.http.port": self.port,
            "quarkus.datasource.jdbc.url": f"jdbc:h2:file:{self.data / 'registry'};WRITE_DELAY=0",
            "quarkus.datasource.jdbc.initial-size": 1,
            "quarkus.datasource.jdbc.min-size": 1,
            "quarkus.datasource.jdbc.max-size": 8,
        }
        properties = [f"-D{name}={value}" for name, value in settings.items()]
        jar = next(home.glob("apicurio-registry-app-*-runner.jar"))
        return Command(java(_HEAP_MEGABYTES, *properties, "-jar", str(jar)), cwd=self.log.parent)

    def answers(self) -> bool:
        """List the subjects."""
        return self._request("GET", "/subjects") == http.client.OK

    def settle(self) -> None:
        """Demand that schemas stay readable; Apicurio's own default checks nothing."""
        body = json.dumps({"compatibility": _COMPATIBILITY})
        status = self._request("PUT", "/config", body)
        if status != http.client.OK:
            problem = (
                f"the registry at {self.url} refused compatibility {_COMPATIBILITY}: HTTP {status}"
            )
            raise System(problem, mend=f"see {self.log}")

    def _request(self, method: str, path: str, body: str | None = None) -> int:
        headers = {"Content-Type": "application/json"}
        try:
            with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)) as connection:
                connection.request(method, _API + path, body, headers)
                return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
