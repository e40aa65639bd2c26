"""The Overview page in a real Chromium, on the running demo."""

import json
import os
import shutil
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from aiobserve.embedded.postgres import EmbeddedPostgres
from tests.conftest import ROOT, Served

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 800}
LARGEST_PICTURE_BYTES = 900_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on this machine; Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Watched:
    """A page that remembers what went wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on(
            "console",
            lambda message: self.faults.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))
        page.add_init_script(
            "document.addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective))"
        )

    def show(self, url: str) -> Page:
        self.page.goto(url)
        self.page.wait_for_function("document.querySelectorAll('.js-plotly-plot .main-svg').length >= 10")
        return self.page


def open_page(browser: Browser, *, scheme: Any = "light", viewport: Any = WIDE) -> Watched:
    return Watched(browser.new_context(color_scheme=scheme, viewport=viewport, locale="en-GB").new_page())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_draws_its_charts_without_a_fault_and_is_kept_as_a_picture(
    browser: Browser, served: Served, tmp_path: Path, scheme: str
) -> None:
    watched = open_page(browser, scheme=scheme)
    page = watched.show(f"{served.url}/?org=demo")

    assert page.locator("html").get_attribute("data-theme") == scheme
    for chart in page.locator(".chart").all():
        assert chart.locator(".main-svg").count() > 0
        assert chart.get_attribute("role") == "img"
    picture = tmp_path / f"overview-{scheme}.png"
    page.screenshot(path=picture, full_page=True)
    assert watched.faults == []
    assert 50_000 < picture.stat().st_size < LARGEST_PICTURE_BYTES
    if os.environ.get("AIOBSERVE_KEEP_SCREENSHOTS"):
        images = ROOT / "docs" / "images"
        images.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, images / picture.name)


def test_the_tile_says_what_the_api_says(browser: Browser, served: Served) -> None:
    page = open_page(browser).show(f"{served.url}/?org=demo")
    query = urllib.parse.urlencode({"org": "demo", "group_by": "account"})
    with urllib.request.urlopen(f"{served.url}/api/v1/costs?{query}") as response:
        totals = json.load(response)["totals"]

    tile = page.locator('[data-measure="cost"]')

    assert tile.get_attribute("data-exact") == totals["exact"]["cost_microusd"]
    assert tile.locator(".value").inner_text().replace(",", "") == f"${totals['cost']['amount']}"


def test_the_theme_can_be_changed_and_stays(browser: Browser, served: Served) -> None:
    watched = open_page(browser)
    page = watched.show(f"{served.url}/?org=demo")

    page.locator("#theme").click()
    chosen = page.locator("html").get_attribute("data-theme")
    page.reload()

    assert chosen == page.locator("html").get_attribute("data-theme") == "dark"
    assert watched.faults == []


def test_a_telephone_scrolls_only_down(browser: Browser, served: Served) -> None:
    page = open_page(browser, viewport=NARROW).show(f"{served.url}/?org=demo")

    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_the_page_works_without_javascript(browser: Browser, served: Served) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{served.url}/?org=demo")

    assert page.locator("tfoot").first.inner_text().startswith("Total")


def test_the_scope_is_in_the_address(browser: Browser, served: Served) -> None:
    page = open_page(browser).show(f"{served.url}/?org=demo")

    page.locator("input[name=from]").fill("2026-10-20")
    page.locator("input[name=tz]").fill("Europe/Berlin")
    page.locator("form.scope button").click()
    page.wait_for_url("**from=2026-10-20**")

    assert "tz=Europe%2FBerlin" in page.url
    assert "19 Oct 2026 22:00" in page.locator(".headline").inner_text()


def test_hostile_names_stay_text(browser: Browser, served: Served) -> None:
    hostile = "<img src=x onerror=alert(1)><b>bold</b>"
    with psycopg.connect(EmbeddedPostgres(served.data_dir).url) as connection:
        connection.execute("UPDATE team SET name = %s WHERE name = 'Vision'", [hostile])
        connection.execute("UPDATE job SET name = %s || id WHERE state = 'pending'", [hostile])
    watched = open_page(browser)
    try:
        page = watched.show(f"{served.url}/?org=demo")

        assert page.locator("main img").count() == 0
        assert page.locator("main b").count() == 0
        assert hostile in page.locator("main").inner_text()
        assert watched.faults == []
    finally:
        with psycopg.connect(EmbeddedPostgres(served.data_dir).url) as connection:
            connection.execute("UPDATE team SET name = 'Vision' WHERE name = %s", [hostile])


def test_the_documentation_of_the_api_is_drawn_from_here(browser: Browser, served: Served) -> None:
    page = open_page(browser).page
    page.goto(f"{served.url}/api/v1/docs")

    page.get_by_role("heading", name="Cost, energy and carbon by any dimensions").first.wait_for()


def test_on_a_telephone_the_charts_keep_their_width_and_no_legend_lies_on_an_axis(
    browser: Browser, served: Served
) -> None:
    page = open_page(browser, viewport=NARROW).show(f"{served.url}/?org=demo")

    for chart in page.locator(".chart").all():
        name = chart.get_attribute("data-figure")
        width_px = chart.evaluate("one => one._fullLayout._size.w")
        legend = chart.locator(".legend").bounding_box()
        axis = [box for one in chart.locator(".xtick text").all() if (box := one.bounding_box())]
        assert width_px > NARROW["width"] / 2, f"{name} is {width_px:.0f} px wide"
        assert legend is not None and axis
        assert legend["y"] >= max(box["y"] + box["height"] for box in axis), f"{name}: its legend lies on its axis"


def test_the_plan_says_how_many_jobs_find_no_room(browser: Browser, served: Served) -> None:
    page = open_page(browser).show(f"{served.url}/?org=demo")
    rows = page.locator("section:has(#plan-title) tbody tr")
    without = rows.filter(has_text="no_capacity").count()

    drawn = page.locator("[data-figure=plan]").evaluate("one => one._fullLayout.yaxis.tickvals.length")

    assert drawn == rows.count() - without
    assert without > 0
    assert f"{without} of {rows.count()} jobs find no room" in page.locator("section:has(#plan-title)").inner_text()
