"""Which ODBC driver reaches SQL Server from here, and what it wants to be told.

Microsoft's driver comes first: as the library that PyPI's ``mssql-python`` brings, or installed in
the system. FreeTDS comes second: it is free, but asks whoever uses it to install the certificates.
pyodbc needs the system's driver manager, so it is imported only where a source is SQL Server.
"""

from __future__ import annotations

import importlib
import importlib.util
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from runtime.errors import Configuration

MICROSOFT: Final = "ODBC Driver 18 for SQL Server"
FREETDS: Final = "FreeTDS"

_PACKAGE: Final = "mssql_python_odbc"
_COMMON: Final = {"ApplicationIntent": "ReadOnly", "APP": "aos-stream"}
_OF_MICROSOFT: Final = {
    "Encrypt": "yes",
    "TrustServerCertificate": "no",
    "KeepAlive": "30",
    "KeepAliveInterval": "5",
    **_COMMON,
}
_OF_FREETDS: Final = {"Encryption": "require", "TDS_Version": "7.4", **_COMMON}
_FAMILIES: Final = {
    "debian": "debian_ubuntu", "ubuntu": "debian_ubuntu", "rhel": "rhel", "fedora": "rhel",
    "centos": "rhel", "suse": "suse", "opensuse": "suse", "alpine": "alpine",
}  # fmt: skip
_MACHINES: Final = {"aarch64": "arm64"}


def keywords_of(driver: str) -> Mapping[str, str]:
    """Give what a driver is told unless the URL says otherwise: encrypted, kept alive, for reading.

    >>> keywords_of("FreeTDS")["Encryption"], keywords_of(MICROSOFT)["Encrypt"]
    ('require', 'yes')
    """
    name = driver.lower()
    return _OF_FREETDS if "freetds" in name or "tdsodbc" in name else _OF_MICROSOFT


def find_driver() -> str:
    """Find the best driver that is here; the name is what ``DRIVER=`` takes.

    Raises:
        Configuration: there is none, or no driver manager.
    """
    installed = import_pyodbc().drivers()
    spec = importlib.util.find_spec(_PACKAGE)
    libraries = Path(spec.origin).parent / "libs" if spec and spec.origin else None
    brought = brought_driver(libraries, system_names(), platform.machine()) if libraries else None
    return best_driver(installed, brought)


def import_pyodbc() -> Any:
    """Import pyodbc.

    Raises:
        Configuration: the system's driver manager is not installed.
    """
    try:
        return importlib.import_module("pyodbc")
    except ImportError as error:
        setting, problem = "source.url", f"pyodbc does not load ({error})"
        mend = "apt-get install unixodbc"
        raise Configuration.of(setting, "mssql+pyodbc://", problem, mend=mend) from error


def best_driver(installed: Sequence[str], brought: Path | None) -> str:
    """Choose among drivers: Microsoft's that was brought, its newest installed one, FreeTDS.

    >>> best_driver(["FreeTDS", "ODBC Driver 17 for SQL Server"], None)
    'ODBC Driver 17 for SQL Server'

    Raises:
        Configuration: there is none.
    """
    if brought is not None:
        return str(brought)
    of_microsoft = sorted(name for name in installed if name.endswith("for SQL Server"))
    if of_microsoft:
        return of_microsoft[-1]
    if FREETDS in installed:
        return FREETDS
    setting, problem = "source.url", "no ODBC driver for SQL Server is here"
    mend = "pip install 'aos-stream[mssql]' for Microsoft's driver, or apt-get install tdsodbc"
    raise Configuration.of(setting, "mssql+pyodbc://", problem, mend=mend)


def brought_driver(libraries: Path, systems: Iterable[str], machine: str) -> Path | None:
    """Find Microsoft's library in its Python package: one for each system and machine.

    Args:
        libraries: the folder ``libs`` of the package.
        systems: what the system calls itself, most exact first: ``debian``.
        machine: the processor: ``x86_64``.
    """
    processor = _MACHINES.get(machine, machine)
    for family in dict.fromkeys(_FAMILIES[name] for name in systems if name in _FAMILIES):
        folder = libraries / "linux" / family / processor / "lib"
        if found := sorted(folder.glob("libmsodbcsql-*.so*")):
            return found[-1]
    return None


def system_names() -> list[str]:
    """Give what this system calls itself, and what it says it is like."""
    with suppress(OSError):
        told = platform.freedesktop_os_release()
        return [told.get("ID", ""), *told.get("ID_LIKE", "").split()]
    return []
