"""Pauses between attempts grow, vary and end; what the contract calls a mutation has a request id."""

from __future__ import annotations

import random

from casemesh.client.retry import MAX_ATTEMPTS, is_repeatable, pause_after, pauses
from casemesh.core.ids import new_id
from casemesh.errors import Unavailable
from casemesh.routing.v1.case_service_pb2 import GetCaseRequest, RegisterCaseRequest


def test_there_is_one_pause_between_each_two_attempts() -> None:
    assert len(list(pauses())) == MAX_ATTEMPTS - 1


def test_pauses_differ_between_clients_and_their_ceiling_doubles() -> None:
    waits = [list(pauses(random.Random(seed))) for seed in range(200)]
    for index, ceiling in enumerate([0.2, 0.4, 0.8]):
        column = [wait[index] for wait in waits]
        assert ceiling / 2 <= min(column) < max(column) <= ceiling
        assert len(set(column)) > 100


def test_the_platforms_wish_is_respected_within_bounds() -> None:
    assert pause_after(Unavailable("X", "", None, 2.0), 0.1) == 2.0
    assert pause_after(Unavailable("X", "", None, 600.0), 0.1) == 5.0
    assert pause_after(Unavailable("X", "", None, None), 0.1) == 0.1


def test_reads_and_requests_with_an_id_may_be_repeated() -> None:
    assert is_repeatable(GetCaseRequest())
    assert is_repeatable(RegisterCaseRequest(request_id=new_id()))
    assert not is_repeatable(RegisterCaseRequest())
