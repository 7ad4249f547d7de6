"""Nobody but the officer's own browser gets a page, and no other site acts through it."""

from __future__ import annotations

import pytest

from casemesh.console.entry import IDLE_SECONDS
from casemesh.console.guard import MAX_FORM_BYTES, SECURITY_HEADERS
from tests.support.console import CASE, ORIGIN, WARNING, FakePlatform, link_key, running_console, warning

PATHS = [
    "/",
    f"/{CASE}",
    f"/{CASE}/trail",
    "/warnings",
    f"/{WARNING}",
    "/flows",
    "/log",
    "/log/checkpoint.json",
    "/traces",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_that_is_not_in_gets_no_page_and_asks_nothing_of_the_platform(path: str) -> None:
    console = running_console()
    assert console.client.get(path).status_code == 403
    assert console.platform.asked == []


def test_a_link_lets_in_once() -> None:
    console = running_console()
    console.enter()
    assert console.client.get("/").status_code == 200
    console.client.cookies.clear()
    assert console.client.get(console.links[-1].removeprefix(ORIGIN)).status_code == 403


def test_a_newer_link_makes_the_one_before_useless() -> None:
    console = running_console()
    console.entry.show_link()
    console.clock.move(60)
    console.entry.show_link()
    assert console.entry.enter(link_key(console.links[0])) is None
    assert console.entry.enter(link_key(console.links[1])) is not None


@pytest.mark.parametrize("key", ["", "x", "ü"])
def test_no_key_but_the_links_lets_in(key: str) -> None:
    console = running_console()
    assert console.entry.enter(key) is None
    console.entry.show_link()
    assert console.client.get("/enter", params={"key": key}).status_code == 403


def test_links_are_not_shown_faster_than_an_officer_reads() -> None:
    console = running_console()
    for _ in range(20):
        assert console.client.post("/link", headers={"origin": ORIGIN}).status_code == 200
    assert len(console.links) == 1


def test_a_browser_that_was_away_is_out() -> None:
    console = running_console()
    console.enter()
    console.clock.move(IDLE_SECONDS - 1)
    assert console.client.get("/").status_code == 200
    console.clock.move(IDLE_SECONDS + 1)
    assert console.client.get("/").status_code == 403


def test_who_leaves_is_out_whatever_the_cookie_says() -> None:
    console = running_console()
    token = console.enter()
    cookies = dict(console.client.cookies)
    assert console.post("/leave", {"form_token": token}).status_code == 200
    console.client.cookies.update(cookies)
    assert console.client.get("/").status_code == 403


def test_another_browser_puts_the_first_out() -> None:
    console = running_console()
    console.enter()
    first = dict(console.client.cookies)
    console.client.cookies.clear()
    console.enter()
    console.client.cookies.clear()
    console.client.cookies.update(first)
    assert console.client.get("/").status_code == 403


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites() -> None:
    console = running_console()
    console.entry.show_link()
    answer = console.client.get(console.links[-1].removeprefix(ORIGIN), follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8600", "127.0.0.1:8601", "127.0.0.1", ""])
def test_a_name_that_was_bound_to_loopback_gets_nothing(host: str) -> None:
    console = running_console()
    console.enter()
    answer = console.client.get("/", headers={"host": host})
    assert answer.status_code == 421
    assert "an invented theft" not in answer.text


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_fetch_a_page(site: str) -> None:
    console = running_console()
    console.enter()
    assert console.client.get("/", headers={"sec-fetch-site": site}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:9999", "https://127.0.0.1:8600", "null", ""]
)
def test_another_sites_form_changes_nothing(origin: str) -> None:
    console = running_console(FakePlatform(warnings=[warning()]))
    token = console.enter()
    answer = console.post(f"/{WARNING}/acknowledge", {"form_token": token}, origin=origin)
    assert answer.status_code == 403
    assert console.platform.requests("AcknowledgeWarning") == []


@pytest.mark.parametrize("token", ["", "x", "ü"])
def test_a_form_without_the_sessions_token_changes_nothing(token: str) -> None:
    console = running_console(FakePlatform(warnings=[warning()]))
    console.enter()
    assert console.post(f"/{WARNING}/acknowledge", {"form_token": token}).status_code == 403
    assert console.platform.requests("AcknowledgeWarning") == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"reason": "x" * MAX_FORM_BYTES}, 413), ({f"field{number}": "" for number in range(60)}, 400)],
    ids=["large", "many fields"],
)
def test_a_form_of_any_size_is_refused_before_it_is_read(fields: dict[str, str], status: int) -> None:
    console = running_console()
    token = console.enter()
    assert console.post("/language", {"form_token": token, **fields}).status_code == status


@pytest.mark.parametrize(
    "path", ["/", "/log", "/no-such-page", "/static/console.css", "/static/../app.py", "/log/inclusion.json"]
)
def test_every_answer_has_the_security_headers(path: str) -> None:
    console = running_console()
    console.enter()
    answer = console.client.get(path)
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_a_fault_has_the_security_headers_and_tells_nothing() -> None:
    console = running_console()
    console.enter()
    console.platform.refusing["ListWarnings"] = RuntimeError("a secret of the inside")  # type: ignore[assignment]
    answer = console.client.get("/warnings")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == SECURITY_HEADERS["content-security-policy"]
    assert "secret" not in answer.text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "evil"])
def test_choosing_a_language_leads_nowhere_else(back: str) -> None:
    console = running_console()
    token = console.enter()
    answer = console.post("/language", {"form_token": token, "language": "zh", "back": back})
    assert answer.headers["location"] == "/"
