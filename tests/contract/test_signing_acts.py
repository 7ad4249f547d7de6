"""Every act that binds a person asks for a fresh login, and the guide lists these acts and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import Proof, Subject
from tests.contract.test_policies import SERVICES, policies_of

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "tokens.md"
# By verb, so that an RPC that comes later is asked about as well. A cosignature is its log witness's, no person's.
BINDING = re.compile(
    r"(Submit(?!Cosignature)|Accept|Answer|Return|Withdraw|Finalize|Confirm|Grant|Assign|Delegate|Seal|OpenSeal|LiftSeal|BreakGlass|Approve"
    r"|Review)(?!.*(Page|List))"
)


def signing_acts() -> set[str]:
    return {
        method.rpartition(".")[2]
        for domain in SERVICES
        for method, policy in policies_of(domain).items()
        if policy.fresh_login
    }


@pytest.mark.parametrize("domain", SERVICES)
def test_what_an_officer_binds_himself_by_asks_for_a_fresh_login(domain: str) -> None:
    without = [
        method
        for method, policy in policies_of(domain).items()
        if BINDING.match(method.rpartition("/")[2])
        and Peer.GATEWAY in policy.callers
        and policy.subject is not Subject.SYSTEM
        and not policy.fresh_login
    ]
    assert [] == without


@pytest.mark.parametrize("domain", SERVICES)
def test_a_fresh_login_is_asked_for_only_where_there_is_an_officers_token_and_an_event(domain: str) -> None:
    for method, policy in policies_of(domain).items():
        if policy.fresh_login:
            assert policy.callers.get(Peer.GATEWAY) is Proof.BOUND_TOKEN, method
            assert policy.subject is not Subject.SYSTEM, method
            assert policy.audited, method


def test_the_guide_lists_the_acts_that_ask_for_a_fresh_login() -> None:
    table = GUIDE.read_text(encoding="utf-8").partition("| service | acts |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.strip().splitlines()[1:]]
    assert signing_acts() == {f"{service}/{act}" for service, acts in rows for act in acts.split(", ")}
