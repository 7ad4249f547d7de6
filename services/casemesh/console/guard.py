"""What stands before every page: the right host, the right origin, the officer's own browser, a form of ours.

In this order, since each check is what the next relies on: a name that an attacker rebinds to loopback fails at the
host, another site's form at the origin, another program of the machine at the cookie.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casemesh.client.trace_context import tracing
from casemesh.console.entry import Entry

MAX_FORM_BYTES = 65_536
_MAX_FIELDS = 50
_SAFE_METHODS = frozenset({"GET", "HEAD"})
# Browsers that send no Sec-Fetch-Site are held by the cookie, which is SameSite=Strict.
_OWN_FETCHES = frozenset({"same-origin", "none", ""})
_OPEN_PATHS = frozenset({"/enter", "/link"})
_STATIC = "/static/"

# No inline script or style anywhere: what is escaped wrongly is text that does nothing.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    # Not `no-referrer`: with it browsers send `Origin: null` with forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # A shared terminal keeps no pages of a case.
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Place:
    """Where the console is reached: `scheme://host:port`, and the values of `Host` that name it."""

    origin: str
    hosts: frozenset[str]

    @property
    def is_tls(self) -> bool:
        """Whether it is reached over TLS."""
        return self.origin.startswith("https://")

    @property
    def cookie(self) -> str:
        """The cookie's name. Cookies know no ports, so two consoles of one machine need two names."""
        name = f"casemesh-console-{self.origin.rpartition(':')[2]}"
        return f"__Host-{name}" if self.is_tls else name


Refuse = Callable[[Request, int, str], Awaitable[Response]]


class Guard:
    """Lets a request through to the pages, with `request.state.browser` and `.form`, or answers it by `refuse`.

    Each request is one trace, `request.state.trace_id`; every answer has the security headers.
    """

    def __init__(self, app: ASGIApp, *, place: Place, entry: Entry, refuse: Refuse) -> None:
        self._app = app
        self._place = place
        self._entry = entry
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        request = Request(scope, receive)
        with tracing() as trace:
            request.state.trace_id = trace.trace_id
            request.state.browser = None
            refusal = self._wrong_origin(request) or self._nobody(request) or await self._wrong_form(request)
            if refusal is not None:
                status, reason = refusal
                answer = await self._refuse(request, status, reason)
                await answer(scope, receive, send_guarded)
                return
            await self._app(scope, receive, send_guarded)

    def _wrong_origin(self, request: Request) -> tuple[int, str] | None:
        headers = request.headers
        if headers.getlist("host") not in ([host] for host in self._place.hosts):
            return 421, "refused.host"
        if headers.get("sec-fetch-site", "") not in _OWN_FETCHES:
            return 403, "refused.origin"
        if request.method not in _SAFE_METHODS and headers.get("origin") != self._own_origin(headers):
            return 403, "refused.origin"
        return None

    def _own_origin(self, headers: Headers) -> str:
        return f"{self._place.origin.partition('://')[0]}://{headers['host']}"

    def _nobody(self, request: Request) -> tuple[int, str] | None:
        path = request.url.path
        if path in _OPEN_PATHS or path.startswith(_STATIC):
            return None
        cookies = cookie_parser(request.headers.get("cookie", ""))
        request.state.browser = self._entry.browser(cookies.get(self._place.cookie, ""))
        return (403, "refused.nobody") if request.state.browser is None else None

    async def _wrong_form(self, request: Request) -> tuple[int, str] | None:
        request.state.form = {}
        if request.method in _SAFE_METHODS:
            return None
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_FORM_BYTES:
                return 413, "refused.form"
        try:
            request.state.form = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS))
        except ValueError:
            return 400, "refused.form"
        browser = request.state.browser
        if browser is None:
            return None
        given = request.state.form.get("form_token", "")
        return None if secrets.compare_digest(given.encode(), browser.form_token.encode()) else (403, "refused.form")
