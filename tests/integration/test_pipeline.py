"""What every server does before a handler runs, over real mTLS, with handlers that would tell if they ran."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from casemesh.client.channel import Credentials, ErrorInterceptor, open_channel
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import (
    dossier_read_service_pb2,
    dossier_read_service_pb2_grpc,
    dossier_service_pb2,
    dossier_service_pb2_grpc,
)
from casemesh.errors import (
    CaseMeshError,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
    from_rpc_error,
)
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.pki.authority import Pki
from casemesh.runtime.access import Decision
from casemesh.runtime.call import Caller, current_call
from casemesh.runtime.config import DatabaseConfig, Duration, ServerConfig, TlsConfig
from casemesh.runtime.host import Assembly, Host, HostConfig, serving
from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import AGENCY_WITH_TOKEN, MethodPolicy, OnCase, Proof, Subject
from tests.support.mesh import fingerprint, forwarded
from tests.support.pki import POLICE, PROCURATORATE, SYSTEM
from tests.support.postgres import clone_database

AGENCY = f"agencies/{new_id()}"
SYSTEM_NAME = f"{AGENCY}/systems/{new_id()}"
OFFICER = f"{AGENCY}/officers/{new_id()}"
CASE = f"cases/{new_id()}"
DOSSIER = f"dossiers/{new_id()}"
KEY = Ed25519PrivateKey.generate()
TIMEOUT = 10.0

READ = "casemesh.dossier.v1.DossierReadService"
WRITE = "casemesh.dossier.v1.DossierService"


@dataclass
class FakeDecider:
    """Allows what `allowed` says; remembers the questions."""

    allowed: bool = True
    visible: bool = True
    broken: bool = False
    hanging: bool = False
    inactive: str = ""
    failures: list[Exception] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)

    async def decide(self, caller: Caller, case: str, permission: CasePermission) -> Decision:
        await self._asked(case)
        return Decision(self.allowed, self.visible, "test rule: test fact")

    decide_again = decide

    async def inactive_part(self, caller: Caller) -> str:
        await self._asked(caller.subject)
        return self.inactive

    async def _asked(self, question: str) -> None:
        self.questions.append(question)
        if self.hanging:
            await asyncio.Event().wait()
        if self.failures:
            raise self.failures.pop()
        if self.broken:
            raise Unavailable("DEPENDENCY_UNAVAILABLE", "identity does not answer", {"dependency": "identity"})


@dataclass
class FakeDossiers(
    dossier_read_service_pb2_grpc.DossierReadServiceServicer, dossier_service_pb2_grpc.DossierServiceServicer
):
    """Counts what reaches it."""

    calls: list[Any] = field(default_factory=list)
    failure: Exception | None = None
    content: bytes = b""
    sent: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def GetDossier(self, request: Any, context: Any) -> Any:
        self.calls.append(current_call())
        if self.failure is not None:
            raise self.failure
        return dossier_read_service_pb2.GetDossierResponse()

    async def ListDossiers(self, request: Any, context: Any) -> Any:
        self.calls.append(current_call())
        return dossier_read_service_pb2.ListDossiersResponse()

    async def DownloadDocuments(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.calls.append(current_call())
        try:
            chunk = dossier_read_service_pb2.DownloadChunk(data=self.content)
            while True:
                yield dossier_read_service_pb2.DownloadDocumentsResponse(
                    frames=[dossier_read_service_pb2.DownloadFrame(chunk=chunk)]
                )
                self.sent += 1
                await asyncio.sleep(0.01)
        finally:
            self.closed.set()

    async def DownloadManifest(self, request: Any, context: Any) -> AsyncIterator[Any]:
        while True:
            yield dossier_read_service_pb2.DownloadManifestResponse()
            await asyncio.sleep(0.01)

    async def UploadDocuments(self, requests: Any, context: Any) -> AsyncIterator[Any]:
        async for request in requests:
            self.calls.append(request)
            yield dossier_service_pb2.UploadDocumentsResponse()

    async def CreateDossier(self, request: Any, context: Any) -> Any:
        self.calls.append(current_call())
        return dossier_service_pb2.CreateDossierResponse()


POLICIES = {
    f"{READ}/GetDossier": MethodPolicy(
        {Peer.GATEWAY: Proof.BOUND_TOKEN, Peer.ROUTING: Proof.RELAYED_TOKEN},
        on_case=OnCase(CasePermission.CASE_PERMISSION_VIEW_DOSSIER, "name", "dossier"),
    ),
    f"{READ}/ListDossiers": MethodPolicy({Peer.ROUTING: Proof.NOTHING, **AGENCY_WITH_TOKEN}),
    f"{READ}/DownloadManifest": MethodPolicy(AGENCY_WITH_TOKEN),
    f"{READ}/DownloadDocuments": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=OnCase(CasePermission.CASE_PERMISSION_VIEW_DOSSIER, "version", "version")
    ),
    f"{WRITE}/UploadDocuments": MethodPolicy(
        AGENCY_WITH_TOKEN, on_case=OnCase(CasePermission.CASE_PERMISSION_CHANGE_DOSSIER, "open.dossier", "dossier")
    ),
    f"{WRITE}/CreateDossier": MethodPolicy(
        AGENCY_WITH_TOKEN,
        subject=Subject.OFFICER,
        on_case=OnCase(CasePermission.CASE_PERMISSION_CHANGE_DOSSIER, "case"),
        audited="dossier.created",
    ),
}


async def case_of_dossier(name: str) -> str | None:
    return CASE if name == DOSSIER else None


async def case_of_version(name: str) -> str | None:
    return CASE if name.startswith(DOSSIER) else None


async def key_set() -> str:
    public = json.loads(OKPAlgorithm.to_jwk(KEY.public_key()))
    return json.dumps({"keys": [{**public, "kid": "k1", "alg": "EdDSA", "use": "sig"}]})


def issue(certificate: Path, **changes: Any) -> str:
    """A token bound to the first certificate in a file."""
    now = int(time.time())
    thumbprint = base64.urlsafe_b64encode(fingerprint(certificate)).rstrip(b"=").decode()
    claims = {
        "iss": "casemesh/identity",
        "aud": "casemesh",
        "sub": OFFICER,
        "client_id": SYSTEM_NAME,
        "jti": new_id(),
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "auth_time": now,
        "acr": "urn:casemesh:acr:system-asserted",
        "cnf": {"x5t#S256": thumbprint},
        **changes,
    }
    return jwt.encode(claims, KEY, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": "k1"})


@dataclass
class Served:
    """A running server and what stands behind it."""

    pki: Pki
    address: str
    dossiers: FakeDossiers
    decider: FakeDecider
    stack: AsyncExitStack

    def channel(self, entry: str) -> grpc.aio.Channel:
        channel = open_channel(
            self.address,
            Credentials(self.pki.layout.root / entry),
            server_name="dossier.casemesh.svc",
            interceptors=[ErrorInterceptor()],
        )
        self.stack.push_async_callback(channel.close)
        return channel

    @property
    def police(self) -> Path:
        return self.pki.layout.system(POLICE, SYSTEM).certificate

    def through_gateway(self, token: str | None = None, certificate: Path | None = None) -> list[tuple[str, str]]:
        bound = certificate or self.police
        return [*forwarded(bound), ("authorization", f"Bearer {token or issue(bound)}")]

    async def get(self, entry: str = "mesh/gateway", metadata: Any = None, name: str = DOSSIER) -> Any:
        stub = dossier_read_service_pb2_grpc.DossierReadServiceStub(self.channel(entry))
        chosen = self.through_gateway() if metadata is None else metadata
        return await stub.GetDossier(
            dossier_read_service_pb2.GetDossierRequest(name=name), metadata=chosen, timeout=TIMEOUT
        )


@pytest.fixture
async def served(mesh_pki: Pki, embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Served]:
    dossiers, decider = FakeDossiers(), FakeDecider()

    async def assemble(host: Host) -> Assembly:
        return Assembly(
            register=[
                lambda server: dossier_read_service_pb2_grpc.add_DossierReadServiceServicer_to_server(dossiers, server),
                lambda server: dossier_service_pb2_grpc.add_DossierServiceServicer_to_server(dossiers, server),
            ],
            service_names=[READ, WRITE],
            policies=POLICIES,
            locators={"dossier": case_of_dossier, "version": case_of_version},
            decider=decider,
            inactive_part=decider.inactive_part,
            fetch_keys=key_set,
        )

    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(clone_database(embedded_postgres, "pipeline"))
        (tmp_path / "dsn").write_text(database.runtime_dsn)
        config = HostConfig(
            ServerConfig("127.0.0.1:0", announce=Duration(0), drain=Duration(1), reauthorize_every=Duration(0.5)),
            TlsConfig(mesh_pki.layout.root / "mesh" / "dossier"),
            DatabaseConfig(tmp_path / "dsn", pool_size=2),
            {},
        )
        running = await stack.enter_async_context(serving("dossier", config, assemble))
        clients = await stack.enter_async_context(AsyncExitStack())
        yield Served(mesh_pki, f"127.0.0.1:{running.port}", dossiers, decider, clients)


def reason(error: pytest.ExceptionInfo[CaseMeshError]) -> str:
    return error.value.reason


async def test_an_officer_through_the_gateway_reaches_the_handler_with_case_and_basis(served: Served) -> None:
    await served.get()
    (call,) = served.dossiers.calls
    assert (call.caller.officer, call.caller.agency, call.caller.system) == (OFFICER, AGENCY, SYSTEM_NAME)
    assert (call.case, call.basis) == (CASE, "test rule: test fact")


async def test_a_service_on_the_list_relays_a_token_that_is_bound_to_another_certificate(served: Served) -> None:
    await served.get("mesh/routing", [("authorization", f"Bearer {issue(served.police)}")])
    assert served.dossiers.calls[0].peer == Peer.ROUTING


@pytest.mark.parametrize("entry", ["mesh/translation", "mesh/audit", "mesh/identity", "mesh/operator", "mesh/monitor"])
async def test_a_peer_that_the_policy_does_not_list_is_refused(served: Served, entry: str) -> None:
    with pytest.raises(PermissionDenied) as error:
        await served.get(entry)
    assert reason(error) == "CALLER_NOT_ALLOWED"
    assert served.dossiers.calls == []


async def test_an_agencys_certificate_does_not_reach_a_service_at_all(served: Served) -> None:
    with pytest.raises(CaseMeshError) as error:
        await served.get(f"agencies/{POLICE}/systems/{SYSTEM}")
    assert isinstance(error.value, Unavailable)
    assert served.dossiers.calls == []


async def test_a_method_without_a_policy_row_is_refused(served: Served) -> None:
    stub = dossier_read_service_pb2_grpc.DossierReadServiceStub(served.channel("mesh/gateway"))
    request = dossier_read_service_pb2.GetDossierVersionRequest(name=f"{DOSSIER}/versions/{new_id()}")
    with pytest.raises(PermissionDenied) as error:
        await stub.GetDossierVersion(request, metadata=served.through_gateway(), timeout=TIMEOUT)
    assert reason(error) == "CALLER_NOT_ALLOWED"


async def test_a_token_under_another_certificate_is_refused(served: Served) -> None:
    other = served.pki.layout.system(PROCURATORATE, SYSTEM).certificate
    with pytest.raises(Unauthenticated) as error:
        await served.get(metadata=served.through_gateway(issue(served.police), certificate=other))
    assert reason(error) == "TOKEN_CERTIFICATE_MISMATCH"


async def test_an_expired_token_is_refused_as_expired(served: Served) -> None:
    past = int(time.time()) - 1000
    token = issue(served.police, iat=past, nbf=past, exp=past + 300, auth_time=past)
    with pytest.raises(Unauthenticated) as error:
        await served.get(metadata=served.through_gateway(token))
    assert reason(error) == "TOKEN_EXPIRED"


async def test_a_call_without_a_token_or_with_two_is_refused(served: Served) -> None:
    twice = [*served.through_gateway(), ("authorization", f"Bearer {issue(served.police)}")]
    for metadata in (forwarded(served.police), twice):
        with pytest.raises(Unauthenticated) as error:
            await served.get(metadata=metadata)
        assert reason(error) == "TOKEN_MISSING"


async def test_a_forwarded_certificate_is_believed_once_and_from_the_gateway_alone(served: Served) -> None:
    token = ("authorization", f"Bearer {issue(served.police)}")
    doubled = [*forwarded(served.police), *forwarded(served.police), token]
    for metadata in ([token], doubled, [("x-forwarded-client-cert", "URI=spiffe://x;Hash=" + "0" * 64), token]):
        with pytest.raises(Unauthenticated) as error:
            await served.get(metadata=metadata)
        assert reason(error) == "FORWARDED_CERTIFICATE_INVALID"


async def test_a_systems_own_token_does_not_open_what_asks_for_an_officer(served: Served) -> None:
    stub = dossier_service_pb2_grpc.DossierServiceStub(served.channel("mesh/gateway"))
    request = dossier_service_pb2.CreateDossierRequest(request_id=new_id(), case=CASE, title="invented")
    own = issue(served.police, sub=SYSTEM_NAME)
    with pytest.raises(PermissionDenied) as error:
        await stub.CreateDossier(request, metadata=served.through_gateway(own), timeout=TIMEOUT)
    assert reason(error) == "TOKEN_SUBJECT_WRONG"


async def test_a_field_that_breaks_its_rule_is_named_with_the_remedy(served: Served) -> None:
    stub = dossier_service_pb2_grpc.DossierServiceStub(served.channel("mesh/gateway"))
    request = dossier_service_pb2.CreateDossierRequest(request_id="7", case="cases/7", title="x" * 201)
    with pytest.raises(InvalidArgument) as error:
        await stub.CreateDossier(request, metadata=served.through_gateway(), timeout=TIMEOUT)
    assert {"request_id", "case", "title"} == {violation.field for violation in error.value.violations}
    assert all("must" in violation.description for violation in error.value.violations)


async def test_a_unary_call_without_a_deadline_is_refused(served: Served) -> None:
    stub = dossier_read_service_pb2_grpc.DossierReadServiceStub(served.channel("mesh/gateway"))
    with pytest.raises(InvalidArgument) as error:
        await stub.GetDossier(
            dossier_read_service_pb2.GetDossierRequest(name=DOSSIER), metadata=served.through_gateway()
        )
    assert reason(error) == "DEADLINE_MISSING"


async def test_absent_and_forbidden_give_the_same_answer_and_ask_the_same_question(served: Served) -> None:
    with pytest.raises(NotFound) as absent:
        await served.get(name=f"dossiers/{new_id()}")
    served.decider.allowed = served.decider.visible = False
    with pytest.raises(NotFound) as forbidden:
        await served.get()
    assert (absent.value.reason, absent.value.message, absent.value.metadata) == (
        forbidden.value.reason,
        forbidden.value.message,
        forbidden.value.metadata,
    )
    assert len(served.decider.questions) == 2


async def test_one_who_sees_the_case_is_told_which_right_is_missing(served: Served) -> None:
    served.decider.allowed = False
    with pytest.raises(PermissionDenied) as error:
        await served.get()
    assert error.value.metadata == {"permission": "VIEW_DOSSIER"}


async def test_when_identity_does_not_answer_the_call_fails_and_is_not_let_through(served: Served) -> None:
    served.decider.broken = True
    with pytest.raises(Unavailable) as error:
        await served.get()
    assert error.value.metadata == {"dependency": "identity"}
    assert served.dossiers.calls == []


async def test_what_nobody_foresaw_reaches_the_caller_as_an_incident_without_its_words(served: Served) -> None:
    served.dossiers.failure = RuntimeError("a secret of the handler")
    with pytest.raises(CaseMeshError) as error:
        await served.get()
    assert reason(error) == "INTERNAL"
    assert "secret" not in str(error.value)
    assert error.value.metadata["incident"]


async def test_a_refusal_carries_its_trace_id(served: Served) -> None:
    channel = open_channel(
        served.address, Credentials(served.pki.layout.root / "mesh/gateway"), server_name="dossier.casemesh.svc"
    )
    served.stack.push_async_callback(channel.close)
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    call = dossier_read_service_pb2_grpc.DossierReadServiceStub(channel).GetDossier(
        dossier_read_service_pb2.GetDossierRequest(name="nonsense"),
        metadata=[*served.through_gateway(), ("traceparent", f"00-{trace_id}-b7ad6b7169203331-01")],
        timeout=TIMEOUT,
    )
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    assert trace_id == dict(error.value.trailing_metadata())["x-trace-id"]


def download(served: Served) -> Any:
    stub = dossier_read_service_pb2_grpc.DossierReadServiceStub(served.channel("mesh/gateway"))
    request = dossier_read_service_pb2.DownloadDocumentsRequest(version=f"{DOSSIER}/versions/{new_id()}")
    return stub.DownloadDocuments(request, metadata=served.through_gateway())


async def read_to_the_end(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def test_an_open_stream_is_cut_when_its_right_ends_and_its_handler_is_closed(served: Served) -> None:
    call = download(served)
    await call.read()
    served.decider.allowed = served.decider.visible = False
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await read_to_the_end(call)
    assert from_rpc_error(error.value).reason == "STREAM_RIGHT_ENDED"
    await asyncio.wait_for(served.dossiers.closed.wait(), TIMEOUT)


async def test_an_open_stream_goes_on_when_a_question_fails_and_the_next_is_answered(served: Served) -> None:
    call = download(served)
    await call.read()
    asked = len(served.decider.questions)
    served.decider.failures = [Unavailable("DEPENDENCY_UNAVAILABLE", "identity does not answer")]
    while len(served.decider.questions) < asked + 3:
        assert await call.read() is not grpc.aio.EOF
    assert served.decider.failures == []


async def test_a_stream_whose_client_does_not_read_is_cut_and_its_client_told_when_it_reads_on(served: Served) -> None:
    served.dossiers.content = bytes(1024 * 1024)
    call = download(served)
    await call.read()
    sent_before = -1
    while sent_before < served.dossiers.sent:
        # Nothing was taken from one question to the next: the handler's write waits for the client.
        sent_before, asked = served.dossiers.sent, len(served.decider.questions)
        while len(served.decider.questions) == asked:
            await asyncio.sleep(0.01)
    served.decider.allowed = served.decider.visible = False
    await asyncio.wait_for(served.dossiers.closed.wait(), TIMEOUT)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await asyncio.wait_for(read_to_the_end(call), TIMEOUT)
    assert from_rpc_error(error.value).reason == "STREAM_RIGHT_ENDED"


@pytest.mark.parametrize("fault", ["broken", "hanging"])
async def test_an_open_stream_is_cut_when_nobody_says_any_more_whether_its_right_holds(
    served: Served, fault: str
) -> None:
    call = download(served)
    await call.read()
    setattr(served.decider, fault, True)
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await read_to_the_end(call)
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE
    assert from_rpc_error(error.value).reason == "ACCESS_STATE_STALE"


async def test_an_open_stream_does_not_outlive_a_question_that_fails_in_an_unforeseen_way(served: Served) -> None:
    call = download(served)
    await call.read()
    served.decider.failures = [RuntimeError("not foreseen")]
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await read_to_the_end(call)
    assert from_rpc_error(error.value).reason == "ACCESS_STATE_STALE"


async def test_where_no_case_is_concerned_whoever_comes_through_the_gateway_must_be_active(served: Served) -> None:
    stub = dossier_read_service_pb2_grpc.DossierReadServiceStub(served.channel("mesh/gateway"))
    request = dossier_read_service_pb2.ListDossiersRequest(case=CASE)
    await stub.ListDossiers(request, metadata=served.through_gateway(), timeout=TIMEOUT)
    assert [OFFICER] == served.decider.questions
    served.decider.inactive = "certificate"
    with pytest.raises(Unauthenticated) as error:
        await stub.ListDossiers(request, metadata=served.through_gateway(), timeout=TIMEOUT)
    assert (error.value.reason, error.value.metadata) == ("CALLER_NOT_ACTIVE", {"part": "certificate"})
    served.decider.broken = True
    with pytest.raises(Unavailable):
        await stub.ListDossiers(request, metadata=served.through_gateway(), timeout=TIMEOUT)
    assert len(served.dossiers.calls) == 1


async def test_an_open_stream_that_concerns_no_case_is_cut_when_its_caller_is_not_active_any_more(
    served: Served,
) -> None:
    stub = dossier_read_service_pb2_grpc.DossierReadServiceStub(served.channel("mesh/gateway"))
    request = dossier_read_service_pb2.DownloadManifestRequest(version=f"{DOSSIER}/versions/{new_id()}")
    call = stub.DownloadManifest(request, metadata=served.through_gateway())
    await call.read()
    served.decider.inactive = "agency"
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await read_to_the_end(call)
    assert from_rpc_error(error.value).reason == "STREAM_RIGHT_ENDED"


async def test_a_cancelled_download_closes_its_handler(served: Served) -> None:
    call = download(served)
    await call.read()
    call.cancel()
    await asyncio.wait_for(served.dossiers.closed.wait(), TIMEOUT)


async def test_an_upload_is_authorised_on_its_first_message_and_gives_every_message_once(served: Served) -> None:
    stub = dossier_service_pb2_grpc.DossierServiceStub(served.channel("mesh/gateway"))
    opening = dossier_service_pb2.UploadDocumentsRequest(
        open=dossier_service_pb2.UploadOpen(dossier=DOSSIER, upload_id=new_id())
    )
    call = stub.UploadDocuments(
        iter([opening, dossier_service_pb2.UploadDocumentsRequest()]), metadata=served.through_gateway()
    )
    assert len([response async for response in call]) == 2
    assert opening == served.dossiers.calls[0]


async def test_an_upload_to_a_dossier_one_may_not_see_is_refused_before_the_handler(served: Served) -> None:
    served.decider.allowed = served.decider.visible = False
    stub = dossier_service_pb2_grpc.DossierServiceStub(served.channel("mesh/gateway"))
    opening = dossier_service_pb2.UploadDocumentsRequest(
        open=dossier_service_pb2.UploadOpen(dossier=DOSSIER, upload_id=new_id())
    )
    call = stub.UploadDocuments(iter([opening]), metadata=served.through_gateway())
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call.read()
    assert from_rpc_error(error.value).reason == "NOT_FOUND"
    assert served.dossiers.calls == []


async def test_a_message_over_the_limit_is_refused_with_resource_exhausted(served: Served) -> None:
    stub = dossier_service_pb2_grpc.DossierServiceStub(served.channel("mesh/gateway"))
    chunk = dossier_service_pb2.DocumentChunk(data=bytes(4 * 1024 * 1024))
    frame = dossier_service_pb2.UploadFrame(chunk=chunk)
    channel = open_channel(
        served.address,
        Credentials(served.pki.layout.root / "mesh/gateway"),
        server_name="dossier.casemesh.svc",
        options=[("grpc.max_send_message_length", -1)],
    )
    served.stack.push_async_callback(channel.close)
    stub = dossier_service_pb2_grpc.DossierServiceStub(channel)
    call = stub.UploadDocuments(
        iter([dossier_service_pb2.UploadDocumentsRequest(frames=[frame])]), metadata=served.through_gateway()
    )
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call.read()
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
