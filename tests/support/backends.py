"""Prints at the end which tests ran on what, so that nobody takes a fake for the real thing."""

from __future__ import annotations

import os
from collections import Counter

import pytest

_BACKENDS = {
    "postgres": "native PostgreSQL",
    "stack": "embedded Kafka, registry and TimescaleDB",
}
_NOTHING = "nothing but the code"
_SERVERS = {
    "AOS_TEST_TIMESCALE_URL": "hypertables under concurrency, on a native TimescaleDB",
    "AOS_TEST_MSSQL_URL": "T-SQL on a real SQL Server",
}
_RAN: Counter[tuple[str, str]] = Counter()


def backend_of(item: pytest.Item) -> str:
    """Name what a test runs on, by the fixtures it asks for, or by its mark ``backend``."""
    if mark := item.get_closest_marker("backend"):
        return str(mark.args[0])
    fixtures = getattr(item, "fixturenames", ())
    found = [name for fixture, name in _BACKENDS.items() if fixture in fixtures]
    return " + ".join(found) or _NOTHING


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note the backend of each test, where the report will find it."""
    for item in items:
        item.user_properties.append(("backend", backend_of(item)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count a test once: when it was called, or failed or was skipped before that."""
    if report.when == "call" or (report.when == "setup" and report.outcome != "passed"):
        backend = dict(report.user_properties).get("backend", _NOTHING)
        _RAN[str(backend), report.outcome] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what ran on what, and what could not run here."""
    terminalreporter.section("what the tests ran on")
    for (backend, outcome), number in sorted(_RAN.items()):
        terminalreporter.write_line(f"{number:5} {outcome:8} {backend}")
    for variable, what in _SERVERS.items():
        if not os.environ.get(variable):
            terminalreporter.write_line(f"    - not run  {what} (set {variable})")
