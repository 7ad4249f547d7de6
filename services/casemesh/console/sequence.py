"""A case as a sequence chart: one column for each agency, one row for each thing that happened, from top to bottom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.routing.v1.exchange_pb2 import EXCHANGE_STATE_EXPIRED, EXCHANGE_STATE_WITHDRAWN, Exchange

TIME_WIDTH, LANE_WIDTH, ROW_HEIGHT, HEAD_HEIGHT = 104, 168, 46, 40


class Happening(Enum):
    """What happened to an exchange."""

    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Moment:
    """One row: `by` did it, towards `to` ("" where it stays at one agency)."""

    at: dt.datetime
    happening: Happening
    exchange: Exchange
    by: str
    to: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether the exchange answers another."""
        return bool(self.exchange.answers)


@dataclass(frozen=True)
class Lane:
    """An agency's column; `x` is its middle."""

    agency: str
    x: int


@dataclass(frozen=True)
class Row:
    """A moment with its place in the chart."""

    moment: Moment
    y: int
    from_x: int
    to_x: int

    @property
    def label_x(self) -> int:
        """The middle of its arrow."""
        return (self.from_x + self.to_x) // 2

    @property
    def head(self) -> str:
        """The arrow's head, as the points of a polygon."""
        back = -8 if self.to_x > self.from_x else 8
        return f"{self.to_x},{self.y} {self.to_x + back},{self.y - 4} {self.to_x + back},{self.y + 4}"


@dataclass(frozen=True)
class Chart:
    """The chart, in units of its own that a screen scales."""

    lanes: tuple[Lane, ...]
    rows: tuple[Row, ...]

    @property
    def width(self) -> int:
        """How wide it is."""
        return TIME_WIDTH + LANE_WIDTH * len(self.lanes)

    @property
    def height(self) -> int:
        """How high it is."""
        return HEAD_HEIGHT + ROW_HEIGHT * len(self.rows) + ROW_HEIGHT // 2


def moments(exchanges: Iterable[Exchange]) -> list[Moment]:
    """Return all that happened to the exchanges, by time; drafts have not happened. Of two things at one instant the
    earlier in an exchange's life comes first."""
    found = [moment for exchange in exchanges for moment in _of(exchange)]
    order = list(Happening)
    return sorted(found, key=lambda moment: (moment.at, order.index(moment.happening)))


def chart(found: Sequence[Moment], first: str = "") -> Chart:
    """Return the chart of moments; agencies stand in the order in which they come in, `first` before all."""
    agencies = dict.fromkeys([first] if first else [])
    for moment in found:
        agencies.update(dict.fromkeys(name for name in (moment.by, moment.to) if name))
    lanes = tuple(Lane(name, TIME_WIDTH + LANE_WIDTH * index + LANE_WIDTH // 2) for index, name in enumerate(agencies))
    places = {lane.agency: lane.x for lane in lanes}
    rows = tuple(
        Row(moment, HEAD_HEIGHT + ROW_HEIGHT * (index + 1), places[moment.by], places[moment.to or moment.by])
        for index, moment in enumerate(found)
    )
    return Chart(lanes, rows)


def _of(exchange: Exchange) -> list[Moment]:
    sender, recipient = exchange.sender, exchange.recipient
    if not exchange.HasField("submit_time"):
        return []
    found = [Moment(_at(exchange.submit_time), Happening.SUBMITTED, exchange, sender, recipient)]
    if exchange.HasField("deliver_time"):
        found.append(Moment(_at(exchange.deliver_time), Happening.DELIVERED, exchange, recipient))
    if exchange.HasField("accept_time"):
        found.append(Moment(_at(exchange.accept_time), Happening.ACCEPTED, exchange, recipient))
    if exchange.returned.HasField("return_time"):
        found.append(Moment(_at(exchange.returned.return_time), Happening.RETURNED, exchange, recipient, sender))
    if exchange.HasField("end_time"):
        if exchange.state == EXCHANGE_STATE_WITHDRAWN:
            found.append(Moment(_at(exchange.end_time), Happening.WITHDRAWN, exchange, sender))
        elif exchange.state == EXCHANGE_STATE_EXPIRED:
            found.append(Moment(_at(exchange.end_time), Happening.EXPIRED, exchange, sender))
    return found


def _at(stamp: Timestamp) -> dt.datetime:
    return stamp.ToDatetime(tzinfo=dt.UTC)
