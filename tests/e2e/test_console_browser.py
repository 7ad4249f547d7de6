"""The console in a real Chromium: what officers see, do and verify, also by keyboard alone and on a small screen."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from casemesh.cli.messages import Language
from casemesh.client.profile import Profile
from casemesh.client.session import Session
from casemesh.console.serving import listening, serve
from casemesh.routing.v1 import exchange_pb2, time_limit_pb2
from tests.support.console import (
    CASE,
    HOSTILE,
    NOW,
    WARNING,
    FakePlatform,
    exchange,
    limit,
    registered_case,
    stamp,
    warning,
)
from tests.support.platform import RunningPlatform

pytestmark = pytest.mark.timeout(300)

PATHS = ["/", f"/{CASE}", f"/{CASE}/trail", "/warnings", f"/{WARNING}", "/flows", "/log", "/traces"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# What WCAG 2.2 asks for at levels A and AA, as far as a machine can tell.
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def chromium() -> str:
    """Return the machine's Chromium; skips where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("needs Chromium, e.g. Debian's package `chromium`")


def axe() -> str:
    """Return axe-core as it comes with its Python package."""
    spec = importlib.util.find_spec("axe_playwright_python")
    assert spec is not None
    [folder] = spec.submodule_search_locations or []
    [script] = Path(folder).rglob("axe.min.js")
    return script.read_text(encoding="utf-8")


class Watched:
    """A page that notes what a browser complains about: scripts, the content policy, answers that fail."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)


@asynccontextmanager
async def browsing(**options: Any) -> AsyncIterator[tuple[Browser, BrowserContext]]:
    """Run a Chromium with one context."""
    program = chromium()
    async with async_playwright() as playwright:
        # Tests run as root in containers, where Chromium's own sandbox does not start.
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser, await browser.new_context(viewport=WIDE, **options)  # type: ignore[arg-type]
        finally:
            await browser.close()


@asynccontextmanager
async def served(session: Any, profile: Profile, language: Language = Language.ENGLISH) -> AsyncIterator[str]:
    """Serve a console and give the link its terminal shows."""
    links: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(
        serve(session, profile, listening("127.0.0.1:0"), announce=links.put_nowait, language=language)
    )
    try:
        yield await links.get()
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


def full_platform() -> FakePlatform:
    return FakePlatform(
        cases=[registered_case(title=HOSTILE)],
        exchanges=[
            exchange(3, state=exchange_pb2.EXCHANGE_STATE_ANSWERED, deliver_time=stamp(NOW), accept_time=stamp(NOW)),
            exchange(2, answers="exchanges/3", sender="agencies/procuratorate", recipient="agencies/police"),
        ],
        limits=[limit(30), limit(2), limit(-1, state=time_limit_pb2.TIME_LIMIT_STATE_OVER)],
        warnings=[warning(concerned=["agencies/police"], legal_basis="an invented law")],
    )


async def verify(page: Page, panel: str) -> list[tuple[str, str]]:
    """Press the panel's button, and return the class and text of each finding."""
    await page.locator(f"{panel} button").click()
    await page.wait_for_selector(f"{panel}[data-state=done], {panel}[data-state=failed]")
    lines = await page.locator(f"{panel} .findings li").all()
    return [(str(await line.get_attribute("class")), await line.inner_text()) for line in lines]


async def read_trail(page: Page, base: str, case: str) -> None:
    """Go to a trail, stating a purpose."""
    await page.goto(f"{base}/{case}/trail")
    await page.get_by_role("button", name=re.compile("Read the trail|查阅")).click()
    await page.wait_for_selector("#trail-verification")


async def test_an_officer_finds_a_case_and_proves_its_trail_in_the_browser(platform: RunningPlatform) -> None:
    case = await platform.register_case()
    profile = replace(platform.agencies["police"].officers[0], purpose="")
    async with (
        browsing() as (_, context),
        Session(profile) as session,
        served(session, profile) as link,
    ):
        watched = Watched(await context.new_page())
        page, base = watched.page, link.partition("/enter")[0]
        await page.goto(link)
        await page.locator(f"a[href='/{case}']").first.click()
        await page.wait_for_selector("h1:has-text('an invented theft')")
        async with asyncio.timeout(30):
            # Events reach the log through the services' outboxes, a moment after what they tell of.
            await read_trail(page, base, case)
            while not await page.locator("[data-index]").count():
                await page.reload()
        kinds = [kind for kind, _ in await verify(page, "#trail-verification")]
        assert kinds == ["holds", "holds", "holds"]
        await page.evaluate("document.querySelector('[data-index]').dataset.canonical = btoa('{}')")
        findings = await verify(page, "#trail-verification")
        assert findings[-1][0] == "fails"

        await page.goto(f"{base}/log")
        assert [kind for kind, _ in await verify(page, "#log-verification")] == ["holds", "doubt"]
        key = await page.locator("dd .mono").last.inner_text()
        await page.locator("#own-key").fill(key)
        assert [kind for kind, _ in await verify(page, "#log-verification")] == ["holds", "holds", "holds"]
        # The next trail read is a new entry, which the log must go on to from what this browser saw.
        await page.goto(f"{base}/{case}/trail")
        await page.goto(f"{base}/log")
        await page.locator("#own-key").fill(key)
        findings = await verify(page, "#log-verification")
        assert "continues" in findings[-1][1]
        assert watched.complaints == []


async def test_a_browser_that_saw_another_log_says_so() -> None:
    platform = full_platform()
    profile = Profile(name="lin", gateway="127.0.0.1:1", certificate=Path("."), log_key=platform.log.key)
    async with browsing() as (_, context), served(platform.session(), profile) as link:
        page = await context.new_page()
        await page.goto(link)
        await page.goto(f"{link.partition('/enter')[0]}/log")
        assert [kind for kind, _ in await verify(page, "#log-verification")] == ["holds", "holds", "holds"]
        await page.evaluate(
            """() => {
              const [name] = Object.keys(localStorage);
              const seen = JSON.parse(localStorage[name]);
              localStorage[name] = JSON.stringify({ ...seen, size: 4, root: btoa("x".repeat(32)) });
            }"""
        )
        findings = await verify(page, "#log-verification")
        assert findings[-1][0] == "fails"
        assert "does not continue" in findings[-1][1]
        await page.evaluate("localStorage.clear()")
        await verify(page, "#log-verification")
        await page.evaluate(
            """() => {
              const [name] = Object.keys(localStorage);
              localStorage[name] = JSON.stringify({ ...JSON.parse(localStorage[name]), size: 11 });
            }"""
        )
        assert "smaller" in (await verify(page, "#log-verification"))[-1][1]


@pytest.mark.parametrize(("language", "scheme"), [(Language.CHINESE, "light"), (Language.ENGLISH, "dark")])
async def test_every_page_fits_its_screen_and_is_accessible(language: Language, scheme: str) -> None:
    profile = Profile(name="lin", gateway="127.0.0.1:1", certificate=Path("."))
    async with (
        browsing(color_scheme=scheme) as (_, context),
        served(full_platform().session(), profile, language) as link,
    ):
        watched = Watched(await context.new_page())
        page, base = watched.page, link.partition("/enter")[0]
        await page.goto(link)
        await read_trail(page, base, CASE)
        found: dict[str, Any] = {}
        for path in PATHS:
            await page.goto(f"{base}{path}")
            for screen in (WIDE, NARROW):
                await page.set_viewport_size(screen)  # type: ignore[arg-type]
                wider = await page.evaluate(
                    "document.documentElement.scrollWidth > document.documentElement.clientWidth"
                )
                if wider:
                    found[f"{path} at {screen['width']}"] = "is wider than the screen"
            await page.evaluate(axe())
            result = await page.evaluate("tags => axe.run({ runOnly: tags })", AXE_TAGS)
            for violation in result["violations"]:
                found[f"{path} {violation['id']}"] = [node["html"] for node in violation["nodes"]][:3]
        assert found == {}
        assert watched.complaints == []


async def test_a_warning_is_answered_by_keyboard_alone() -> None:
    platform = full_platform()
    profile = Profile(name="lin", gateway="127.0.0.1:1", certificate=Path("."))
    async with browsing() as (_, context), served(platform.session(), profile) as link:
        page = await context.new_page()
        await page.goto(link)
        await page.goto(f"{link.partition('/enter')[0]}/{WARNING}")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.getAttribute('href')") == "#content"
        await page.keyboard.press("Enter")
        for _ in range(40):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.id") == "not-applicable-reason":
                break
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        await page.keyboard.type("an invented reason")
        await page.keyboard.press("Tab")
        async with page.expect_navigation():
            await page.keyboard.press("Enter")
        assert page.url.endswith(WARNING)
        assert ["an invented reason"] == [one.reason for one in platform.requests("MarkNotApplicable")]


async def test_another_sites_page_gets_nothing_through_the_officers_browser() -> None:
    platform = full_platform()
    profile = Profile(name="lin", gateway="127.0.0.1:1", certificate=Path("."))
    async with browsing() as (_, context), served(platform.session(), profile) as link:
        page, base = await context.new_page(), link.partition("/enter")[0]
        await page.goto(link)
        asked = len(platform.asked)
        acts = {
            "/log": "url => { location.href = url; }",
            f"/{WARNING}/acknowledge": """url => {
              const form = document.createElement("form");
              form.method = "post";
              form.action = url;
              document.body.append(form);
              form.submit();
            }""",
        }
        for path, act in acts.items():
            page = await context.new_page()
            await page.route(
                "http://evil.example/**", lambda route: route.fulfill(content_type="text/html", body="<p>")
            )
            await page.goto("http://evil.example/")
            async with page.expect_response(f"{base}{path}") as answer:
                # Later, so that the page is still there when it has been told.
                await page.evaluate(f"url => {{ setTimeout({act}, 0, url); }}", f"{base}{path}")
            assert (await answer.value).status == 403
        assert asked == len(platform.asked)
