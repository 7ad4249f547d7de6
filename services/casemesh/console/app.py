"""The console: pages over one officer's session with the platform.

It is a client like any other. It holds no data and decides no right: each page is calls through the gateway with the
officer's certificate and token, and shows what came back, or that nothing did.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from casemesh.cli.messages import Language
from casemesh.client.profile import Profile, ProfileError
from casemesh.client.session import Session
from casemesh.client.trail import TrailError
from casemesh.console import case_pages, flow_pages, log_pages, overview_pages, trace_pages, trail_pages, warning_pages
from casemesh.console.entry import Entry
from casemesh.console.guard import Guard, Place
from casemesh.console.names import Names, NameSource
from casemesh.console.page import Desk, Page, see_other
from casemesh.core.clock import Clock, SystemClock
from casemesh.errors import (
    AlreadyExists,
    CaseMeshError,
    Conflict,
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)

Handler = Callable[[Page], Awaitable[Response]]

_STATUS: tuple[tuple[tuple[type[CaseMeshError], ...], HTTPStatus], ...] = (
    ((NotFound,), HTTPStatus.NOT_FOUND),
    ((PermissionDenied, Unauthenticated), HTTPStatus.FORBIDDEN),
    ((InvalidArgument, OutOfRange), HTTPStatus.BAD_REQUEST),
    ((FailedPrecondition, AlreadyExists, Conflict), HTTPStatus.CONFLICT),
    ((ResourceExhausted,), HTTPStatus.TOO_MANY_REQUESTS),
    ((Unavailable, DeadlineExceeded), HTTPStatus.SERVICE_UNAVAILABLE),
)
_NO_NAMES = Names({}, {})


def console(session: Session, profile: Profile, *, place: Place, entry: Entry, clock: Clock | None = None) -> ASGIApp:
    """Return the console as an ASGI application.

    `session` is entered and of `profile`; it must state no purpose of its own, since the officer states one for each
    case. Only the browser that `entry` let in gets a page, only at `place`.
    """
    desk = Desk(session, profile, NameSource(session), clock or SystemClock())

    def route(path: str, handler: Handler, method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            names = await desk.names.current()
            return await handler(Page(request, desk, names, (await session.identity()).agency))

        return Route(path, endpoint, methods=[method])

    def bare(request: Request) -> Page:
        return Page(request, desk, _NO_NAMES)

    async def enter(request: Request) -> Response:
        browser = entry.enter(request.query_params.get("key", ""))
        if browser is None:
            return await refuse(request, HTTPStatus.FORBIDDEN, "refused.link")
        answer = see_other("/")
        answer.set_cookie(place.cookie, browser.key, httponly=True, samesite="strict", secure=place.is_tls, path="/")
        return answer

    async def link(request: Request) -> Response:
        entry.show_link()
        return bare(request).render("refused.html", reason="refused.link_shown", can_ask=False)

    async def leave(page: Page) -> Response:
        entry.leave()
        answer = page.render("refused.html", reason="refused.left", can_ask=True)
        answer.delete_cookie(place.cookie, path="/", httponly=True, samesite="strict", secure=place.is_tls)
        return answer

    async def refuse(request: Request, status: int, reason: str) -> Response:
        can_ask = reason in ("refused.nobody", "refused.link")
        return bare(request).render("refused.html", status, reason=reason, can_ask=can_ask)

    async def failed(request: Request, error: Exception) -> Response:
        return _failure(bare(request), error)

    pages = Starlette(
        routes=[
            Route("/enter", enter),
            Route("/link", link, methods=["POST"]),
            route("/leave", leave, "POST"),
            route("/language", _choose_language, "POST"),
            route("/", overview_pages.overview),
            route("/cases/{case}", case_pages.case_page),
            route("/cases/{case}/trail", trail_pages.trail_page),
            route("/cases/{case}/trail/purpose", trail_pages.state_purpose, "POST"),
            route("/cases/{case}/trail/key.json", log_pages.certified_key),
            route("/warnings", warning_pages.warnings_page),
            route("/warnings/{warning}", warning_pages.warning_page),
            route("/warnings/{warning}/acknowledge", warning_pages.acknowledge, "POST"),
            route("/warnings/{warning}/resolve", warning_pages.resolve, "POST"),
            route("/warnings/{warning}/not-applicable", warning_pages.mark_not_applicable, "POST"),
            route("/flows", flow_pages.flows_page),
            route("/log", log_pages.log_page),
            route("/log/checkpoint.json", log_pages.checkpoint),
            route("/log/inclusion.json", log_pages.inclusion),
            route("/log/consistency.json", log_pages.consistency),
            route("/traces", trace_pages.traces_page),
            route("/traces/{trace}", trace_pages.trace_page),
            Mount("/static", StaticFiles(packages=[("casemesh.console", "static")])),
        ],
        exception_handlers={
            CaseMeshError: failed,
            ProfileError: failed,
            TrailError: failed,
            HTTPException: failed,
            Exception: failed,
        },
    )
    # Around all of it, not among its middleware: answers to faults have the headers, too.
    return Guard(pages, place=place, entry=entry, refuse=refuse)


def status_of(error: Exception) -> HTTPStatus:
    """Return the HTTP status for a failure."""
    if isinstance(error, HTTPException):
        return HTTPStatus(error.status_code)
    for kinds, status in _STATUS:
        if isinstance(error, kinds):
            return status
    is_of_platform = isinstance(error, CaseMeshError | TrailError)
    return HTTPStatus.BAD_GATEWAY if is_of_platform else HTTPStatus.INTERNAL_SERVER_ERROR


async def _choose_language(page: Page) -> Response:
    assert page.browser is not None
    page.browser.language = Language.CHINESE if page.form.get("language") == "zh" else Language.ENGLISH
    back = page.form.get("back", "/")
    # A path of ours, not `//elsewhere`.
    return see_other(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")


def _failure(page: Page, error: Exception) -> Response:
    status = status_of(error)
    if page.request.url.path.endswith(".json"):
        told: dict[str, Any] = {"error": page.reason(error) if isinstance(error, CaseMeshError) else str(error)}
        return JSONResponse(told, status)
    return page.render("failed.html", status, error=error, status_code=int(status))
