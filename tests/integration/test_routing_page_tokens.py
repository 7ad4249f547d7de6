"""Page tokens that no page gave: every list of routing refuses them, over real mTLS."""

from __future__ import annotations

from typing import Any

from google.protobuf.message_factory import GetMessageClass

from casemesh.errors import InvalidArgument, PermissionDenied
from casemesh.runtime.paging import encode_token
from casemesh.runtime.peers import Peer
from tests.contract.test_policies import grpc_services, policies_of
from tests.support.any_request import any_request, set_path
from tests.support.routing import TIMEOUT, ThreeOrgans

LISTS = {
    f"{service.full_name}/{method.name}": method
    for service in grpc_services("routing")
    for method in service.methods
    if "page_token" in method.input_type.fields_by_name
}
NUMBERS = ("9" * 19, "9" * 120, "-1", "٣", "²")
# These go on after any text that is a code or a name.
AFTER_TEXT = {"casemesh.routing.v1.CollaborationNodeService/ListNodes", "casemesh.routing.v1.CaseService/ListCases"}


async def refusal(organs: ThreeOrgans, method: str, request: Any) -> str:
    """Return the reason with which whoever may make a call is refused, or that he is answered."""
    operated = Peer.GATEWAY not in policies_of("routing")[method].callers
    channel = organs.mesh.channel("routing", "operator" if operated else "gateway")
    answer_type = GetMessageClass(LISTS[method].output_type)
    call = channel.unary_unary(f"/{method}", type(request).SerializeToString, answer_type.FromString)
    for metadata in [await organs.as_officer(organs.police), await organs.as_system(organs.police)]:
        try:
            await call(request, metadata=() if operated else metadata, timeout=TIMEOUT)
        except PermissionDenied:
            continue
        except InvalidArgument as error:
            return ",".join(violation.field for violation in error.violations)
        return "answered"
    return "not for the police"


async def test_every_list_refuses_what_no_page_gave(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    case = await organs.register()
    exchange = await organs.submit(case)
    resources = {"case": case.name, "exchange": exchange.name, "party": case.parties[0].name}
    outcomes = {}
    for method, rpc in LISTS.items():
        for key in (*NUMBERS, "a\0b"):
            request = any_request(GetMessageClass(rpc.input_type), {"casemesh/Case": case.name})
            for field in resources.keys() & rpc.input_type.fields_by_name.keys():
                set_path(request, field, resources[field])
            request.page_token = encode_token(key)
            outcomes[method, key] = await refusal(organs, method, request)
    unchecked = {(method, key) for method in AFTER_TEXT for key in NUMBERS}
    assert {} == {
        which: outcome
        for which, outcome in outcomes.items()
        if outcome != "page_token" and not (which in unchecked and outcome == "answered")
    }
    assert len(LISTS) > 12
