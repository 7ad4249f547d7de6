"""Lists of figures: for whom, over which days, as which shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from google.type.date_pb2 import Date

from casemesh.core.names import AGENCY
from casemesh.errors import FieldViolation, InvalidArgument, not_found
from casemesh.runtime.call import Call
from casemesh.runtime.paging import decode_token, encode_token, page_size_of
from casemesh.supervision.figures.figure_store import FigureStore, Sum
from casemesh.supervision.v1 import figures_service_pb2 as pb2
from casemesh.supervision.visibility import Visibility

_LONGEST = timedelta(days=366)
_MEASURES: Final[Mapping[int, tuple[str, ...]]] = {
    pb2.FIGURE_KIND_EXCHANGES: (
        "sent", "sent_on_paper", "sent_on_single_track", "withdrawn", "received", "accepted", "answered", "expired",
        "undelivered",
    ),
    pb2.FIGURE_KIND_ONLINE_RATE: ("sent", "sent_on_paper"),
    pb2.FIGURE_KIND_TIMES: ("to_delivery", "to_acceptance", "to_answer", "stage"),
    pb2.FIGURE_KIND_RETURNS: ("received", "returned", "returned_for"),
    pb2.FIGURE_KIND_PAGES: ("handed_over", "taken_over", "paper_saved"),
    pb2.FIGURE_KIND_ANOMALIES: ("alerts",),
}  # fmt: skip
_GROUPS: Final[Mapping[int, str]] = {
    pb2.FIGURE_GROUPING_NODE: "node",
    pb2.FIGURE_GROUPING_AGENCY: "agency",
    pb2.FIGURE_GROUPING_DAY: "day",
}
_SEPARATOR = "\x1f"


class Figures:
    """Shows figures to callers."""

    def __init__(self, store: FigureStore, visibility: Visibility) -> None:
        self._store = store
        self._visibility = visibility

    async def page(self, call: Call, request: pb2.ListFiguresRequest) -> pb2.ListFiguresResponse:
        """Return a page. Raises NotFound, InvalidArgument (FIGURES_DAYS_INVALID, FIELD_INVALID), Unavailable."""
        agency = await self._seen(call, request.agency)
        first, last = _days(request.first_day, request.last_day)
        size, after = page_size_of(request.page_size), decode_token(request.page_token)
        group_by = _GROUPS.get(request.group_by, "")
        if request.kind == pb2.FIGURE_KIND_DEADLINES:
            figures = [_plain(found) for found in await self._store.deadlines(first, last, agency, group_by)]
        else:
            sums = await self._store.sums(first, last, _MEASURES[request.kind], agency, group_by)
            figures = _shown(request.kind, sums)
        for figure in figures:
            if group_by == "agency":
                figure.group = AGENCY.format(agency=figure.group)
        rest = sorted((figure for figure in figures if _key(figure) > after), key=_key)
        return pb2.ListFiguresResponse(
            figures=rest[:size], next_page_token=encode_token(_key(rest[size - 1])) if len(rest) > size else ""
        )

    async def _seen(self, call: Call, asked: str) -> str | None:
        """Return the agency whose figures are shown, None for all."""
        if call.caller is None:
            return AGENCY.parse(asked)["agency"] if asked else None
        own = call.caller.agency
        # Asked in any case: that an agency is another's must not be told apart from supervising none.
        if not await self._visibility.reviews_any(call.caller) or asked not in ("", own):
            raise not_found()
        return AGENCY.parse(own)["agency"]


def _shown(kind: int, sums: list[Sum]) -> list[pb2.Figure]:
    if kind == pb2.FIGURE_KIND_ONLINE_RATE:
        return _online(sums)
    if kind == pb2.FIGURE_KIND_RETURNS:
        received = {found.grouped: found.count for found in sums if found.measure == "received"}
        returns = [_plain(found) for found in sums if found.measure != "received"]
        for figure in returns:
            # A return may lie in the group after the receipt's, e.g. on the day after.
            figure.of_count = received.get(figure.group, 0)
        return returns
    return [_plain(found) for found in sums]


def _online(sums: list[Sum]) -> list[pb2.Figure]:
    sent: Counter[str] = Counter()
    on_paper: Counter[str] = Counter()
    for found in sums:
        (on_paper if found.measure == "sent_on_paper" else sent)[found.grouped] += found.count
    return [
        pb2.Figure(group=group, measure="online", count=count - on_paper[group], of_count=count)
        for group, count in sent.items()
    ]


def _plain(found: Sum) -> pb2.Figure:
    return pb2.Figure(
        group=found.grouped, measure=found.measure, detail=found.detail, count=found.count, amount=found.amount
    )


def _key(figure: pb2.Figure) -> str:
    return _SEPARATOR.join((figure.group, figure.measure, figure.detail))


def _days(first: Date, last: Date) -> tuple[date, date]:
    try:
        days = date(first.year, first.month, first.day), date(last.year, last.month, last.day)
    except ValueError:
        raise _invalid("must be a day") from None
    if not timedelta() <= days[1] - days[0] < _LONGEST:
        raise _invalid("must not be before first_day, and at most 366 days in all")
    return days


def _invalid(rule: str) -> InvalidArgument:
    return InvalidArgument("FIGURES_DAYS_INVALID", f"last_day {rule}", violations=[FieldViolation("last_day", rule)])
