"""What a reconciliation can find, each by its name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from casemesh.core.clock import CHINA

MARGIN = timedelta(minutes=10)
"""How far apart the clocks of a database and of a process may be, and how long something may be on its way."""


class Fault(StrEnum):
    """A discrepancy between what services hold and what the log tells."""

    FACT_WITHOUT_EVENT = "fact_without_event"
    """A change stands in a service's database and the log does not tell of it."""
    EVENT_WITHOUT_FACT = "event_without_fact"
    """The log tells of a change that does not stand in the service's database."""
    EVENT_NOT_IN_LOG = "event_not_in_log"
    """A service sent an event, by its own record, that the log does not have."""
    EVENT_NOT_IN_OUTBOX = "event_not_in_outbox"
    """The log has a numbered event that the service it is from does not know."""
    EVENT_ALTERED = "event_altered"
    """A service's record of an event and the log's are not the same."""
    EVENT_WAITING = "event_waiting"
    """Events wait in an outbox for longer than is usual."""
    NUMBER_MISSING = "number_missing"
    """Numbers of a source were never given or are lost."""
    NUMBER_REPEATED = "number_repeated"
    """Two events of a source bear one number: it was put back from an older backup."""
    READING_WITHOUT_EVENT = "reading_without_event"
    """Bytes left for an officer, by identity's count, and the log has no reading of that identifier."""
    EVENT_WITHOUT_READING = "event_without_reading"
    """The log tells of an officer's reading that identity never let through."""
    BYTES_WITHOUT_READING = "bytes_without_reading"
    """Bytes of a version were sent, and the log has no reading of it in that request before."""
    BYTES_UNTOLD = "bytes_untold"
    """Identity counted more bytes for a reading than the log tells of."""
    GRANT_MISSING = "grant_missing"
    """An exchange handed a version on, by routing's word, and its recipient may not read it."""
    GRANT_UNEXPLAINED = "grant_unexplained"
    """An agency may read a version by an exchange that never handed it on."""
    PARTICIPATION_MISSING = "participation_missing"
    """An agency was brought into a case, by routing's word, and does not take part by identity's."""
    EXCHANGE_SILENT = "exchange_silent"
    """An exchange did not reach its recipient in time, and its sender was not told."""
    EXCHANGE_OVERDUE = "exchange_overdue"
    """The time its sender stated for an answer is over, and the exchange did not expire."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One discrepancy. Holds no evidence and no names of persons."""

    fault: Fault
    source: str
    """The service whose word does not fit."""
    subject: str
    """The resource, event or run of numbers."""
    case: str = ""
    """Empty when it belongs to none."""
    at: datetime | None = None
    """When what it is about happened."""
    detail: str = ""

    @property
    def day(self) -> date | None:
        """The day in China that it belongs to."""
        return self.at.astimezone(CHINA).date() if self.at is not None else None


@dataclass(frozen=True, slots=True)
class Window:
    """What is reconciled: what happened from `start` to before `end`, on one case or on all."""

    start: datetime
    end: datetime
    case: str = ""

    def holds(self, at: datetime) -> bool:
        """Say whether what happened then is to be reconciled."""
        return self.start <= at < self.end

    @property
    def wide(self) -> Window:
        """What must be read so that nothing at an edge is missed."""
        return Window(self.start - MARGIN, self.end + MARGIN, self.case)
