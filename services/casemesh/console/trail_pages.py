"""The trail of a case: who did what, when, under which right; with what a browser needs to prove it by itself."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from casemesh.audit.v1 import audit_query_service_pb2, event_pb2
from casemesh.client.purpose import Purpose, PurposeError
from casemesh.console.case_pages import case_name
from casemesh.console.page import Page, see_other
from casemesh.core import strict_base64
from casemesh.data.viewing_purposes import viewing_purposes

EVENTS_ON_A_PAGE = 50


@dataclass(frozen=True)
class EventRow:
    """One event: read for people, and as it was committed to for the browser."""

    logged: event_pb2.LoggedEvent
    event: dict[str, Any]
    """Empty once its text was shredded."""

    @property
    def canonical(self) -> str:
        """The committed bytes, in base64."""
        return strict_base64.encode(self.logged.canonical_json)

    @property
    def salt(self) -> str:
        """The salt, in base64."""
        return strict_base64.encode(self.logged.salt)

    @property
    def who(self) -> str:
        """Who did it: the officer, else the system, else the service."""
        actor = self.event.get("actor") or {}
        return str(actor.get("officer") or actor.get("system") or actor.get("peer") or "")

    @property
    def agency(self) -> str:
        """The agency of who did it."""
        return str((self.event.get("actor") or {}).get("agency", ""))

    @property
    def at(self) -> dt.datetime:
        """When it happened."""
        return dt.datetime.fromisoformat(self.text("occur_time"))

    def text(self, key: str) -> str:
        """Return a member of the event as text."""
        return str(self.event.get(key) or "")


async def trail_page(page: Page) -> Response:
    """Show a page of a trail; before a purpose is stated, ask for one. Reading it is itself an event of the case."""
    name = case_name(page)
    purpose = purpose_for(page, name)
    if purpose is None:
        return page.render("purpose.html", case=name, purposes=viewing_purposes(), default=page.desk.profile.purpose)
    request = audit_query_service_pb2.ListCaseEventsRequest(
        case=name, page_size=EVENTS_ON_A_PAGE, page_token=page.request.query_params.get("page", "")
    )
    answer = await page.session.audit.ListCaseEvents(request, metadata=purpose.metadata())
    rows = [EventRow(logged, json.loads(logged.canonical_json or b"{}")) for logged in answer.events]
    return page.render(
        "trail.html",
        case=name,
        purpose=purpose,
        kind=viewing_purposes()[purpose.kind],
        rows=rows,
        next_page=answer.next_page_token,
    )


async def state_purpose(page: Page) -> Response:
    """Keep for what the officer reads the trail, for as long as the browser is in."""
    name = case_name(page)
    assert page.browser is not None
    try:
        page.browser.purposes[name] = Purpose(page.form.get("kind", ""), page.form.get("text", "").strip())
    except PurposeError as error:
        return page.render(
            "purpose.html", 400, case=name, purposes=viewing_purposes(), default=page.form.get("kind", ""), wrong=error
        )
    return see_other(f"/{name}/trail")


def purpose_for(page: Page, case: str) -> Purpose | None:
    """Return what was stated for a case."""
    return page.browser.purposes.get(case) if page.browser is not None else None
