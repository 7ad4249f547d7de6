"""An event that no service writes is passed over: the log cannot be mended, so nothing in it may stop the following."""

from __future__ import annotations

import pytest

from casemesh.audit.v1.audit_feed_service_pb2 import FedEvent
from casemesh.core.ids import new_id
from casemesh.supervision.following import _seen

CASE = f"cases/{new_id()}"


def fed(case: str = CASE, agency: str = "") -> FedEvent:
    made = FedEvent(log_index=7, source="routing")
    made.event.case = case
    made.event.actor.agency = agency
    return made


@pytest.mark.parametrize("event", [fed(case="cases"), fed(agency="somebody")], ids=["case", "agency"])
def test_an_event_whose_names_are_none_is_passed_over(event: FedEvent) -> None:
    assert _seen(event) is None


def test_an_event_of_a_case_is_kept() -> None:
    kept = _seen(fed())
    assert kept is not None
    assert 7 == kept.log_index
