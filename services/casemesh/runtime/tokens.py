"""Verification of access tokens.

PyJWT checks signatures and times; everything it leaves open is checked here before and after: form, `typ`, one
algorithm a key, duplicate claims, required claims, greatest life. Tokens verified once are remembered until they end.

Source: RFC 8725 (best practice), RFC 9068 (`at+jwt`), RFC 8705 (`cnf`).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from casemesh.core.clock import Clock
from casemesh.core.names import AGENCY, OFFICER, SYSTEM, WORKSTATION
from casemesh.errors import Unauthenticated
from casemesh.runtime.call import Caller

AUDIENCE = "casemesh"
ISSUER = "casemesh/identity"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type, no secret
MAX_LIFE_SECONDS = 300
LEEWAY_SECONDS = 5
_MAX_CHARACTERS = 4096
_CACHE_SIZE = 10_000
_REFRESH_COOLDOWN_SECONDS = 30.0
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_REQUIRED = ("exp", "iat", "nbf", "iss", "aud", "sub", "jti", "client_id", "cnf", "acr", "auth_time")
_HEADER_KEYS = frozenset({"alg", "typ", "kid"})


@dataclass(frozen=True)
class VerifiedToken:
    """A token whose signature, times and claims hold.

    `thumbprint` is the SHA-256 of the certificate it is bound to.
    """

    caller: Caller
    thumbprint: bytes


FetchKeys = Callable[[], Awaitable[str]]
"""Returns the JSON Web Key Set of identity."""


class TokenVerifier:
    """Verifies tokens with identity's public keys, which it fetches when a key is unknown, at most every 30 seconds."""

    def __init__(self, fetch_keys: FetchKeys, clock: Clock) -> None:
        self._fetch_keys = fetch_keys
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._fetching = asyncio.Lock()
        self._verified: OrderedDict[bytes, VerifiedToken] = OrderedDict()

    async def verify(self, token: str) -> VerifiedToken:
        """Return what `token` says.

        Raises Unauthenticated (TOKEN_INVALID, TOKEN_EXPIRED); Unavailable when identity's keys cannot be had.
        """
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is not None:
            self._refuse_ended(known)
            return known
        verified = await self._verify(token)
        self._verified[digest] = verified
        while len(self._verified) > _CACHE_SIZE:
            self._verified.popitem(last=False)
        return verified

    async def _verify(self, token: str) -> VerifiedToken:
        key = await self._key(_read_header(token))
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm_name],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY_SECONDS,
                options={
                    "require": list(_REQUIRED),
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError as error:
            raise _invalid(type(error).__name__) from error
        return self._read_claims(token, claims)

    def _read_claims(self, token: str, claims: Mapping[str, Any]) -> VerifiedToken:
        _refuse_duplicates(token)
        now = self._clock.now().timestamp()
        times = [claims[name] for name in ("exp", "iat", "nbf", "auth_time")]
        if any(type(value) is not int for value in times):
            raise _invalid("times must be whole seconds")
        expires, issued, not_before, _ = times
        if expires - issued > MAX_LIFE_SECONDS:
            raise _invalid(f"it lives longer than {MAX_LIFE_SECONDS} seconds")
        if issued > now + LEEWAY_SECONDS or not_before > now + LEEWAY_SECONDS:
            raise _invalid("it is not valid yet")
        caller = Caller(
            agency=_claimed_agency(claims),
            system=str(claims["client_id"]),
            officer=None if claims["sub"] == claims["client_id"] else str(claims["sub"]),
            token=token,
            expires_at=expires,
        )
        verified = VerifiedToken(caller, _thumbprint(claims["cnf"]))
        self._refuse_ended(verified)
        return verified

    def _refuse_ended(self, verified: VerifiedToken) -> None:
        if self._clock.now().timestamp() >= verified.caller.expires_at + LEEWAY_SECONDS:
            raise Unauthenticated("TOKEN_EXPIRED", "the token is past its end; get another")

    async def _key(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        if header["kid"] not in self._keys:
            await self._refresh(header["kid"])
        key = self._keys.get(header["kid"])
        if key is None or header["alg"] != key.algorithm_name:
            raise _invalid("its key is not one of identity's")
        return key

    async def _refresh(self, wanted: str) -> None:
        async with self._fetching:
            recently = (
                self._fetched_at is not None and self._clock.monotonic() - self._fetched_at < _REFRESH_COOLDOWN_SECONDS
            )
            if wanted in self._keys or recently:
                return
            document = json.loads(await self._fetch_keys())
            self._keys = {item["kid"]: jwt.PyJWK(item) for item in document["keys"]}
            self._fetched_at = self._clock.monotonic()


def _read_header(token: str) -> dict[str, Any]:
    if len(token) > _MAX_CHARACTERS or _FORM.fullmatch(token) is None:
        raise _invalid("it is not three parts in base64url without padding")
    header = _decode_part(token.split(".")[0])
    if set(header) - _HEADER_KEYS or header.get("typ") != TOKEN_TYPE or not isinstance(header.get("kid"), str):
        raise _invalid(f"its header must have alg, kid and typ {TOKEN_TYPE}, and nothing else")
    if header.get("alg") not in ("EdDSA", "ES256"):
        raise _invalid("its algorithm must be EdDSA or ES256")
    return header


def _refuse_duplicates(token: str) -> None:
    _decode_part(token.split(".")[1])


def _decode_part(part: str) -> dict[str, Any]:
    try:
        decoded = json.loads(
            base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=_pairs_without_duplicates
        )
    except (ValueError, RecursionError) as error:
        raise _invalid("a part is not JSON without duplicate keys") from error
    if not isinstance(decoded, dict):
        raise _invalid("a part is not a JSON object")
    return decoded


def _pairs_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


def _claimed_agency(claims: Mapping[str, Any]) -> str:
    client, subject = str(claims["client_id"]), str(claims["sub"])
    for form in (SYSTEM, WORKSTATION):
        try:
            agency = AGENCY.format(agency=form.parse(client)["agency"])
            break
        except ValueError:
            continue
    else:
        raise _invalid("client_id is neither a system nor a workstation")
    if subject != client:
        try:
            own = AGENCY.format(agency=OFFICER.parse(subject)["agency"]) == agency
        except ValueError:
            own = False
        if not own:
            raise _invalid("sub is not an officer of the agency of client_id")
    return agency


def _thumbprint(confirmation: Any) -> bytes:
    value = confirmation.get("x5t#S256") if isinstance(confirmation, dict) else None
    if not isinstance(value, str):
        raise _invalid("cnf has no x5t#S256")
    try:
        thumbprint = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except ValueError as error:
        raise _invalid("cnf is not base64url") from error
    if len(thumbprint) != 32:
        raise _invalid("cnf is not a SHA-256")
    return thumbprint


def _invalid(why: str) -> Unauthenticated:
    return Unauthenticated("TOKEN_INVALID", f"the token is not valid: {why}")
