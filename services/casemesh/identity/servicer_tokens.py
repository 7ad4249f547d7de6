"""The gRPC services of tokens: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.errors import Unauthenticated
from casemesh.identity.assertions import asserted_subject, officer_id_of
from casemesh.identity.directory_store import DirectoryStore
from casemesh.identity.token_issuer import TokenIssuer
from casemesh.identity.v1 import token_service_pb2, token_service_pb2_grpc
from casemesh.runtime.call import current_call


class TokenServicer(token_service_pb2_grpc.TokenServiceServicer):
    """casemesh.identity.v1.TokenService."""

    def __init__(self, store: DirectoryStore, issuer: TokenIssuer) -> None:
        self._store = store
        self._issuer = issuer

    async def IssueToken(
        self, request: token_service_pb2.IssueTokenRequest, context: Any
    ) -> token_service_pb2.IssueTokenResponse:
        certificate = current_call().client_fingerprint
        assert certificate is not None
        holder = await self._store.certificate_holder(certificate, officer_id_of(request.officer))
        if holder is None:
            raise Unauthenticated(
                "CERTIFICATE_UNKNOWN", "the certificate is not that of an active system or workstation"
            )
        subject = asserted_subject(holder, request.officer)
        issued = self._issuer.issue(subject, certificate)
        response = token_service_pb2.IssueTokenResponse(
            access_token=issued.token, agency=subject.agency, subject=subject.name
        )
        response.expire_time.FromSeconds(issued.expires_at)
        return response

    async def GetSigningKeys(
        self, request: token_service_pb2.GetSigningKeysRequest, context: Any
    ) -> token_service_pb2.GetSigningKeysResponse:
        return token_service_pb2.GetSigningKeysResponse(jwks_json=self._issuer.key_set())
