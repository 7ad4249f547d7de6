"""Tokens that deviate in one thing from a good one, under identity's own key, at a service that verifies by itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemesh.errors import CaseMeshError
from casemesh.identity.token_keyring import read_keys
from casemesh.local.configuration import MachineLayout
from casemesh.routing.v1 import collaboration_node_service_pb2
from casemesh.routing.v1.collaboration_node_service_pb2_grpc import CollaborationNodeServiceStub
from tests.support.clock import FakeClock
from tests.support.mesh import Mesh, MeshOf, forwarded
from tests.support.pki import COURT, POLICE

TIMEOUT = 10.0
YEAR = 365 * 86_400
Json = dict[str, Any]


@dataclass(frozen=True)
class Good:
    """A good token in its parts, and the key that signed it."""

    header: Json
    claims: Json
    key: Ed25519PrivateKey

    def signed(self, header: bytes | None = None, claims: bytes | None = None) -> str:
        """Sign these texts, those of the good token unless given."""
        parts = (header or json.dumps(self.header).encode(), claims or json.dumps(self.claims).encode())
        text = ".".join(b64(part) for part in parts)
        return f"{text}.{b64(self.key.sign(text.encode()))}"

    def with_claims(self, **changes: Any) -> str:
        return self.signed(claims=json.dumps({**self.claims, **changes}).encode())

    def with_header(self, **changes: Any) -> str:
        return self.signed(header=json.dumps({**self.header, **changes}).encode())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def under_public_key(good: Good) -> str:
    """An HMAC whose secret is what everybody may know: the public key."""
    secret = good.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{b64(json.dumps({**good.header, 'alg': 'HS256'}).encode())}.{b64(json.dumps(good.claims).encode())}"
    return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def unsigned(good: Good) -> str:
    text = f"{b64(json.dumps({**good.header, 'alg': 'none'}).encode())}.{b64(json.dumps(good.claims).encode())}"
    return f"{text}."


def doubled(good: Good) -> str:
    """`sub` twice: a reader that takes the first and one that takes the last see two callers."""
    text = json.dumps(good.claims)
    return good.signed(claims=f'{{"sub": "{good.claims["client_id"]}", {text[1:]}'.encode())


BAD: dict[str, Callable[[Good], str]] = {
    "another audience": lambda good: good.with_claims(aud="elsewhere"),
    "a list of audiences": lambda good: good.with_claims(aud=["casemesh", "elsewhere"]),
    "another issuer": lambda good: good.with_claims(iss="casemesh/identity2"),
    "another algorithm": lambda good: good.with_header(alg="ES256"),
    "no algorithm": unsigned,
    "HMAC with the public key": under_public_key,
    "another type": lambda good: good.with_header(typ="JWT"),
    "a key of its own": lambda good: good.with_header(jwk={"kty": "OKP"}),
    "an unknown key": lambda good: good.with_header(kid="unknown"),
    "a critical extension": lambda good: good.with_header(crit=["b64"]),
    "a year's life": lambda good: good.with_claims(exp=good.claims["iat"] + YEAR),
    "ten minutes ahead": lambda good: good.with_claims(
        **{name: good.claims[name] + 600 for name in ("iat", "nbf", "exp", "auth_time")}
    ),
    "ten minutes late": lambda good: good.with_claims(
        **{name: good.claims[name] - 600 for name in ("iat", "nbf", "exp", "auth_time")}
    ),
    "claims given twice": doubled,
    "no claim of a certificate": lambda good: good.with_claims(cnf={}),
    "another level of login": lambda good: good.with_claims(acr="urn:casemesh:acr:workstation"),
    "an officer of another agency": lambda good: good.with_claims(
        sub="agencies/01900000-0000-7000-8000-000000000000/officers/01900000-0000-7000-8000-000000000001"
    ),
    "trailing padding": lambda good: good.signed() + "==",
    "a fourth part": lambda good: good.signed() + ".AA",
    "another key's signature": lambda good: Good(good.header, good.claims, Ed25519PrivateKey.generate()).signed(),
}


async def good_token(mesh: Mesh, agency: Any) -> Good:
    token = await mesh.token(agency, "甲某")
    (key,) = read_keys(MachineLayout(mesh.directory).token_keys)
    claims = jwt.decode(token, options={"verify_signature": False})
    return Good(jwt.get_unverified_header(token), claims, key.key.private)


async def test_a_token_that_deviates_in_one_thing_opens_nothing(mesh_of: MeshOf) -> None:
    async with mesh_of("identity", "routing") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        court = await mesh.enrol(COURT, "FY")
        good = await good_token(mesh, police)
        nodes = CollaborationNodeServiceStub(mesh.channel("routing", "gateway"))

        async def answer(token: str, certificate: Any = police) -> str:
            metadata = [
                *forwarded(certificate.credentials.directory / "tls.pem"),
                ("authorization", f"Bearer {token}"),
            ]
            request = collaboration_node_service_pb2.ListNodesRequest(page_size=1)
            try:
                await nodes.ListNodes(request, metadata=metadata, timeout=TIMEOUT)
            except CaseMeshError as error:
                return error.reason
            return "answered"

        assert await answer(good.signed()) == "answered"
        expected = {name: "TOKEN_EXPIRED" if name == "ten minutes late" else "TOKEN_INVALID" for name in BAD}
        assert expected == {name: await answer(make(good)) for name, make in BAD.items()}
        assert await answer(good.signed(), court) == "TOKEN_CERTIFICATE_MISMATCH"


@pytest.mark.parametrize("skew", [-600, -6, 6, 600])
async def test_a_token_of_a_clock_that_differs_by_more_than_the_leeway_is_refused(mesh_of: MeshOf, skew: int) -> None:
    async with mesh_of("identity", "routing", clock=FakeClock()) as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某"])
        good = await good_token(mesh, police)
        life = good.claims["exp"] - good.claims["iat"]
        # A short life, so that a clock that is behind makes it end too early by the same seconds.
        issued = good.claims["iat"] + skew if skew > 0 else good.claims["iat"] + skew - life
        times = {"iat": issued, "nbf": issued, "auth_time": issued, "exp": issued + life}
        metadata = [
            *forwarded(police.credentials.directory / "tls.pem"),
            ("authorization", f"Bearer {good.with_claims(**times)}"),
        ]
        stub = CollaborationNodeServiceStub(mesh.channel("routing", "gateway"))
        with pytest.raises(CaseMeshError) as refused:
            await stub.ListNodes(
                collaboration_node_service_pb2.ListNodesRequest(page_size=1), metadata=metadata, timeout=TIMEOUT
            )
        assert refused.value.reason == ("TOKEN_INVALID" if skew > 0 else "TOKEN_EXPIRED")
