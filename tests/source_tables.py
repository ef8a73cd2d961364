"""The wide table of the small AOS on a PostgreSQL, and servers of it behind proxies."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psycopg
import yaml
from sqlalchemy import make_url

from producers.settings import SourceSettings
from tests.sources import document
from tests.tcp_proxy import Proxy

ROWS: Final = 900
_TABLE: Final = """
CREATE TABLE hourly (id int PRIMARY KEY, station text, at timestamp, ta float8, ws float8,
                     wd float8, flag text, changed timestamp(6) NOT NULL);
INSERT INTO hourly SELECT n, 'S' || n % 7, timestamp '2020-01-01' + n / 7 * interval '1 hour',
    n % 30, 2, 90, NULL, timestamp '2020-01-01' + n / 100 * interval '1 second'
FROM generate_series(1, {rows}) AS n;
"""
_SHORT: Final = {"query_timeout_seconds": 1, "grace_seconds": 0.5, "login_timeout_seconds": 1}


def fill(address: str, rows: int = ROWS) -> None:
    """Make the table, with rows 1 to ``rows``."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(_TABLE.format(rows=rows).encode())


def through(proxy: Proxy, address: str) -> str:
    """Give the address of a database behind a proxy."""
    url = make_url(address).set(drivername="postgresql+psycopg", port=proxy.port, host="127.0.0.1")
    return url.render_as_string(hide_password=False)


def settings(first: str, *others: str, mapping: Path = Path("m.yaml")) -> SourceSettings:
    """Give the settings of a source with these endpoints, which is soon tired of waiting."""
    given = {"url": first, "endpoints": others, "mapping": mapping, **_SHORT}
    return SourceSettings.model_validate(given)


def mapping_of_hourly(path: Path) -> Path:
    """Write the mapping of this table alone to a file."""
    whole = document()
    path.write_text(yaml.safe_dump({**whole, "tables": whole["tables"][:1]}), encoding="utf-8")
    return path
