"""One page for one officer: what it asks of the platform, and how it is put into HTML."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Generic, TypeVar, cast

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from casemesh.cli.message_json import enum_name
from casemesh.cli.messages import Language, reason_text
from casemesh.client.profile import Profile, ProfileError
from casemesh.client.session import Session
from casemesh.client.trail import TrailError
from casemesh.console import words
from casemesh.console.entry import BrowserSession
from casemesh.console.names import Names, NameSource
from casemesh.core.clock import CHINA, Clock
from casemesh.data.event_actions import event_actions
from casemesh.errors import CaseMeshError

T = TypeVar("T")

# Enough to hide the way to the gateway, too few to be a load.
_AT_ONCE = 8

MENU = (
    ("/", "console.overview"),
    ("/warnings", "console.warnings"),
    ("/flows", "console.flows"),
    ("/log", "console.log"),
    ("/traces", "console.traces"),
)


@dataclass(frozen=True)
class Part(Generic[T]):
    """What one call gave for a page, or why it gave nothing: a page shows what it can."""

    value: T | None = None
    error: CaseMeshError | None = None


@dataclass(frozen=True)
class Desk:
    """What all pages of one console share: the officer's session with the platform, and what it says of itself."""

    session: Session
    profile: Profile
    names: NameSource
    clock: Clock


class Page:
    """One request. Templates get `page` and what the handler adds; the methods here are what they may call."""

    def __init__(self, request: Request, desk: Desk, names: Names, agency: str = "") -> None:
        self.request = request
        self.desk = desk
        self.names = names
        self.who = names.agency(agency)
        self.now = desk.clock.now()

    @property
    def session(self) -> Session:
        """The officer's session with the platform."""
        return self.desk.session

    @cached_property
    def browser(self) -> BrowserSession | None:
        """The browser that is in, or None on the page that says nobody is."""
        return cast("BrowserSession | None", self.request.state.browser)

    @property
    def language(self) -> Language:
        """The language of the page: the one chosen, or before entering the browser's own."""
        if self.browser is not None:
            return self.browser.language
        wanted = self.request.headers.get("accept-language", "")
        return Language.CHINESE if wanted.lower().startswith("zh") else Language.ENGLISH

    @property
    def is_chinese(self) -> bool:
        """Whether the page is in Chinese."""
        return self.language is Language.CHINESE

    @property
    def trace_id(self) -> str:
        """The trace of this request."""
        return str(self.request.state.trace_id)

    @property
    def form(self) -> dict[str, str]:
        """The fields that were sent."""
        return cast("dict[str, str]", self.request.state.form)

    def t(self, key: str, /, **values: object) -> str:
        """Return a sentence in the page's language."""
        return words.text(key, self.language, **values)

    def choice(self, group: str, message: Message, field: str) -> str:
        """Return what the value of an enumeration field is called, "" for unspecified."""
        number = getattr(message, field)
        return words.choice(group, self.choice_name(message, field), self.language) if number else ""

    def choice_name(self, message: Message, field: str) -> str:
        """Return the value's own name without prefix, in capitals, for styles and forms."""
        return enum_name(message.DESCRIPTOR.fields_by_name[field].enum_type, getattr(message, field))

    def choice_text(self, group: str, name: str) -> str:
        """Return what a value that the platform gives as a word is called."""
        return words.choice(group, name, self.language)

    def action(self, code: str) -> str:
        """Return what an audited action is called, or its code where a later release brought it."""
        known = event_actions().get(code)
        return code if known is None else known.name_zh if self.is_chinese else known.name_en

    def agency(self, name: str) -> str:
        """Return what an agency is called."""
        return self.names.agency(name)

    def node(self, name: str) -> str:
        """Return what a node is called."""
        return self.names.node(name, self.language)

    def in_either(self, message: Message, field: str) -> str:
        """Return `FIELD_zh` or `FIELD_en` by the page's language, the other where it is empty."""
        chinese, english = str(getattr(message, f"{field}_zh")), str(getattr(message, f"{field}_en"))
        return (chinese or english) if self.is_chinese else (english or chinese)

    def menu(self) -> list[tuple[str, str]]:
        """Return the paths of the main menu with the keys of their names."""
        return list(MENU)

    def is_at(self, path: str) -> bool:
        """Say whether the page is below a path of the menu. A case is found by the overview."""
        here = self.request.url.path
        return (
            here == path
            or (path != "/" and here.startswith(f"{path}/"))
            or (path == "/" and here.startswith("/cases/"))
        )

    def findings(self) -> list[tuple[str, str]]:
        """Return what a verification in the browser may find, with `{places}` open: the browser fills them."""
        return [
            (key.partition(".")[2], sentence[self.language.value])
            for key, sentence in words.catalogue().items()
            if key.startswith("finding.")
        ]

    def told(self, error: Exception) -> str:
        """Return a failure for people."""
        if isinstance(error, CaseMeshError):
            return self.reason(error)
        if isinstance(error, HTTPException):
            return self.t("failed.no_page")
        # A profile's or a trail's message names files and positions, no person.
        return str(error) if isinstance(error, ProfileError | TrailError) else self.t("failed.incident")

    def reason(self, error: CaseMeshError) -> str:
        """Return what a refusal means."""
        return reason_text(error.reason, self.language) or error.message

    async def part(self, call: Awaitable[T]) -> Part[T]:
        """Await a call of which the rest of the page does not depend."""
        try:
            return Part(await call)
        except CaseMeshError as error:
            return Part(error=error)

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page."""
        body = templates().get_template(template).render(page=self, **values)
        return HTMLResponse(
            body, status_code=status, headers={"content-language": "zh-CN" if self.is_chinese else "en"}
        )


def moment(stamp: Timestamp | dt.datetime) -> dt.datetime:
    """Return an instant in China's civil time."""
    found = stamp if isinstance(stamp, dt.datetime) else stamp.ToDatetime(tzinfo=dt.UTC)
    return found.astimezone(CHINA)


def day(date: Date) -> str:
    """Return a date as `2026-01-31`, "" for none."""
    return f"{date.year:04d}-{date.month:02d}-{date.day:02d}" if date.year else ""


def short(name: str) -> str:
    """Return a resource name with its ids cut to their ends, where they differ: `cases/…4abcb9a769`."""
    return re.sub("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-([0-9a-f]{12})", r"…\1", name)


async def gather_few(calls: Iterable[Awaitable[T]]) -> list[T]:
    """Await all calls, eight at a time, and return their results in order."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def one(call: Awaitable[T]) -> T:
        async with free:
            return await call

    return await asyncio.gather(*(one(call) for call in calls))


def see_other(path: str) -> Response:
    """Return the answer to a form: where its effect is seen, so that reloading sends nothing again."""
    return RedirectResponse(path, status_code=303)


@cache
def templates() -> Environment:
    """Return the templates. Everything put into them is escaped; a name they do not get is a fault, not a gap."""
    environment = Environment(
        loader=PackageLoader("casemesh.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["moment"] = lambda stamp: f"{moment(stamp):%Y-%m-%d %H:%M}"
    environment.filters["iso"] = lambda stamp: moment(stamp).isoformat(timespec="seconds")
    environment.filters["day"] = day
    environment.filters["short"] = short
    return environment
