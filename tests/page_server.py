"""The page with a network of 840 stations behind it, which nobody measures: data made up here."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import uvicorn
from fastapi import FastAPI, HTTPException

from operate.page.routes import files_router
from schemas.topics import PARAMETERS
from tests.waiting import eventually

STATIONS: Final = 840
POINTS: Final = 2000
BAD: Final = 1200
"""The point of every series that failed."""
_UNITS: Final = {"temperature": "degC", "humidity": "%", "pressure": "hPa", "rainfall": "mm"}


def station(number: int, now: datetime) -> dict[str, Any]:
    """Make one: every seventh is late, every fortieth flagged, every ninth due for calibration."""
    name = f"K{number:04d}"
    late = timedelta(hours=5) if number % 7 == 0 else timedelta(minutes=3)
    sensors = [
        {
            "sensor_id": f"{name}:{parameter}",
            "parameter": parameter,
            "model": "thermometer",
            "serial": f"S-{number}",
            "height": 2.0,
            "calibration_due": (now + timedelta(days=9)).isoformat() if number % 9 == 0 else None,
            "cadence_seconds": 600.0,
            "late_after_seconds": 1800.0,
            "observed_at": (now - late).isoformat(),
            "flag": 4 if number % 40 == 0 else 1,
            "score": 1.0,
            "reason": "range" if number % 40 == 0 else None,
            "values": [
                {"measure": m, "value": 7.5 + number % 20, "raw_value": 7.5, "unit": unit}
                for m, unit in _measures(parameter)
            ],
        }
        for parameter in PARAMETERS
    ]
    return {
        "station_id": name,
        "name": f"Station {number}",
        "wigos_id": f"0-20000-0-{number}",
        "elevation": float(number),
        "latitude": 33.5 + (number * 0.618) % 1 * 5,
        "longitude": 126.2 + (number * 0.377) % 1 * 3.2,
        "sensors": sensors,
    }


def _measures(parameter: str) -> list[tuple[str, str]]:
    if parameter == "wind":
        return [("wind_speed", "m/s"), ("wind_direction", "degree"), ("wind_gust", "m/s")]
    return [(parameter, _UNITS[parameter])]


def series(now: datetime) -> dict[str, Any]:
    """Make a fortnight of readings, one of which failed."""
    begin = now - timedelta(minutes=10 * POINTS)
    times = [(begin + timedelta(minutes=10 * (n + 1))).timestamp() * 1000 for n in range(POINTS)]
    values = [10 + 6 * math.sin(n * math.tau / 144) for n in range(POINTS)]
    points = {
        "time": times,
        "value": [None if n == BAD else v for n, v in enumerate(values)],
        "raw": [90.0 if n == BAD else v + 0.3 for n, v in enumerate(values)],
        "flag": [4 if n == BAD else 1 for n in range(POINTS)],
        "reason": ["range" if n == BAD else None for n in range(POINTS)],
    }
    told = {"unit": "degC", "resolution": "readings", "cadence_seconds": 600.0, "next": None}
    return {**told, "newest": now, "from": begin, "to": now, "points": points}


def quality(since: str, until: str) -> dict[str, Any]:
    """Make a day's counts for each day."""
    first, last = datetime.fromisoformat(since), datetime.fromisoformat(until)
    days = [f"{first + timedelta(days=n):%Y-%m-%d}" for n in range((last - first).days + 1)]
    counts = {"readings": 144, "good": 140, "not_evaluated": 0, "suspect": 2, "failed": 1}
    columns = {name: [number] * len(days) for name, number in {**counts, "missing": 1}.items()}
    one = {"days": {"day": days, **columns}, "reasons": [{"reason": "spike", "readings": 3}]}
    return {"from": since, "to": until, "parameters": dict.fromkeys(PARAMETERS, one)}


def flow(looks: int, now: datetime) -> dict[str, Any]:
    """Make what a look at the flow tells."""
    hop = {
        "raw": {"topic": "raw", "end": 1000 + looks, "rate": 14.2},
        "stream": {"lag": 7, "rate": 14.0},
        "clean": {"topic": "clean", "end": 990 + looks, "rate": 14.0},
        "sink": {"lag": 0, "rate": 13.9},
    }
    rates = {"raw": 71.0, "judged": 70.0, "clean": 70.0, "loaded": 69.5}
    lags = {"stream_lag": 35, "sink_lag": 0}
    history = [{"at": now - timedelta(seconds=2 * n), **rates, **lags} for n in range(20, -1, -1)]
    cursor = {"source": "aos", "table": "weather_minute", "mode": "timestamp", "position": "1"}
    counted = {"rows": 10_000, "readings": 50_000, "updated_at": now, "instance": "a"}
    return {
        "at": now,
        "over_seconds": 20.0,
        "parameters": [{"parameter": name, **hop} for name in PARAMETERS],
        "total": hop,
        "cursors": [{**cursor, **counted}],
        "history": history,
    }


def app() -> FastAPI:
    """Make the page and those parts of the API that this network has; jobs and so on it has not."""
    made, now, looks = FastAPI(), datetime.now(UTC), [0]
    all_stations = {one["station_id"]: one for one in (station(n, now) for n in range(STATIONS))}
    made.include_router(files_router())

    @made.get("/api/v1/stations")
    def stations(after: str = "", limit: int = 200) -> dict[str, Any]:
        found = sorted(name for name in all_stations if name > after)
        page = [all_stations[name] for name in found[:limit]]
        return {"stations": page, "next": found[limit - 1] if len(found) > limit else None}

    @made.get("/api/v1/stations/{name}")
    def one_station(name: str) -> dict[str, Any]:
        if name not in all_stations:
            raise HTTPException(404)
        return all_stations[name]

    @made.get("/api/v1/readings")
    def readings() -> dict[str, Any]:
        return series(now)

    @made.get("/api/v1/quality")
    def flags(since: str = "", until: str = "") -> dict[str, Any]:
        day = now.date()
        return quality(since or f"{day - timedelta(days=90)}", until or f"{day}")

    @made.get("/api/v1/flow")
    def flowing() -> dict[str, Any]:
        looks[0] += 1
        return flow(looks[0], datetime.now(UTC))

    return made


@contextmanager
def served() -> Iterator[str]:
    """Serve it on loopback, and give its address."""
    config = uvicorn.Config(app(), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    eventually(lambda: server.started)
    (bound,) = server.servers[0].sockets
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/page/"
    finally:
        server.should_exit = True
        thread.join()
