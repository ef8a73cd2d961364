"""Which driver reaches SQL Server and what it is told, and work that never comes back."""

from __future__ import annotations

import importlib
import struct
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url

from producers.connection import drivers
from producers.connection.database import for_reading, open_engine
from producers.connection.drivers import (
    MICROSOFT,
    best_driver,
    brought_driver,
    find_driver,
    import_pyodbc,
)
from producers.connection.watchdog import OverdueError, Watch, watched
from producers.settings import SourceSettings
from runtime.errors import Configuration

pytestmark = pytest.mark.requirement("A1", "E1")
AOS = make_url("mssql+pyodbc://reader@aos/AOS")


def brought(libraries: Path, *families: str) -> Path:
    for family in families:
        library = libraries / "linux" / family / "x86_64" / "lib" / "libmsodbcsql-18.6.so.2.1"
        library.parent.mkdir(parents=True)
        library.touch()
    return libraries


def test_microsofts_driver_comes_before_freetds_and_the_one_of_its_package_before_all() -> None:
    installed = ["FreeTDS", "ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server"]
    assert best_driver(installed, Path("/l/libmsodbcsql-18.so")) == "/l/libmsodbcsql-18.so"
    assert best_driver(installed, None) == MICROSOFT
    assert best_driver(["PostgreSQL ANSI", "FreeTDS"], None) == "FreeTDS"


def test_without_any_driver_both_ways_to_one_are_named() -> None:
    with pytest.raises(Configuration, match=r"aos-stream\[mssql\].*tdsodbc") as caught:
        best_driver(["SQLite3"], None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("systems", "family"),
    [
        (["debian"], "debian_ubuntu"),
        (["linuxmint", "ubuntu", "debian"], "debian_ubuntu"),
        (["rocky", "rhel", "centos", "fedora"], "rhel"),
        (["opensuse-leap", "suse", "opensuse"], "suse"),
    ],
)
def test_the_package_has_a_library_for_each_kind_of_system(
    tmp_path: Path, systems: list[str], family: str
) -> None:
    libraries = brought(tmp_path, "debian_ubuntu", "rhel", "suse")
    found = brought_driver(libraries, systems, "x86_64")
    assert found is not None
    assert found.relative_to(libraries).parts[1] == family


def test_a_system_or_machine_that_the_package_does_not_know_gets_none(tmp_path: Path) -> None:
    libraries = brought(tmp_path, "debian_ubuntu")
    assert brought_driver(libraries, ["gentoo"], "x86_64") is None
    assert brought_driver(libraries, ["debian"], "riscv64") is None


def test_a_missing_driver_manager_is_one_line_with_its_mend(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(name: str) -> None:
        problem = "libodbc.so.2: cannot open shared object file"
        raise ImportError(problem, name=name)

    monkeypatch.setattr(importlib, "import_module", fails)
    for call in (import_pyodbc, find_driver, lambda: open_engine(_settings(str(AOS)))):
        with pytest.raises(Configuration, match="apt-get install unixodbc") as caught:
            call()
        assert "\n" not in str(caught.value)


def test_every_driver_is_told_to_encrypt_in_its_own_words() -> None:
    microsoft = for_reading(AOS, "/l/libmsodbcsql-18.so").query
    assert (microsoft["Encrypt"], microsoft["TrustServerCertificate"]) == ("yes", "no")
    assert microsoft["KeepAlive"] == "30"
    freetds = for_reading(AOS, "FreeTDS").query
    assert (freetds["Encryption"], freetds["ApplicationIntent"]) == ("require", "ReadOnly")
    assert "Encrypt" not in freetds


def test_what_the_url_names_as_driver_decides_what_it_is_told() -> None:
    url = make_url("mssql+pyodbc://reader@aos/AOS?Driver=FreeTDS")
    assert for_reading(url, MICROSOFT).query["Encryption"] == "require"


def test_a_library_named_by_its_path_comes_whole_into_the_connection_string() -> None:
    url = for_reading(AOS, "/opt/a b/libmsodbcsql-18.6.so.2.1")
    (written,), _ = create_engine(url, module=_Pyodbc()).dialect.create_connect_args(url)
    assert "DRIVER={/opt/a b/libmsodbcsql-18.6.so.2.1}" in written
    assert "ApplicationIntent=ReadOnly" in written


def test_a_datetimeoffset_arrives_as_an_aware_time() -> None:
    converters: dict[int, Any] = {}
    connection = type("C", (), {"add_output_converter": lambda _s, k, f: converters.update({k: f})})
    create_engine("mssql+pyodbc://", module=_Pyodbc()).dialect.on_connect()(connection())
    told = struct.pack("<6hI2h", 2024, 3, 1, 9, 30, 0, 123_456_700, 9, 0)
    seoul = datetime(2024, 3, 1, 9, 30, 0, 123_456, tzinfo=timezone(timedelta(hours=9)))
    assert converters[-155](told) == seoul
    assert seoul.astimezone(UTC).hour == 0


def test_work_gives_and_raises_as_if_it_were_called() -> None:
    assert watched(lambda _watch: 7, 60) == 7
    with pytest.raises(ZeroDivisionError):
        watched(lambda _watch: 1 // 0, 60)


def test_work_that_blocks_is_left_behind_and_knows_it() -> None:
    released, seen = threading.Event(), threading.Event()

    def block(watch: Watch) -> None:
        released.wait()
        if watch.abandoned:
            seen.set()

    with pytest.raises(OverdueError):
        watched(block, 0.02)
    released.set()
    assert seen.wait(30)


def test_a_step_that_begins_has_all_its_time_again() -> None:
    now = [0.0]
    watch = Watch(5.0, clock=lambda: now[0])
    now[0] = 4.0
    assert watch.left() == 1.0
    watch.renew("any", "event")
    assert watch.left() == 5.0
    now[0] = 99.0
    assert watch.left() == 0.0


def test_the_package_of_microsofts_driver_is_looked_for_where_python_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / drivers._PACKAGE
    brought(package / "libs", "debian_ubuntu")
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(drivers, "system_names", lambda: ["debian"])
    monkeypatch.setattr(drivers.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(drivers, "import_pyodbc", _Pyodbc)
    assert find_driver().startswith(str(package))


def _settings(url: str) -> SourceSettings:
    return SourceSettings.model_validate({"url": url, "mapping": "m.yaml"})


class _Pyodbc:
    """What SQLAlchemy asks of the module before it connects."""

    Cursor = object
    paramstyle = "qmark"
    version = "5.2.0"
    Error = Exception

    def drivers(self) -> list[str]:
        return ["FreeTDS"]
