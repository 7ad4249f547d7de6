"""Verification of access tokens.

`compact_jws` reads the form and PyJWT's algorithms check signatures; all that a token says is checked here: `typ`, one
algorithm a key, issuer and audience, required claims and their types, times by our clock, greatest life. Tokens
verified once are remembered until they end or the key set changes.

Source: RFC 8725 (best practice), RFC 9068 (`at+jwt`), RFC 8705 (`cnf`).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from casemesh.core.clock import Clock
from casemesh.core.names import OFFICER, SYSTEM, WORKSTATION, ResourceName, agency_of
from casemesh.errors import CaseMeshError, Unauthenticated, Unavailable
from casemesh.runtime.call import Caller
from casemesh.runtime.compact_jws import CompactJws, JwsError, decode_base64url

AUDIENCE = "casemesh"
ISSUER = "casemesh/identity"
TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type, no secret
MAX_LIFE_SECONDS = 300
LEEWAY_SECONDS = 5
ACR_SYSTEM_ASSERTED = "urn:casemesh:acr:system-asserted"
"""The agency's system vouches for the officer, or acts for itself; nothing is stated of a login."""
ACR_WORKSTATION = "urn:casemesh:acr:workstation"
"""The certificate is that of the officer's own workstation; nothing is stated of a login."""
ACR_RANKS: Mapping[str, int] = {
    ACR_SYSTEM_ASSERTED: 0,
    ACR_WORKSTATION: 0,
    "urn:casemesh:acr:password": 1,
    "urn:casemesh:acr:two-factor": 2,
    "urn:casemesh:acr:certificate": 3,
}
"""How an officer logged in, by rising rank; of rank 0 is what states no login."""
_MAX_CHARACTERS = 4096
_CACHE_SIZE = 10_000
_FAILURE_COOLDOWN_SECONDS = 1.0
REFRESH_COOLDOWN_SECONDS = 30.0
"""How soon after a fetch an unknown key makes a verifier fetch again."""
KEYS_MAX_AGE_SECONDS = 300.0
"""How long a verifier keeps a key set."""
_REQUIRED = ("exp", "iat", "nbf", "iss", "aud", "sub", "jti", "client_id", "cnf", "acr", "auth_time")
_HEADER_KEYS = frozenset({"alg", "typ", "kid"})
_KEY_KINDS = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256"}
_CLIENTS = ((SYSTEM, ACR_SYSTEM_ASSERTED), (WORKSTATION, ACR_WORKSTATION))


FetchKeys = Callable[[], Awaitable[str]]
"""Returns the JSON Web Key Set of identity."""


class TokenVerifier:
    """Verifies tokens with identity's public keys.

    The key set is fetched when a key is unknown, at most every 30 seconds, and again when it is five minutes old: a key
    that identity withdrew is trusted no longer than that. A fetch that failed is not repeated for a second, so that
    callers do not queue behind an identity that does not answer.
    """

    def __init__(self, fetch_keys: FetchKeys, clock: Clock) -> None:
        self._fetch_keys = fetch_keys
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._key_set = ""
        self._fetched_at: float | None = None
        self._failed_at: float | None = None
        self._fetching = asyncio.Lock()
        self._verified: OrderedDict[bytes, Caller] = OrderedDict()

    async def verify(self, token: str) -> Caller:
        """Return what `token` says: a token whose signature, times and claims hold.

        Raises Unauthenticated (TOKEN_INVALID, TOKEN_EXPIRED); Unavailable when identity's keys cannot be had.
        """
        digest = hashlib.sha256(token.encode()).digest()
        # First of all: what is no token must not make us ask identity.
        read = None if digest in self._verified else _read(token)
        if self._age() >= KEYS_MAX_AGE_SECONDS:
            await self._refresh(lambda: self._age() < KEYS_MAX_AGE_SECONDS)
        known = self._verified.get(digest)
        if known is not None:
            self._refuse_ended(known)
            return known
        verified = await self._verify(token, read or _read(token))
        self._verified[digest] = verified
        while len(self._verified) > _CACHE_SIZE:
            self._verified.popitem(last=False)
        return verified

    async def _verify(self, token: str, read: CompactJws) -> Caller:
        key = await self._key(read.header)
        if not read.is_signed_by(key.key, key.algorithm_name):
            raise _invalid("its signature does not hold")
        claims = read.claims
        if missing := [name for name in _REQUIRED if claims.get(name) is None]:
            raise _invalid(f"it has no {missing[0]}")
        if claims["iss"] != ISSUER or claims["aud"] != AUDIENCE or not isinstance(claims["jti"], str):
            raise _invalid("it is of another issuer or audience")
        return self._caller(token, claims)

    def _caller(self, token: str, claims: Mapping[str, Any]) -> Caller:
        now = self._clock.now().timestamp()
        times = [claims[name] for name in ("exp", "iat", "nbf", "auth_time")]
        if any(type(value) is not int for value in times):
            raise _invalid("times must be whole seconds")
        expires, issued, not_before, authenticated = times
        if not 0 < expires - issued <= MAX_LIFE_SECONDS:
            raise _invalid(f"it must live at least a second and at most {MAX_LIFE_SECONDS}")
        if (begins := max(issued, not_before)) > now + LEEWAY_SECONDS:
            raise _invalid(
                f"it is not valid yet: by identity's clock it begins at {clock_time(begins)}, by this service's it is "
                f"{clock_time(now)}"
            )
        if authenticated > issued:
            raise _invalid("auth_time is after iat")
        caller = _claimed_caller(claims, token, expires, authenticated)
        self._refuse_ended(caller)
        return caller

    def _refuse_ended(self, caller: Caller) -> None:
        now = self._clock.now().timestamp()
        if now >= caller.expires_at + LEEWAY_SECONDS:
            raise Unauthenticated(
                "TOKEN_EXPIRED",
                f"the token is past its end; get another. By identity's clock it ended at "
                f"{clock_time(caller.expires_at)}, by this service's it is {clock_time(now)}",
            )

    async def _key(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        wanted = header["kid"]
        if wanted not in self._keys:
            await self._refresh(lambda: wanted in self._keys or self._age() < REFRESH_COOLDOWN_SECONDS)
        key = self._keys.get(wanted)
        if key is None or header["alg"] != key.algorithm_name:
            raise _invalid("its key is not one of identity's")
        return key

    def _age(self) -> float:
        """Return how many seconds old the key set is; a verifier that has none yet has none of any age."""
        return math.inf if self._fetched_at is None else self._clock.monotonic() - self._fetched_at

    async def _refresh(self, done_meanwhile: Callable[[], bool]) -> None:
        async with self._fetching:
            if done_meanwhile():
                return
            if self._failed_at is not None and self._clock.monotonic() - self._failed_at < _FAILURE_COOLDOWN_SECONDS:
                raise _keys_unavailable()
            try:
                key_set = await self._fetch_keys()
                keys = _read_keys(key_set)
            except (CaseMeshError, ValueError, TypeError, KeyError, AttributeError, jwt.PyJWTError) as error:
                self._failed_at = self._clock.monotonic()
                raise _keys_unavailable() from error
            if key_set != self._key_set:
                self._verified.clear()
            self._keys, self._key_set, self._fetched_at = keys, key_set, self._clock.monotonic()


def _keys_unavailable() -> Unavailable:
    return Unavailable(
        "DEPENDENCY_UNAVAILABLE", "identity does not give its keys; try again", {"dependency": "identity"}
    )


def _read_keys(key_set: str) -> dict[str, jwt.PyJWK]:
    """Return the keys of a JSON Web Key Set by their identifier. Keys for another use or of another kind are left out:
    PyJWT would take them."""
    keys = {}
    for item in json.loads(key_set)["keys"]:
        algorithm = _KEY_KINDS.get((item.get("kty"), item.get("crv")))
        if algorithm is None or item.get("alg") != algorithm or item.get("use") != "sig":
            continue
        keys[str(item["kid"])] = jwt.PyJWK(item, algorithm)
    return keys


def _read(token: str) -> CompactJws:
    try:
        read = CompactJws.read(token, _MAX_CHARACTERS)
    except JwsError as error:
        raise _invalid(str(error)) from error
    header = read.header
    if set(header) - _HEADER_KEYS or header.get("typ") != TOKEN_TYPE or not isinstance(header.get("kid"), str):
        raise _invalid(f"its header must have alg, kid and typ {TOKEN_TYPE}, and nothing else")
    if header.get("alg") not in ("EdDSA", "ES256"):
        raise _invalid("its algorithm must be EdDSA or ES256")
    return read


def _claimed_caller(claims: Mapping[str, Any], token: str, expires: int, authenticated: int) -> Caller:
    client, subject, level = claims["client_id"], claims["sub"], claims["acr"]
    form, plain = _client_form(client)
    if not isinstance(level, str) or level not in ACR_RANKS or (ACR_RANKS[level] == 0 and level != plain):
        raise _invalid("acr does not fit client_id")
    login = claims.get("login", "")
    if not isinstance(login, str) or bool(login) == (ACR_RANKS[level] == 0):
        raise _invalid("login does not fit acr")
    agency, certificate = agency_of(client), _thumbprint(claims["cnf"])
    if subject == client and form is SYSTEM and level == plain:
        return Caller(agency, client, None, token, expires, certificate, authenticated, level)
    if not _is_name(OFFICER, subject) or agency_of(subject) != agency:
        raise _invalid("sub is not an officer of the agency of client_id, nor that system itself")
    return Caller(agency, client, subject, token, expires, certificate, authenticated, level, login)


def _client_form(client: Any) -> tuple[ResourceName, str]:
    for form, level in _CLIENTS:
        if _is_name(form, client):
            return form, level
    raise _invalid("client_id is neither a system nor a workstation")


def _is_name(form: ResourceName, name: Any) -> bool:
    try:
        form.parse(name)
    except (ValueError, TypeError):
        return False
    return True


def _thumbprint(confirmation: Any) -> bytes:
    value = confirmation.get("x5t#S256") if isinstance(confirmation, dict) else None
    if not isinstance(value, str):
        raise _invalid("cnf has no x5t#S256")
    try:
        thumbprint = decode_base64url(value)
    except ValueError as error:
        raise _invalid("cnf is not base64url") from error
    if len(thumbprint) != 32:
        raise _invalid("cnf is not a SHA-256")
    return thumbprint


def clock_time(seconds: float) -> str:
    """Return Unix seconds as a person reads them, in UTC."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return "a time beyond the calendar"


def _invalid(why: str) -> Unauthenticated:
    return Unauthenticated("TOKEN_INVALID", f"the token is not valid: {why}")
