"""Warnings to work through: by rank, with what the law says, and what an officer may answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from casemesh.cli.message_json import enum_name
from casemesh.console.page import Page, see_other
from casemesh.core.ids import is_uuid, new_id
from casemesh.supervision.v1 import supervision_service_pb2, warning_pb2
from casemesh.supervision.v1.warning_pb2 import (
    WARNING_STATE_ACKNOWLEDGED,
    WARNING_STATE_NOT_APPLICABLE,
    WARNING_STATE_OPEN,
    WARNING_STATE_RESOLVED,
    WARNING_STATE_SUPERSEDED,
)
from casemesh.supervision.v1.warning_pb2 import (
    Warning as CaseWarning,
)

WARNINGS_ON_A_PAGE = 50
MAX_REASON = 500
_COUNTED = 500
_FORMS = 3
VIEWS = {
    "to_do": (WARNING_STATE_OPEN, WARNING_STATE_ACKNOWLEDGED),
    "done": (WARNING_STATE_RESOLVED, WARNING_STATE_NOT_APPLICABLE, WARNING_STATE_SUPERSEDED),
}
"""What the list shows: what is left to do, or what was done."""


@dataclass(frozen=True)
class Summary:
    """How many warnings wait, by rank from the gravest, and the first of them."""

    counts: dict[str, int]
    first: list[CaseWarning]
    is_more: bool
    """Whether there are more than were counted."""


async def warnings_page(page: Page) -> Response:
    """List warnings, the gravest first."""
    query = page.request.query_params
    chosen = query.get("view", "to_do") if query.get("view") in VIEWS else "to_do"
    request = supervision_service_pb2.ListWarningsRequest(
        page_size=WARNINGS_ON_A_PAGE, page_token=query.get("page", ""), states=VIEWS[chosen]
    )
    answer = await page.session.supervision.ListWarnings(request)
    return page.render(
        "warnings.html", warnings=answer.warnings, chosen=chosen, views=list(VIEWS), next_page=answer.next_page_token
    )


async def warning_page(page: Page) -> Response:
    """Show a warning with its life so far. Raises CaseMeshError."""
    request = supervision_service_pb2.GetWarningRequest(name=_name(page))
    warning = (await page.session.supervision.GetWarning(request)).warning
    # With each form goes the id of its change: sent twice, by a double click or after an error, it has one effect.
    return page.render(
        "warning.html",
        warning=warning,
        is_open=is_open(warning),
        request_ids=[new_id() for _ in range(_FORMS)],
        most=MAX_REASON,
    )


async def acknowledge(page: Page) -> Response:
    """Take care of a warning."""
    return await _change(
        page, page.session.supervision.AcknowledgeWarning, supervision_service_pb2.AcknowledgeWarningRequest()
    )


async def resolve(page: Page) -> Response:
    """Say what was done about it."""
    request = supervision_service_pb2.ResolveWarningRequest(reason=page.form.get("reason", "").strip())
    return await _change(page, page.session.supervision.ResolveWarning, request)


async def mark_not_applicable(page: Page) -> Response:
    """Say why the rule does not fit."""
    request = supervision_service_pb2.MarkNotApplicableRequest(reason=page.form.get("reason", "").strip())
    return await _change(page, page.session.supervision.MarkNotApplicable, request)


async def summary(page: Page, case: str = "") -> Summary:
    """Return the warnings that wait, of one case or of all. Raises CaseMeshError."""
    request = supervision_service_pb2.ListWarningsRequest(page_size=_COUNTED, case=case)
    answer = await page.session.supervision.ListWarnings(request)
    counted = Counter(int(warning.rank) for warning in answer.warnings)
    ranks = sorted((int(rank) for rank in warning_pb2.WarningRank.values()[1:]), reverse=True)
    names = {rank: enum_name(warning_pb2.WarningRank.DESCRIPTOR, rank).lower() for rank in ranks}
    return Summary({names[rank]: counted[rank] for rank in ranks}, list(answer.warnings), bool(answer.next_page_token))


def is_open(warning: CaseWarning) -> bool:
    """Say whether something is left to do."""
    return warning.state in VIEWS["to_do"]


async def _change(page: Page, call: Callable[[Any], Awaitable[Any]], request: Any) -> Response:
    given = page.form.get("request_id", "")
    request.request_id = given if is_uuid(given) else new_id()
    request.name = _name(page)
    await call(request)
    return see_other(f"/{request.name}")


def _name(page: Page) -> str:
    return f"warnings/{page.request.path_params['warning']}"
