"""One agency at its limit, or shut out, while another goes on as if nothing were."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

import grpc
import pytest

from casemesh.core.clock import SystemClock
from casemesh.errors import ResourceExhausted, from_rpc_error
from casemesh.local.envoy import AgencyLimits
from casemesh.local.ports import LOOPBACK
from casemesh.pki import shutting_out
from casemesh.pki.authority import Pki
from casemesh.routing.v1.exchange_service_pb2 import ReceiveOpen, ReceiveRequest
from tests.support.gateway import Echo, Gateway, call, echo_server, open_channel, running_gateway, wait_until
from tests.support.mesh import MeshOf
from tests.support.pki import COURT, POLICE, PROCURATORATE, SYSTEM, channel_credentials, make_mesh

GET_CASE = "/casemesh.routing.v1.CaseService/GetCase"
RECEIVE = "/casemesh.routing.v1.ExchangeService/Receive"
MIB = 1024 * 1024
LIMITS = AgencyLimits(connections=8, calls_per_second=10, calls_at_once=40)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Of this module's own, since agencies are shut out in it."""
    return make_mesh(tmp_path_factory.mktemp("edge-limits") / "pki")


@pytest.fixture(scope="module")
def routing(pki: Pki) -> Iterator[Echo]:
    with echo_server(pki.layout.service("routing")) as echo:
        yield echo


@pytest.fixture(scope="module")
def gateway(pki: Pki, routing: Echo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory: Path = tmp_path_factory.mktemp("edge-limits") / "gateway"
    with running_gateway(pki, {"routing": f"{LOOPBACK}:{routing.port}"}, directory, limits=LIMITS) as running:
        yield running


def status_of(channel: grpc.Channel, path: str = GET_CASE, body: bytes = b"", **arguments: object) -> grpc.StatusCode:
    try:
        call(channel, path, body, **arguments)  # type: ignore[arg-type]
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


def refused(channel: grpc.Channel) -> ResourceExhausted:
    """Call until the gateway refuses, and return how."""
    for _ in range(1000):
        try:
            call(channel, GET_CASE)
        except grpc.RpcError as error:
            found = from_rpc_error(error)
            assert isinstance(found, ResourceExhausted)
            return found
    raise AssertionError("a thousand calls in a row were let through")


def test_an_agency_that_floods_is_told_when_to_come_back_and_another_is_served(
    pki: Pki, gateway: Gateway, routing: Echo
) -> None:
    with (
        gateway.channel(pki.layout.system(POLICE, SYSTEM)) as police,
        gateway.channel(pki.layout.system(COURT, SYSTEM)) as court,
    ):
        error = refused(police)
        expected = ("AGENCY_RATE_REACHED", {"limit": "10 calls a second"}, 1.0)
        assert expected == (error.reason, error.metadata, error.retry_after_seconds)
        reached = len(routing.calls)
        while status_of(police) is not grpc.StatusCode.RESOURCE_EXHAUSTED:
            reached += 1
        # What is refused costs the service nothing, and the court nothing at all.
        assert reached == len(routing.calls)
        assert [grpc.StatusCode.OK] * 10 == [status_of(court) for _ in range(10)]
        # Its bucket fills again.
        wait_until(lambda: status_of(police) is grpc.StatusCode.OK)


def test_all_systems_of_an_agency_share_its_limit_and_no_header_gives_another(pki: Pki, gateway: Gateway) -> None:
    pki.issue_system(PROCURATORATE, "archive")
    forged = [("x-forwarded-client-cert", f"URI=spiffe://{COURT}.agency.casemesh/system/cms")]
    with (
        gateway.channel(pki.layout.system(PROCURATORATE, SYSTEM)) as one,
        gateway.channel(pki.layout.system(PROCURATORATE, "archive")) as other,
    ):
        refused(one)
        # The bucket gets a call every tenth of a second; of ten in a row most are refused, whoever they come from.
        found = [status_of(other, metadata=forged) for _ in range(10)]
    assert grpc.StatusCode.RESOURCE_EXHAUSTED in found


def test_an_agency_with_too_many_connections_gets_no_more_and_another_does(pki: Pki, gateway: Gateway) -> None:
    pki.add_agency("beihu-customs")
    files = pki.issue_system("beihu-customs", SYSTEM).files
    wait_until(lambda: status_of(gateway.channel(files)) is grpc.StatusCode.OK)
    with ExitStack() as stack:
        outcomes = []
        for _ in range(LIMITS.connections + 4):
            channel = stack.enter_context(gateway.channel(files))
            outcomes.append(status_of(channel))
        court = stack.enter_context(gateway.channel(pki.layout.system(COURT, SYSTEM)))
        wait_until(lambda: status_of(court) is grpc.StatusCode.OK)
    assert grpc.StatusCode.UNAVAILABLE in outcomes
    assert outcomes.count(grpc.StatusCode.OK) <= LIMITS.connections
    # Connections that ended are forgotten.
    wait_until(lambda: status_of(gateway.channel(files)) is grpc.StatusCode.OK)


def test_a_call_larger_than_a_message_is_cut_at_the_gateway_and_a_stream_is_not(pki: Pki, gateway: Gateway) -> None:
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    credentials = channel_credentials(pki.layout.system(COURT, SYSTEM))
    with grpc.secure_channel(gateway.address, credentials, options=options) as court:
        wait_until(lambda: status_of(court) is grpc.StatusCode.OK)
        assert status_of(court, body=bytes(4 * MIB + 1)) not in (
            grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED,
        )  # fmt: skip
        stream = court.stream_stream(RECEIVE)(iter([bytes(3 * MIB)] * 3), timeout=20)
        assert [3 * MIB] * 3 == [len(answer) for answer in stream]


def test_who_is_shut_out_loses_its_open_streams_and_gets_no_new_connection_while_others_go_on(
    pki: Pki, gateway: Gateway
) -> None:
    pki.add_agency("beihu-school")
    files = pki.issue_system("beihu-school", SYSTEM).files
    with open_channel(gateway.address, channel_credentials(pki.layout.system(COURT, SYSTEM))) as court:
        with gateway.channel(files) as school:
            wait_until(lambda: status_of(school) is grpc.StatusCode.OK)
            quiet, own = held_stream(school)
            others, echo = held_stream(court)
            shutting_out.shut_out(pki.layout, "beihu-school", now=SystemClock().now())
            # It says nothing of itself; the gateway's ping makes it.
            with pytest.raises(grpc.RpcError) as cut:
                next(quiet)
            own.put(None)
            assert grpc.StatusCode.UNAVAILABLE is cut.value.code()
            assert grpc.StatusCode.UNAVAILABLE is status_of(school, timeout=5)
            echo.put(b"still here")
            assert b"still here" == next(others)
            echo.put(None)
        shutting_out.lift(pki.layout, "beihu-school")
        wait_until(lambda: status_of(gateway.channel(files)) is grpc.StatusCode.OK)


def held_stream(channel: grpc.Channel) -> tuple[grpc.Call, SimpleQueue[bytes | None]]:
    messages: SimpleQueue[bytes | None] = SimpleQueue()
    stream = channel.stream_stream(RECEIVE)(iter(messages.get, None), timeout=60)
    messages.put(b"open")
    assert b"open" == next(stream)
    return stream, messages


async def test_an_agency_at_its_share_of_streams_does_not_cost_another(mesh_of: MeshOf) -> None:
    async with mesh_of("identity", "translation", "routing", server={"agency_streams": 2}) as mesh:
        receive = mesh.channel("routing", "gateway").stream_stream(RECEIVE, ReceiveRequest.SerializeToString, None)
        for code, organ in ((POLICE, "GA"), (COURT, "FY")):
            metadata = await mesh.metadata(await mesh.enrol(code, organ))
            streams = [receive(metadata=metadata) for _ in range(3)]
            for stream in streams:
                await stream.write(ReceiveRequest(open=ReceiveOpen(max_outstanding=1)))
            # Nothing waits for the agency: a stream that is open says nothing, and the one too many ends at once. The
            # police's are open still when the court has its own.
            reading = [asyncio.ensure_future(stream.read()) for stream in streams]
            ended, held = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
            assert 2 == len(held)
            error = from_rpc_error(next(iter(ended)).exception())  # type: ignore[arg-type]
            assert isinstance(error, ResourceExhausted)
            expected = ("AGENCY_SHARE_REACHED", {"limit": "2 streams"}, 1.0)
            assert expected == (error.reason, error.metadata, error.retry_after_seconds)
