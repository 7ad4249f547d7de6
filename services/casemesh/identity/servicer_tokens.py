"""The gRPC service of tokens: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.core.clock import Clock
from casemesh.core.names import AGENCY
from casemesh.errors import FieldViolation, InvalidArgument, Unauthenticated, not_found
from casemesh.identity.assertions import asserted_subject, officer_id_of, read_assertion
from casemesh.identity.directory_store import CertificateHolder, DirectoryStore
from casemesh.identity.logins import OfficerLogins
from casemesh.identity.subjects import Subject
from casemesh.identity.token_issuer import IssuedToken, StatedLogin, TokenIssuer
from casemesh.identity.v1 import token_service_pb2, token_service_pb2_grpc
from casemesh.runtime.call import current_call


class TokenServicer(token_service_pb2_grpc.TokenServiceServicer):
    """casemesh.identity.v1.TokenService. If `assertion_required`, officers' tokens are given upon assertions alone."""

    def __init__(
        self,
        directory: DirectoryStore,
        logins: OfficerLogins,
        issuer: TokenIssuer,
        clock: Clock,
        *,
        assertion_required: bool,
    ) -> None:
        self._directory = directory
        self._logins = logins
        self._issuer = issuer
        self._clock = clock
        self._assertion_required = assertion_required

    async def IssueToken(
        self, request: token_service_pb2.IssueTokenRequest, context: Any
    ) -> token_service_pb2.IssueTokenResponse:
        certificate = current_call().client_fingerprint
        assert certificate is not None  # the policy asks for the forwarded certificate
        if request.assertion:
            return await self._upon_assertion(request, certificate)
        holder = await self._holder(certificate, officer_id_of(request.officer))
        subject = asserted_subject(holder, request.officer)
        if self._assertion_required and subject.officer_id is not None:
            raise Unauthenticated("ASSERTION_REQUIRED", "an officer's token is given upon a signed `assertion` alone")
        return _response(subject, self._issuer.issue(subject, certificate))

    async def GetSigningKeys(
        self, request: token_service_pb2.GetSigningKeysRequest, context: Any
    ) -> token_service_pb2.GetSigningKeysResponse:
        return token_service_pb2.GetSigningKeysResponse(jwks_json=self._issuer.key_set())

    async def GetOfficerLogin(
        self, request: token_service_pb2.GetOfficerLoginRequest, context: Any
    ) -> token_service_pb2.GetOfficerLoginResponse:
        agency = current_call().require_caller().agency
        login = await self._logins.stated_by(AGENCY.parse(agency)["agency"], request.assertion_sha256)
        if login is None:
            raise not_found()
        return login

    async def _upon_assertion(
        self, request: token_service_pb2.IssueTokenRequest, certificate: bytes
    ) -> token_service_pb2.IssueTokenResponse:
        if request.officer:
            rule = "must be unset beside assertion, which names the officer"
            raise InvalidArgument("FIELD_INVALID", f"officer {rule}", violations=[FieldViolation("officer", rule)])
        assertion = read_assertion(request.assertion, certificate, int(self._clock.now().timestamp()))
        holder = await self._holder(certificate, assertion.officer_id)
        subject = asserted_subject(holder, assertion.officer)
        login = await self._logins.use(current_call(), subject, assertion)
        stated = StatedLogin(assertion.acr, assertion.login_age_seconds, login) if login else None
        response = _response(subject, self._issuer.issue(subject, certificate, stated))
        response.clock_skew_seconds = assertion.clock_skew_seconds
        return response

    async def _holder(self, certificate: bytes, officer_id: str | None) -> CertificateHolder:
        holder = await self._directory.certificate_holder(certificate, officer_id)
        if holder is None:
            raise Unauthenticated(
                "CERTIFICATE_UNKNOWN", "the certificate is not that of an active system or workstation"
            )
        return holder


def _response(subject: Subject, issued: IssuedToken) -> token_service_pb2.IssueTokenResponse:
    response = token_service_pb2.IssueTokenResponse(
        access_token=issued.token, agency=subject.agency, subject=subject.name
    )
    response.expire_time.FromSeconds(issued.expires_at)
    return response
