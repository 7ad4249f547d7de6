"""Each page says what the platform said, in both languages, escaped, and goes on where one part of it is refused."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from casemesh.cli.messages import Language
from casemesh.errors import CaseMeshError, InvalidArgument, NotFound, PermissionDenied, Unavailable
from casemesh.routing.v1 import exchange_pb2, time_limit_pb2
from casemesh.supervision.v1 import warning_pb2
from tests.support.console import (
    CASE,
    HOSTILE,
    NOW,
    WARNING,
    FakePlatform,
    RunningConsole,
    exchange,
    limit,
    registered_case,
    running_console,
    stamp,
    warning,
)

PURPOSE = "handling"
PATHS = ["/", f"/{CASE}", "/warnings", f"/{WARNING}", "/flows", "/log", "/traces"]


class Outline(HTMLParser):
    """What a page is made of, for people who do not see it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in tags]


def full_platform(**fields: object) -> FakePlatform:
    return FakePlatform(
        **{  # type: ignore[arg-type]
            "cases": [registered_case()],
            "exchanges": [
                exchange(3, state=exchange_pb2.EXCHANGE_STATE_ANSWERED, accept_time=stamp(NOW)),
                exchange(2, answers="exchanges/3", sender="agencies/procuratorate", recipient="agencies/police"),
                exchange(1),
            ],
            "limits": [limit(30), limit(2), limit(-1, state=time_limit_pb2.TIME_LIMIT_STATE_OVER)],
            "warnings": [warning()],
            **fields,
        }
    )


def state_purpose(console: RunningConsole, token: str, **fields: str) -> int:
    answer = console.post(f"/{CASE}/trail/purpose", {"form_token": token, "kind": PURPOSE, "text": "", **fields})
    return int(answer.status_code)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("path", PATHS)
def test_every_page_has_landmarks_labels_and_its_language(path: str, language: Language) -> None:
    console = running_console(full_platform(), language=language)
    console.enter()
    answer = console.client.get(path)
    assert answer.status_code == 200
    outline = Outline(answer.text)
    assert [one["lang"] for one in outline.of("html")] == ["zh-CN" if language is Language.CHINESE else "en"]
    assert [one["id"] for one in outline.of("main")] == ["content"]
    assert len(outline.of("h1")) == 1
    assert next(one["href"] for one in outline.of("a")) == "#content"
    assert [one["href"] for one in outline.of("a") if one.get("aria-current") == "page"] in (
        [],
        ["/" if path.startswith("/cases") else f"/{path.split('/')[1]}"],
    )
    labelled = {one["for"] for one in outline.of("label")}
    shown = [one for one in outline.of("input", "select", "textarea") if one.get("type") != "hidden"]
    assert {one["id"] for one in shown} <= labelled
    ids = [one["id"] for _, one in outline.tags if "id" in one]
    assert len(ids) == len(set(ids))
    assert {one["aria-labelledby"] for one in outline.of("section") if "aria-labelledby" in one} <= set(ids)


@pytest.mark.parametrize("path", PATHS)
def test_no_page_has_a_script_or_style_of_its_own(path: str) -> None:
    console = running_console(full_platform())
    console.enter()
    outline = Outline(console.client.get(path).text)
    assert all(one.get("src", "").startswith("/static/") for one in outline.of("script"))  # type: ignore[union-attr]
    assert outline.of("style") == []
    assert [tag for tag, one in outline.tags if "style" in one or any(name.startswith("on") for name in one)] == []


def test_what_the_platform_says_is_text_and_never_markup() -> None:
    platform = full_platform(
        cases=[registered_case(title=HOSTILE)],
        warnings=[warning(title_en=HOSTILE, explanation_en=HOSTILE, legal_basis=HOSTILE)],
        exchanges=[exchange(node=f"nodes/{HOSTILE}", sender=f"agencies/{HOSTILE}")],
        limits=[limit(2, unreckonable=HOSTILE)],
    )
    console = running_console(platform)
    token = console.enter()
    state_purpose(console, token)
    for path in [*PATHS, f"/{CASE}/trail"]:
        page = console.client.get(path).text
        assert HOSTILE not in page
    assert "&lt;script&gt;" in console.client.get(f"/{CASE}/trail").text


def test_the_language_is_chosen_for_the_session() -> None:
    console = running_console(full_platform())
    token = console.enter()
    assert "Cases" in console.client.get("/").text
    assert (
        console.post("/language", {"form_token": token, "language": "zh", "back": "/log"}).headers["location"] == "/log"
    )
    assert "案件" in console.client.get("/").text


def test_limits_that_are_over_or_near_stand_on_top_and_those_far_off_do_not() -> None:
    console = running_console(full_platform())
    console.enter()
    near = console.client.get("/").text.partition('id="near"')[2].partition("</section>")[0]
    assert near.index("invented limit -1") < near.index("invented limit 2")
    assert "invented limit 30" not in near
    assert "days over: 1" in near


def test_a_limit_shows_its_arithmetic_and_its_law() -> None:
    console = running_console(full_platform(), language=Language.CHINESE)
    console.enter()
    page = console.client.get(f"/{CASE}").text
    assert "期间 10日" in page
    assert "an invented law" in page


@pytest.mark.parametrize("method", ["ListTimeLimits", "ListExchanges", "GetProgress", "ListWarnings"])
def test_a_case_shows_what_it_can_where_one_part_is_refused(method: str) -> None:
    platform = full_platform()
    platform.refusing[method] = PermissionDenied("PERMISSION_MISSING", "not yours")
    console = running_console(platform)
    console.enter()
    answer = console.client.get(f"/{CASE}")
    assert answer.status_code == 200
    assert answer.text.count("This part cannot be shown") == 1
    assert "an invented theft" in answer.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("NOT_FOUND", "no"), 404),
        (PermissionDenied("PERMISSION_MISSING", "no"), 403),
        (InvalidArgument("FIELD_INVALID", "no"), 400),
        (Unavailable("DEPENDENCY_UNAVAILABLE", "no"), 503),
        (CaseMeshError("OF_A_LATER_RELEASE", "no"), 502),
    ],
)
def test_a_refusal_is_told_with_its_reason_and_trace(error: CaseMeshError, status: int) -> None:
    platform = full_platform()
    platform.refusing["GetCase"] = error
    console = running_console(platform)
    console.enter()
    answer = console.client.get(f"/{CASE}")
    assert answer.status_code == status
    assert error.reason in answer.text
    assert "Trace of this page" in answer.text


def test_a_page_that_is_not_there_says_so() -> None:
    console = running_console()
    console.enter()
    answer = console.client.get("/no-such-page")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


@pytest.mark.parametrize(
    ("path", "method"),
    [("resolve", "ResolveWarning"), ("not-applicable", "MarkNotApplicable"), ("acknowledge", "AcknowledgeWarning")],
)
def test_a_warning_is_answered_under_the_id_that_its_form_holds(path: str, method: str) -> None:
    console = running_console(full_platform())
    token = console.enter()
    page = console.client.get(f"/{WARNING}").text
    form = page.partition(f'action="/{WARNING}/{path}"')[2]
    request_id = form.partition('name="request_id" value="')[2].partition('"')[0]
    fields = {"form_token": token, "request_id": request_id, "reason": " invented words "}
    for _ in range(2):
        answer = console.post(f"/{WARNING}/{path}", fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/{WARNING}")
    sent = console.platform.requests(method)
    assert [(one.name, one.request_id) for one in sent] == [(WARNING, request_id)] * 2
    if path != "acknowledge":
        assert [one.reason for one in sent] == ["invented words"] * 2


def test_a_closed_warning_has_no_form() -> None:
    platform = full_platform(warnings=[warning(state=warning_pb2.WARNING_STATE_RESOLVED)])
    console = running_console(platform)
    console.enter()
    assert "/resolve" not in console.client.get(f"/{WARNING}").text
    assert WARNING not in console.client.get("/warnings").text
    assert WARNING in console.client.get("/warnings?view=done").text


def test_no_trail_is_read_before_a_purpose_is_stated() -> None:
    console = running_console(full_platform())
    token = console.enter()
    assert "For what purpose" in console.client.get(f"/{CASE}/trail").text
    assert console.platform.requests("ListCaseEvents") == []
    assert state_purpose(console, token, kind="of-no-kind") == 400
    assert console.platform.requests("ListCaseEvents") == []
    assert state_purpose(console, token) == 303
    assert "registered" in console.client.get(f"/{CASE}/trail").text
    [(_, _, metadata)] = [one for one in console.platform.asked if one[0] == "ListCaseEvents"]
    assert ("casemesh-purpose", PURPOSE) in metadata


def test_a_purpose_counts_for_its_case_alone() -> None:
    console = running_console(full_platform())
    token = console.enter()
    state_purpose(console, token)
    other = console.client.get("/cases/01970000-0000-7000-8000-000000000002/trail")
    assert "For what purpose" in other.text


def test_times_are_those_of_china() -> None:
    console = running_console(full_platform())
    token = console.enter()
    state_purpose(console, token)
    assert "2026-05-19 09:02" in console.client.get(f"/{CASE}/trail").text


@pytest.mark.parametrize("query", ["", "index=1", "size=3", "index=x&size=3", "index=-1&size=3", "index=1&size=1e3"])
def test_a_malformed_question_for_proofs_never_reaches_the_platform(query: str) -> None:
    console = running_console(full_platform())
    console.enter()
    assert console.client.get(f"/log/inclusion.json?{query}").status_code == 400
    assert console.platform.requests("GetInclusionProof") == []


def test_proofs_are_asked_for_in_bounded_numbers() -> None:
    console = running_console(full_platform())
    console.enter()
    query = "&".join(["index=1"] * 101)
    assert console.client.get(f"/log/inclusion.json?size=3&{query}").status_code == 400


@pytest.mark.parametrize(("profile", "source"), [({}, "platform"), ({"log_key": "pinned"}, "profile")])
def test_the_key_says_where_it_is_from(profile: dict[str, str], source: str) -> None:
    platform = full_platform()
    if profile:
        profile = {"log_key": platform.log.key}
    console = running_console(platform, **profile)
    console.enter()
    told = console.client.get("/log/checkpoint.json").json()
    assert (told["source"], told["key"], told["note"]) == (source, platform.log.key, platform.log.note())
