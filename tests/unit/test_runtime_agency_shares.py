"""Each agency's share of a server, counted without one."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from casemesh.core.ids import new_id
from casemesh.errors import ResourceExhausted
from casemesh.runtime.agency_shares import AgencyShares
from casemesh.runtime.call import Call, Caller
from casemesh.runtime.config import ServerConfig
from casemesh.runtime.peers import Peer

POLICE, COURT = f"agencies/{new_id()}", f"agencies/{new_id()}"


def shares(calls: int = 2, streams: int = 1) -> AgencyShares:
    return AgencyShares(ServerConfig(listen="127.0.0.1:0", agency_calls=calls, agency_streams=streams))


def call(agency: str | None, peer: Peer = Peer.GATEWAY) -> Call:
    caller = agency and Caller(agency, f"{agency}/systems/{new_id()}", None, "token", 0.0)
    return Call("casemesh.routing.v1.CaseService/GetCase", peer=peer, caller=caller or None)


def test_an_agency_at_its_limit_is_told_when_to_come_back_and_another_does_not_notice() -> None:
    open_here = shares()
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(open_here.taken(call(POLICE), "calls"))
        with pytest.raises(ResourceExhausted) as error, open_here.taken(call(POLICE), "calls"):
            pass
        expected = ("AGENCY_SHARE_REACHED", {"limit": "2 calls"}, 1.0)
        assert expected == (error.value.reason, error.value.metadata, error.value.retry_after_seconds)
        with open_here.taken(call(COURT), "calls"):
            pass


def test_calls_and_streams_are_counted_apart() -> None:
    open_here = shares()
    with open_here.taken(call(POLICE), "streams"):
        with open_here.taken(call(POLICE), "calls"), open_here.taken(call(POLICE), "calls"):
            pass
        with pytest.raises(ResourceExhausted), open_here.taken(call(POLICE), "streams"):
            pass


def test_what_has_ended_counts_no_more_however_it_ended() -> None:
    open_here = shares(calls=1)
    for _ in range(3):
        with pytest.raises(LookupError), open_here.taken(call(POLICE), "calls"):
            raise LookupError
    with open_here.taken(call(POLICE), "calls"):
        pass


def test_calls_inside_the_mesh_and_calls_without_a_token_are_nobodys() -> None:
    open_here = shares(calls=0)
    with open_here.taken(call(None), "calls"), open_here.taken(call(POLICE, Peer.ROUTING), "calls"):
        pass
