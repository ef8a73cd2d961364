"""What is inserted is matched with what becomes visible, once each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from rich.console import Console

from operate.demo.live import Arrivals, Lines, Seen, drawn

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW = AT.timestamp()


def seen(sensor: str = "JFK:wind", at: datetime = AT, value: str | None = "3.5") -> Seen:
    station, parameter = sensor.split(":")
    known = None if value is None else Decimal(value)
    return Seen(parameter, station, sensor, at, known, "m/s", 1)


@pytest.mark.requirement("D5")
def test_latency_runs_from_the_commit_to_the_first_sight() -> None:
    arrivals = Arrivals()
    arrivals.insert(AT, 8, NOW)
    arrivals.see([seen()], NOW + 0.25)
    arrivals.see([seen(), seen("JFK:pressure")], NOW + 0.5)
    assert (arrivals.inserted, arrivals.visible) == (8, 2)
    assert list(arrivals.latencies) == [0.25, 0.5]


def test_readings_that_are_not_of_this_run_do_not_count() -> None:
    arrivals = Arrivals()
    arrivals.insert(AT, 8, NOW)
    arrivals.see([seen(at=AT - timedelta(seconds=5))], NOW + 1)
    assert arrivals.visible == 0


def test_what_is_long_past_is_forgotten() -> None:
    arrivals = Arrivals()
    for second in range(600):
        at = AT + timedelta(seconds=second)
        arrivals.insert(at, 1, at.timestamp())
        arrivals.see([seen(at=at)], at.timestamp() + 0.1)
    assert arrivals.visible == 600
    assert len(arrivals._seen) <= 61
    assert len(arrivals._committed) <= 61


def test_the_page_shows_arrivals_and_how_long_they_took() -> None:
    arrivals = Arrivals()
    arrivals.insert(AT, 2, NOW)
    arrivals.see([seen(), seen("EWR:wind", value=None)], NOW + 0.75)
    console = Console(width=100)
    with console.capture() as captured:
        console.print(drawn(arrivals))
    told = captured.get()
    assert all(word in told for word in ("12:00:00", "null", "0.75 s", "2 readings visible"))


def test_a_log_gets_a_line_for_each_insert_and_no_more() -> None:
    arrivals, console = Arrivals(), Console(width=40, force_terminal=False)
    with console.capture() as captured:
        draw = Lines(console)
        for second in range(3):
            arrivals.insert(AT + timedelta(seconds=second), 8, NOW + second)
            for _ in range(10):
                draw(arrivals)
    assert [line.split(" ", 1)[1] for line in captured.get().splitlines()] == [
        f"{rows} rows inserted · 0 readings visible" for rows in (8, 16, 24)
    ]
