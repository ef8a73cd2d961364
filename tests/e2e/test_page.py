"""The page in a real browser: a network of 840 stations, by keyboard, on a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests import page_server

CHROMIUM: Final = Path("/usr/bin/chromium")
SWITCHES: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
SCREENSHOTS: Final = os.environ.get("AOS_SCREENSHOTS", "")
VIEWS: Final = (
    *("flow", "stations", "quality", "letters", "replays", "jobs", "reports", "health"),
    "stations/K0040",
)
PATIENCE_MS: Final = 30_000

pytestmark = [
    pytest.mark.requirement("D11"),
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no browser at {CHROMIUM}"),
]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with page_server.served() as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*SWITCHES])
        yield started
        started.close()


class Visit:
    """A window of the browser, with all that went wrong in it."""

    def __init__(self, browser: Browser, address: str, width: int, scheme: str) -> None:
        self._address = address
        self.asked: set[str] = set()
        self.errors: list[str] = []
        size = {"width": width, "height": 800}
        context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("request", lambda one: self.asked.add(str(urlsplit(one.url).netloc)))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def to(self, view: str) -> Page:
        self.page.goto(f"{self._address}#/{view}")
        expect(self.page.locator("main h1")).to_be_visible(timeout=PATIENCE_MS)
        return self.page

    def keep(self, name: str) -> None:
        """Take a picture, where somebody keeps them."""
        if SCREENSHOTS:
            file = Path(SCREENSHOTS) / f"{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=file)

    def close(self) -> None:
        self.page.context.close()


@pytest.fixture
def wide(browser: Browser, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address, 1280, "light")
    yield visit
    visit.close()


@pytest.fixture
def narrow(browser: Browser, address: str) -> Iterator[Visit]:
    visit = Visit(browser, address, 360, "dark")
    yield visit
    visit.close()


def test_840_stations_are_found_sorted_and_turned_over_by_keyboard(wide: Visit) -> None:
    page = wide.to("stations")
    expect(page.locator(".head p")).to_contain_text("840 stations", timeout=PATIENCE_MS)
    expect(page.locator(".map .mark")).to_have_count(page_server.STATIONS)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(50)
    wide.keep("stations")

    page.get_by_role("button", name="Next").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pager")).to_contain_text("51 to 100 of 840")

    page.get_by_role("button", name="temperature").focus()
    page.keyboard.press("Enter")
    expect(rows.first.locator("td").nth(1)).to_contain_text("7.5")

    page.get_by_role("combobox", name="Show").select_option(label="newest reading flagged")
    expect(rows).to_have_count(21)
    page.get_by_label("Find").fill("K0040")
    expect(rows).to_have_count(1)
    rows.first.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("K0040")


def test_a_failed_reading_is_found_by_keyboard_and_said_in_words(wide: Visit) -> None:
    page = wide.to("stations/K0040")
    expect(page.locator(".legend")).to_contain_text("fail 1", timeout=PATIENCE_MS)
    page.locator("canvas").focus()
    page.keyboard.press("n")
    said = page.locator(".plot-said")
    expect(said).to_contain_text("fail (range)")
    expect(said).to_contain_text("raw 90.0 °C")
    wide.keep("station")
    with page.expect_request(lambda one: "/readings" in one.url and "from=" in one.url):
        page.keyboard.press("+")


def test_the_flow_shows_what_moves_and_what_waits_on_each_hop(wide: Visit) -> None:
    page = wide.to("flow")
    hops = page.locator(".stage")
    expect(hops).to_have_count(3)
    expect(hops.nth(1)).to_contain_text("14.0 /s")
    expect(hops.nth(1)).to_contain_text("7 wait")
    expect(hops.nth(2)).to_contain_text("nothing waits")
    wide.keep("flow")


def test_the_first_tab_leads_past_the_head(wide: Visit) -> None:
    page = wide.to("quality")
    page.locator("body").evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    expect(page.locator(".quality")).to_have_count(5)
    wide.keep("quality")


def test_every_view_fits_a_phone_in_the_dark_though_parts_of_the_api_are_absent(
    narrow: Visit,
) -> None:
    for view in VIEWS:
        page = narrow.to(view)
        expect(page.locator("main .card, main .empty").first).to_be_visible(timeout=PATIENCE_MS)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, view
        narrow.keep(f"phone-{view.replace('/', '-')}")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(14, 22, 28)"
    assert narrow.errors == []
    assert narrow.asked == {urlsplit(page.url).netloc}
