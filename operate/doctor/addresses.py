"""Where each part is said to be: host and port out of URLs, and whether anybody is there."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote_plus, urlsplit

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from operate.settings import Settings
from producers.settings import SourceSettings
from runtime.errors import Configuration, Transient

_SECONDS: Final = 3.0
_PORTS: Final = {"mssql": 1433, "postgresql": 5432, "http": 80, "https": 443}
_SERVER: Final = re.compile(r"(?i)(?:^|;)\s*server\s*=\s*(?:tcp:)?([^;,\\]+)(?:,(\d+))?")


class Address(NamedTuple):
    """A host and its port; ``setting`` names where that is said."""

    setting: str
    host: str
    port: int

    def __str__(self) -> str:
        """Write it as people do."""
        return f"{self.host}:{self.port}"


def of_kafka(settings: Settings) -> list[Address]:
    """Give the bootstrap servers."""
    servers = settings.kafka.bootstrap_servers.split(",")
    return [_named("kafka.bootstrap_servers", server.strip(), 9092) for server in servers]


def of_registry(settings: Settings) -> list[Address]:
    """Give where the registry is, or each of several."""
    found = [urlsplit(url.strip()) for url in settings.registry.url.split(",")]
    return [
        Address("registry.url", url.hostname or "", url.port or _PORTS.get(url.scheme, 80))
        for url in found
    ]


def of_database(settings: Settings) -> list[Address]:
    """Give where the database is; none if it is a socket of this host."""
    told = conninfo_to_dict(settings.sink.database_url)
    hosts = str(told.get("host") or "").split(",")
    ports = str(told.get("port") or _PORTS["postgresql"]).split(",")
    pairs = zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=False)
    return [
        Address("sink.database_url", host, int(port))
        for host, port in pairs
        if host and not host.startswith("/")
    ]


def of_source(source: SourceSettings) -> list[Address]:
    """Give where AOS is, each of its endpoints; none if it is a file.

    Raises:
        Configuration: a URL is none.
    """
    found = (_of_url(url) for url in (source.url, *source.endpoints))
    return [address for address in found if address]


def check_files(source: SourceSettings) -> str:
    """See that files are there which stand for a database.

    Raises:
        Configuration: one is missing.
    """
    for text in (source.url, *source.endpoints):
        url = make_url(text)
        if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
            problem = f"there is no file {url.database}"
            raise Configuration(problem, mend="correct source.url")
    return "a file, and it is there"


def resolve(addresses: Sequence[Address]) -> str:
    """Look up the names of hosts.

    Raises:
        Configuration: none of them is known.
    """
    unknown = [one for one in addresses if not _is_known(one)]
    if addresses and len(unknown) == len(addresses):
        names = ", ".join(dict.fromkeys(one.host for one in unknown))
        problem = f"no such host: {names}"
        mend = f"correct {unknown[0].setting}, or the name service of this host"
        raise Configuration(problem, mend=mend)
    return f"unknown: {', '.join(one.host for one in unknown)}" if unknown else ""


def connect(addresses: Sequence[Address]) -> str:
    """Open a connection to hosts, and close it again.

    Raises:
        Transient: none of them takes it.
    """
    refused = {one: told for one in addresses if (told := _refusal(one))}
    if addresses and len(refused) == len(addresses):
        first, told = next(iter(refused.items()))
        problem = f"nobody answers at {', '.join(map(str, refused))}: {told}"
        mend = f"start it, open the way to it, or correct {first.setting}"
        raise Transient(problem, mend=mend)
    return f"no answer from {', '.join(map(str, refused))}" if refused else ""


def _of_url(text: str) -> Address | None:
    setting = "source.url"
    try:
        url = make_url(text)
    except ArgumentError as error:
        problem = "it is no URL"
        mend = "write it like mssql+pyodbc://user@host:1433/database"
        raise Configuration.of(setting, "…", problem, mend=mend) from error
    port = url.port or _PORTS.get(url.get_backend_name(), 0)
    if url.host:
        return Address(setting, url.host, port)
    given = url.query.get("odbc_connect", "")
    found = _SERVER.search(unquote_plus(given if isinstance(given, str) else given[0]))
    return Address(setting, found[1].strip(), int(found[2] or port)) if found else None


def _named(setting: str, text: str, port: int) -> Address:
    parts = urlsplit(f"//{text}")
    return Address(setting, parts.hostname or "", parts.port or port)


def _is_known(address: Address) -> bool:
    try:
        return bool(socket.getaddrinfo(address.host, address.port))
    except (OSError, UnicodeError):
        return False


def _refusal(address: Address) -> str:
    try:
        with socket.create_connection((address.host, address.port), _SECONDS):
            return ""
    except OSError as error:
        return error.strerror or str(error)
