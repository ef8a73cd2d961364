"""What the page is told: rates, lags, spans, stations; and what it is made of."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from operate.freshness import Limits
from operate.page.files import STATIC, files
from operate.page.flow import Look, Sampler, lag, told
from operate.page.quality import quality
from operate.page.ranges import MOST_POINTS, Resolution, bounded, resolution
from operate.page.readings import MEASURES, measure_of, question
from operate.page.routes import files_router
from operate.page.stations import grouped, with_limits
from runtime.errors import Configuration
from schemas.topics import PARAMETERS, Topics

pytestmark = pytest.mark.requirement("D11")

TOPICS = Topics(partitions=2)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RAW, CLEAN = TOPICS.raw("wind"), TOPICS.clean("wind")
DAY = timedelta(days=1)


def look(at: float, raw: int, judged: int, clean: int, loaded: int) -> Look:
    """Take a look at one partition of wind."""
    when = NOON + timedelta(seconds=at)
    places = ((RAW, raw), (RAW, judged), (CLEAN, clean), (CLEAN, loaded))
    return Look(at, when, *({(topic, 0): offset} for topic, offset in places))


def wind(document: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in document["parameters"] if one["parameter"] == "wind")


@pytest.mark.requirement("D5")
def test_rates_are_what_moved_between_two_looks_and_lags_what_waits_after_the_last() -> None:
    looks = (look(0, 100, 90, 80, 80), look(10, 400, 290, 270, 170))
    found = wind(told(looks, TOPICS))
    assert found["raw"] == {"topic": RAW, "end": 400, "rate": 30.0}
    assert found["stream"] == {"lag": 109, "rate": 20.0}
    assert found["clean"] == {"topic": CLEAN, "end": 270, "rate": 19.0}
    assert found["sink"] == {"lag": 99, "rate": 9.0}
    assert told(looks, TOPICS)["total"]["raw"] == {"end": 400, "rate": 30.0}


def test_a_first_look_has_no_rates_and_an_old_one_is_not_compared_with() -> None:
    assert wind(told((look(0, 5, 5, 5, 5),), TOPICS))["raw"]["rate"] is None
    found = told((look(0, 0, 0, 0, 0), look(100, 700, 0, 0, 0), look(110, 800, 0, 0, 0)), TOPICS)
    assert (found["over_seconds"], wind(found)["raw"]["rate"]) == (10.0, 10.0)
    assert [point["raw"] for point in found["history"]] == [7.0, 10.0]


def test_a_topic_that_was_made_anew_does_not_flow_backwards() -> None:
    found = told((look(0, 900, 900, 900, 900), look(10, 5, 5, 5, 5)), TOPICS)
    assert wind(found)["raw"]["rate"] == 0


@given(st.integers(0, 50), st.integers(0, 50))
def test_the_mark_behind_the_last_record_is_no_lag(records: int, behind: int) -> None:
    end = records + behind + 1
    assert lag({("t", 0): end}, {("t", 0): records}) == behind


def test_however_many_ask_it_looks_once_a_second() -> None:
    class Counting:
        looks = 0

        def look(self) -> Look:
            self.looks += 1
            return look(self.looks * 1e9, 1, 1, 1, 1)  # later than any clock shows

    eyes = Counting()
    sampler = Sampler(eyes, TOPICS)
    assert sampler.flow()["parameters"] == sampler.flow()["parameters"]
    assert eyes.looks == 1


def test_a_span_has_a_zone_an_order_and_an_end() -> None:
    assert bounded(None, NOON, DAY, 9 * DAY).since == NOON - DAY
    for since in (NOON, NOON - 10 * DAY, (NOON - DAY).replace(tzinfo=None)):
        with pytest.raises(Configuration, match=r"^from"):
            bounded(since, NOON, DAY, 9 * DAY)


@given(st.integers(1, 10_000), st.integers(1, 86_400))
def test_no_plot_has_more_points_than_can_be_drawn(days: int, seconds: int) -> None:
    chosen = resolution(days * DAY, timedelta(seconds=seconds))
    width = {"10min": 600, "hour": 3600, "day": 86_400}.get(chosen.value, 0)
    assert days * 86_400 / max(width, seconds) <= MOST_POINTS


@pytest.mark.parametrize("fine", Resolution)
@pytest.mark.parametrize("measure", MEASURES)
def test_a_question_names_one_table_and_takes_the_rest_as_parameters(
    measure: str, fine: Resolution
) -> None:
    asked = question(MEASURES[measure], fine).as_string()
    suffix = "" if fine is Resolution.READINGS else f"_{fine.value}"
    assert re.findall(r'FROM "weather"\."(\w+)"', asked) == [MEASURES[measure].parameter + suffix]
    assert set(re.findall(r"%\((\w+)\)s", asked)) == {"sensor", "since", "until", "limit"}
    assert "OFFSET" not in asked


def test_what_is_asked_for_has_to_be_there() -> None:
    with pytest.raises(Configuration, match="no such measure"):
        measure_of("snow; DROP TABLE weather.wind")
    connection: Any = None  # it is not asked
    with pytest.raises(Configuration, match="no such parameter"):
        quality(connection, None, date(2026, 3, 1), ("snow",))
    with pytest.raises(Configuration, match="800 days"):
        quality(connection, date(2020, 1, 1), date(2026, 3, 1), PARAMETERS)


def test_a_station_is_where_its_readings_say_and_else_where_metadata_does() -> None:
    common = {
        "station_id": "A", "station_name": None, "wigos_id": None, "elevation": 3.0,
        "height": 2.0, "model": None, "serial": None, "calibration_due": None,
        "cadence_seconds": 60.0, "crs": "EPSG:4326", "x": 7.0, "y": 50.0, "parameter": "wind",
    }  # fmt: skip
    heard = {
        "sensor_id": "A:wind", "measure": "wind_speed", "value": 1.0, "raw_value": 1.0,
        "unit": "m/s", "observed_at": NOON, "flag": 1, "score": 1.0, "reason": None,
        "latitude": 51.0, "longitude": 8.0,
    }  # fmt: skip
    sensors = [{**common, "sensor_id": "A:wind"}]
    (found,) = grouped(["A"], sensors, [heard, {**heard, "measure": "wind_gust", "value": 2.0}])
    assert (found["latitude"], found["longitude"]) == (51.0, 8.0)
    (sensor,) = found["sensors"]
    assert [one["measure"] for one in sensor["values"]] == ["wind_speed", "wind_gust"]
    limits = Limits(3.0, timedelta(minutes=5))
    unknown = {"sensors": [{"cadence_seconds": None}]}
    first, other = with_limits([found, unknown], limits)
    waits = [one["sensors"][0]["late_after_seconds"] for one in (first, other)]
    assert waits == [300.0, 86_400.0], "as /api/v1/freshness has it"
    (silent,) = grouped(["A"], sensors, [])
    assert (silent["latitude"], silent["longitude"]) == (50.0, 7.0)
    assert silent["sensors"][0]["observed_at"] is None
    (nowhere,) = grouped(["A"], [{**sensors[0], "crs": "EPSG:5186"}], [])
    assert nowhere["latitude"] is None


def test_nothing_that_the_page_is_made_of_asks_another_host() -> None:
    for name, file in files().items():
        found = re.findall(r"https?://[^\s\"'<>]+", file.content.decode())
        assert {one for one in found if not one.startswith("http://www.w3.org/")} == set(), name
    app = FastAPI()
    app.include_router(files_router())
    answer = TestClient(app).get("/page/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_file_that_a_browser_has_is_not_sent_again_and_no_other_is_found() -> None:
    app = FastAPI()
    app.include_router(files_router())
    client = TestClient(app)
    first = client.get("/page/main.js")
    again = client.get("/page/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/page/../routes.py").status_code == 404
    assert client.get("/page/%2e%2e/routes.py").status_code == 404


def test_modules_import_only_what_is_there() -> None:
    for path in STATIC.glob("*.js"):
        for name in re.findall(r"(?:from|import\()\s*\"\./([\w.]+)\"", path.read_text("utf-8")):
            assert (STATIC / name).exists(), f"{path.name} imports {name}"


def luminance(colour: str) -> float:
    """Give the relative luminance of a colour, after WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: int) -> None:
    """WCAG 2.2 asks for 4.5 (success criterion 1.4.3)."""
    told_colours = re.findall(
        r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", (STATIC / "page.css").read_text("utf-8")
    )
    colours = {name: both[scheme] for name, *both in told_colours}
    flags = ("good", "suspect", "fail", "missing", "unjudged", "accent")
    pairs = [(text, ground) for text in ("ink", "muted") for ground in ("ground", "sheet", "sunk")]
    pairs += [(flag, "sheet") for flag in flags] + [(flag, f"{flag}-soft") for flag in flags]
    pairs += [("on-accent", "accent")]
    faint = {pair for pair in pairs if contrast(colours[pair[0]], colours[pair[1]]) < 4.5}
    assert faint == set()
