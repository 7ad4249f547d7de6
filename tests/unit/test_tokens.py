"""What the verifier of tokens takes and refuses."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm

from casemesh.core.ids import new_id
from casemesh.errors import NotFound, Unauthenticated, Unavailable
from casemesh.runtime.tokens import TokenVerifier
from tests.support.clock import FakeClock

AGENCY = "agencies/019a0000-0000-7000-8000-000000000001"
SYSTEM = f"{AGENCY}/systems/019a0000-0000-7000-8000-000000000002"
WORKSTATION = f"{AGENCY}/workstations/019a0000-0000-7000-8000-000000000003"
OFFICER = f"{AGENCY}/officers/019a0000-0000-7000-8000-000000000004"
FOREIGN_OFFICER = "agencies/019a0000-0000-7000-8000-000000000005/officers/019a0000-0000-7000-8000-000000000004"
CERTIFICATE = hashlib.sha256(b"an invented certificate").digest()
BY_SYSTEM = "urn:casemesh:acr:system-asserted"
BY_WORKSTATION = "urn:casemesh:acr:workstation"
BY_PASSWORD = "urn:casemesh:acr:password"
STATEMENT = hashlib.sha256(b"an invented assertion").hexdigest()
KEY = Ed25519PrivateKey.generate()
OTHER_KEY = Ed25519PrivateKey.generate()
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwk(key: Ed25519PrivateKey, kid: str = "k1", **changes: Any) -> dict[str, Any]:
    public = json.loads(OKPAlgorithm.to_jwk(key.public_key()))
    return {**public, "kid": kid, "use": "sig", "alg": "EdDSA", **changes}


def ec_jwk(kid: str = "e1", **changes: Any) -> dict[str, Any]:
    public = json.loads(ECAlgorithm.to_jwk(EC_KEY.public_key()))
    return {**public, "kid": kid, "use": "sig", "alg": "ES256", **changes}


class Identity:
    """Gives out keys; counts how often it is asked, and fails when told to."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys) or [jwk(KEY), ec_jwk()]
        self.asked = 0
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def fetch(self) -> str:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return json.dumps({"keys": self.keys})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def identity() -> Identity:
    return Identity()


@pytest.fixture
def verifier(identity: Identity, clock: FakeClock) -> TokenVerifier:
    return TokenVerifier(identity.fetch, clock)


Claims = Callable[..., dict[str, Any]]


@pytest.fixture
def claims(clock: FakeClock) -> Claims:
    def make(**changes: Any) -> dict[str, Any]:
        now = int(clock.now().timestamp())
        full: dict[str, Any] = {
            "iss": "casemesh/identity",
            "aud": "casemesh",
            "sub": OFFICER,
            "client_id": SYSTEM,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "auth_time": now,
            "acr": BY_SYSTEM,
            "jti": new_id(),
            "cnf": {"x5t#S256": b64(CERTIFICATE)},
            **changes,
        }
        return {name: value for name, value in full.items() if value is not ...}

    return make


def header(**changes: Any) -> dict[str, Any]:
    full = {"alg": "EdDSA", "typ": "at+jwt", "kid": "k1", **changes}
    return {name: value for name, value in full.items() if value is not ...}


def signed(header: dict[str, Any] | bytes, payload: dict[str, Any] | bytes, key: Any = KEY) -> str:
    """Sign whatever is given, as a token library would not."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    signing_input = ".".join(b64(part) for part in parts)
    return f"{signing_input}.{b64(key.sign(signing_input.encode()))}"


async def refused(verifier: TokenVerifier, token: str) -> str:
    """Return the reason `token` is refused for."""
    with pytest.raises(Unauthenticated) as error:
        await verifier.verify(token)
    return error.value.reason


async def test_a_good_token_tells_who_calls_and_which_certificate_it_is_bound_to(
    verifier: TokenVerifier, claims: Claims
) -> None:
    payload = claims()
    token = signed(header(), payload)
    verified = await verifier.verify(token)
    assert (verified.agency, verified.system, verified.officer) == (AGENCY, SYSTEM, OFFICER)
    assert (CERTIFICATE, payload["exp"], token) == (
        verified.certificate,
        verified.expires_at,
        verified.token,
    )


async def test_a_system_that_acts_for_itself_has_no_officer(verifier: TokenVerifier, claims: Claims) -> None:
    verified = await verifier.verify(signed(header(), claims(sub=SYSTEM)))
    assert verified.officer is None
    assert verified.subject == SYSTEM


async def test_a_workstations_token_names_its_officer(verifier: TokenVerifier, claims: Claims) -> None:
    verified = await verifier.verify(signed(header(), claims(client_id=WORKSTATION, acr=BY_WORKSTATION)))
    assert (verified.system, verified.officer) == (WORKSTATION, OFFICER)


@pytest.mark.parametrize("level", ["password", "two-factor", "certificate"])
@pytest.mark.parametrize("client", [SYSTEM, WORKSTATION], ids=["system", "workstation"])
async def test_a_login_is_told_with_its_time_its_level_and_the_statement_of_it(
    verifier: TokenVerifier, claims: Claims, client: str, level: str
) -> None:
    acr = f"urn:casemesh:acr:{level}"
    payload = claims(client_id=client, acr=acr, login=STATEMENT)
    payload["auth_time"] -= 400
    verified = await verifier.verify(signed(header(), payload))
    assert (payload["auth_time"], acr, STATEMENT) == (verified.auth_time, verified.acr, verified.login)


async def test_an_es256_token_is_taken_under_a_key_of_that_kind(verifier: TokenVerifier, claims: Claims) -> None:
    token = jwt.encode(claims(), EC_KEY, algorithm="ES256", headers={"typ": "at+jwt", "kid": "e1"})
    assert (await verifier.verify(token)).subject == OFFICER


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS256"},
        {"alg": "ES256"},
        {"alg": "RS256"},
        {"alg": ...},
        {"alg": ["EdDSA"]},
        {"typ": "JWT"},
        {"typ": "AT+JWT"},
        {"typ": ...},
        {"kid": "unknown"},
        {"kid": ...},
        {"kid": 1},
        {"jku": "https://keys.example/"},
        {"jwk": {"kty": "OKP"}},
        {"x5u": "https://keys.example/"},
        {"x5c": []},
        {"crit": []},
        {"b64": True},
        {"cty": "JWT"},
    ],
    ids=str,
)
async def test_a_header_of_another_form_is_refused(
    verifier: TokenVerifier, claims: Claims, changes: dict[str, Any]
) -> None:
    assert await refused(verifier, signed(header(**changes), claims())) == "TOKEN_INVALID"


async def test_a_token_without_a_signature_is_refused(verifier: TokenVerifier, claims: Claims) -> None:
    for algorithm in ("none", "EdDSA"):
        stripped = signed(header(alg=algorithm), claims()).rsplit(".", 1)[0]
        assert await refused(verifier, stripped + ".") == "TOKEN_INVALID"


@pytest.mark.parametrize("form", ["raw", "pem", "jwk"])
@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA"])
async def test_an_hmac_with_the_public_key_is_no_signature(
    verifier: TokenVerifier, claims: Claims, form: str, algorithm: str
) -> None:
    public = KEY.public_key()
    secret = {
        "raw": public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw),
        "pem": public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(jwk(KEY)).encode(),
    }[form]
    parts = [json.dumps(part).encode() for part in (header(alg=algorithm), claims())]
    signing_input = ".".join(b64(part) for part in parts)
    mac = hmac.digest(secret, signing_input.encode(), "sha256")
    assert await refused(verifier, f"{signing_input}.{b64(mac)}") == "TOKEN_INVALID"


async def test_a_signature_of_another_key_is_refused(verifier: TokenVerifier, claims: Claims) -> None:
    assert await refused(verifier, signed(header(), claims(), OTHER_KEY)) == "TOKEN_INVALID"


async def test_a_changed_claim_breaks_the_signature(verifier: TokenVerifier, claims: Claims) -> None:
    head, _, signature = signed(header(), claims()).split(".")
    forged = b64(json.dumps(claims(sub=f"{AGENCY}/officers/{new_id()}")).encode())
    assert await refused(verifier, f"{head}.{forged}.{signature}") == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "name", ["iss", "aud", "sub", "client_id", "iat", "nbf", "exp", "auth_time", "acr", "jti", "cnf"]
)
async def test_a_token_without_a_claim_is_refused(verifier: TokenVerifier, claims: Claims, name: str) -> None:
    assert await refused(verifier, signed(header(), claims(**{name: ...}))) == "TOKEN_INVALID"
    assert await refused(verifier, signed(header(), claims(**{name: None}))) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "casemesh"},
        {"iss": "casemesh/identity/"},
        {"iss": ["casemesh/identity"]},
        {"aud": "other"},
        {"aud": ["casemesh"]},
        {"aud": ["casemesh", "other"]},
        {"aud": {"casemesh": 1}},
        {"sub": FOREIGN_OFFICER},
        {"sub": f"{AGENCY}/systems/019a0000-0000-7000-8000-000000000006"},
        {"sub": AGENCY},
        {"sub": "anybody"},
        {"sub": [OFFICER]},
        {"client_id": OFFICER},
        {"client_id": [SYSTEM]},
        {"client_id": SYSTEM + "/"},
        {"client_id": SYSTEM.upper()},
        {"client_id": WORKSTATION},
        {"client_id": WORKSTATION, "sub": WORKSTATION, "acr": BY_WORKSTATION},
        {"acr": BY_WORKSTATION},
        {"acr": "urn:casemesh:acr:trust-me"},
        {"acr": BY_PASSWORD},
        {"acr": BY_PASSWORD, "login": 7},
        {"acr": BY_PASSWORD, "login": STATEMENT, "sub": SYSTEM},
        {"acr": BY_SYSTEM, "login": STATEMENT},
        {"acr": [BY_SYSTEM]},
        {"jti": 7},
        {"cnf": {}},
        {"cnf": b64(CERTIFICATE)},
        {"cnf": {"x5t": b64(CERTIFICATE)}},
        {"cnf": {"jkt": b64(CERTIFICATE)}},
        {"cnf": {"x5t#S256": [b64(CERTIFICATE)]}},
        {"cnf": {"x5t#S256": CERTIFICATE.hex()}},
        {"cnf": {"x5t#S256": b64(CERTIFICATE[:31])}},
        {"cnf": {"x5t#S256": b64(CERTIFICATE) + "="}},
        {"cnf": {"x5t#S256": b64(CERTIFICATE)[:20] + "!" + b64(CERTIFICATE)[20:]}},
    ],
    ids=str,
)
async def test_a_claim_of_another_form_or_party_is_refused(
    verifier: TokenVerifier, claims: Claims, changes: dict[str, Any]
) -> None:
    assert await refused(verifier, signed(header(), claims(**changes))) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "shifts",
    [
        {"exp": 365 * 24 * 3600},
        {"exp": 301},
        {"exp": 0},
        {"exp": -1},
        {"iat": -10, "exp": 295},
        {"iat": 6, "exp": 300},
        {"nbf": 6},
        {"auth_time": 1},
    ],
    ids=str,
)
async def test_times_that_do_not_fit_are_refused(
    verifier: TokenVerifier, claims: Claims, clock: FakeClock, shifts: dict[str, int]
) -> None:
    now = int(clock.now().timestamp())
    changes = {name: now + shift for name, shift in shifts.items()}
    assert await refused(verifier, signed(header(), claims(**changes))) == "TOKEN_INVALID"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("form", [str, float, bool, lambda value: [value]], ids=["text", "fraction", "truth", "list"])
async def test_a_time_is_a_whole_number(
    verifier: TokenVerifier, claims: Claims, name: str, form: Callable[[int], Any]
) -> None:
    assert await refused(verifier, signed(header(), claims(**{name: form(claims()[name])}))) == "TOKEN_INVALID"


async def test_a_clock_that_is_five_seconds_behind_still_takes_a_token(
    verifier: TokenVerifier, claims: Claims, clock: FakeClock
) -> None:
    token = signed(header(), claims())
    clock.move(-5)
    assert (await verifier.verify(token)).subject == OFFICER


async def test_a_token_ends_five_seconds_after_its_end_also_when_it_was_verified_before(
    verifier: TokenVerifier, claims: Claims, clock: FakeClock
) -> None:
    seen, unseen = signed(header(), claims()), signed(header(), claims())
    await verifier.verify(seen)
    clock.move(304)
    await verifier.verify(seen)
    clock.move(2)
    assert await refused(verifier, seen) == "TOKEN_EXPIRED"
    assert await refused(verifier, unseen) == "TOKEN_EXPIRED"


@pytest.mark.parametrize(("skew", "reason"), [(-600, "TOKEN_INVALID"), (600, "TOKEN_EXPIRED")])
async def test_a_service_whose_clock_is_ten_minutes_off_refuses_and_names_both_clocks(
    verifier: TokenVerifier, claims: Claims, clock: FakeClock, skew: int, reason: str
) -> None:
    begins = clock.now()
    token = signed(header(), claims())
    clock.move(skew)
    with pytest.raises(Unauthenticated) as refused_token:
        await verifier.verify(token)
    theirs = begins if skew < 0 else begins + timedelta(seconds=300)
    assert refused_token.value.reason == reason
    assert f"identity's clock it {'begins' if skew < 0 else 'ended'} at {theirs:%Y-%m-%dT%H:%M:%SZ}" in str(
        refused_token.value
    )
    assert f"this service's it is {clock.now():%Y-%m-%dT%H:%M:%SZ}" in str(refused_token.value)


async def test_a_claim_given_twice_is_refused_at_any_depth(verifier: TokenVerifier, claims: Claims) -> None:
    text = json.dumps(claims())
    twice = text[:-1] + f', "sub": "{OFFICER}"}}'
    cnf = f'{{"x5t#S256": "{b64(CERTIFICATE)}"}}'
    nested = text.replace(cnf, cnf[:-1] + ', "x5t#S256": "A"}')
    assert nested != text
    assert await refused(verifier, signed(header(), twice.encode())) == "TOKEN_INVALID"
    assert await refused(verifier, signed(header(), nested.encode())) == "TOKEN_INVALID"


async def test_a_header_key_given_twice_is_refused(verifier: TokenVerifier, claims: Claims) -> None:
    twice = b'{"alg": "HS256", "typ": "at+jwt", "kid": "k1", "alg": "EdDSA"}'
    assert await refused(verifier, signed(twice, claims())) == "TOKEN_INVALID"


def malformed(token: str) -> dict[str, str]:
    head, payload, signature = token.split(".")
    # The last character of a signature of 64 bytes carries four bits that mean nothing.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelt = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    return {
        "padding after the signature": token + "==",
        "padding after the header": f"{head}=.{payload}.{signature}",
        "another spelling of the signature": f"{head}.{payload}.{respelt}",
        "a space": token + " ",
        "a line break": token + "\n",
        "the standard alphabet": f"{head}.{payload}.{signature[:-1]}+",
        "two parts": f"{head}.{payload}",
        "four parts": token + ".x",
        "five parts": token + ".x.y",
        "an empty part": f"{head}..{signature}",
        "nothing": "",
        "one character too few": f"{head[:-1]}.{payload}.{signature}",
    }


@pytest.mark.parametrize("case", malformed("a.b.c"))
async def test_another_spelling_of_a_good_token_is_refused(verifier: TokenVerifier, claims: Claims, case: str) -> None:
    token = signed(header(), claims())
    await verifier.verify(token)
    assert await refused(verifier, malformed(token)[case]) == "TOKEN_INVALID"


async def test_a_token_of_more_than_4096_characters_is_refused(verifier: TokenVerifier, claims: Claims) -> None:
    assert await refused(verifier, signed(header(), claims(note="n" * 4096))) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "payload",
    [b"[]", b'"text"', b"1", b"not json", b"\xff\xfe", b'{"a": NaN', b"[" * 3000, b'{"exp": ' + b"9" * 3000 + b"}"],
    ids=["list", "text", "number", "words", "bytes", "half", "deep", "huge"],
)
async def test_a_payload_that_is_no_json_object_is_refused(verifier: TokenVerifier, payload: bytes) -> None:
    assert await refused(verifier, signed(header(), payload)) == "TOKEN_INVALID"


async def test_json_in_another_encoding_than_utf8_is_refused(verifier: TokenVerifier, claims: Claims) -> None:
    assert await refused(verifier, signed(header(), json.dumps(claims()).encode("utf-16"))) == "TOKEN_INVALID"
    assert await refused(verifier, signed(json.dumps(header()).encode("utf-16"), claims())) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "key",
    [
        jwk(KEY, use="enc"),
        {name: value for name, value in jwk(KEY).items() if name != "use"},
        {name: value for name, value in jwk(KEY).items() if name != "alg"},
        jwk(KEY, alg="ES256"),
        {"kty": "oct", "k": b64(b"s" * 32), "kid": "k1", "use": "sig", "alg": "HS256"},
        {"kty": "oct", "k": b64(b"s" * 32), "kid": "k1", "use": "sig", "alg": "EdDSA"},
    ],
    ids=["for encryption", "no use", "no algorithm", "another algorithm", "secret", "secret as EdDSA"],
)
async def test_a_key_for_something_else_verifies_nothing(clock: FakeClock, claims: Claims, key: dict[str, Any]) -> None:
    verifier = TokenVerifier(Identity(key, ec_jwk()).fetch, clock)
    assert await refused(verifier, signed(header(), claims())) == "TOKEN_INVALID"


async def test_one_key_of_the_set_that_is_of_no_use_does_not_spoil_the_others(clock: FakeClock, claims: Claims) -> None:
    verifier = TokenVerifier(Identity({"kty": "future", "kid": "f1", "use": "sig"}, jwk(KEY)).fetch, clock)
    assert (await verifier.verify(signed(header(), claims()))).subject == OFFICER


async def test_identity_is_asked_once_for_many_tokens_at_once(
    verifier: TokenVerifier, identity: Identity, claims: Claims
) -> None:
    identity.gate = asyncio.Event()
    waiting = [asyncio.create_task(verifier.verify(signed(header(), claims()))) for _ in range(20)]
    await asyncio.sleep(0)
    identity.gate.set()
    assert {verified.subject for verified in await asyncio.gather(*waiting)} == {OFFICER}
    assert identity.asked == 1


async def test_unknown_keys_make_identity_be_asked_at_most_every_thirty_seconds(
    verifier: TokenVerifier, identity: Identity, claims: Claims, clock: FakeClock
) -> None:
    await verifier.verify(signed(header(), claims()))
    for number in range(5):
        assert await refused(verifier, signed(header(kid=f"no-{number}"), claims())) == "TOKEN_INVALID"
    assert identity.asked == 1
    identity.keys.append(jwk(OTHER_KEY, "k2"))
    clock.move(30)
    assert (await verifier.verify(signed(header(kid="k2"), claims(), OTHER_KEY))).subject == OFFICER
    assert identity.asked == 2


async def test_what_is_no_token_does_not_make_us_ask_identity(verifier: TokenVerifier, identity: Identity) -> None:
    await refused(verifier, "not a token")
    assert identity.asked == 0


async def test_a_key_that_identity_withdrew_is_trusted_for_five_minutes_at_most(
    verifier: TokenVerifier, identity: Identity, claims: Claims, clock: FakeClock
) -> None:
    await verifier.verify(signed(header(), claims()))
    clock.move(299)
    seen = signed(header(), claims())
    await verifier.verify(seen)
    identity.keys = [jwk(OTHER_KEY, "k2")]
    clock.move(1)
    assert await refused(verifier, seen) == "TOKEN_INVALID"
    assert await refused(verifier, signed(header(), claims())) == "TOKEN_INVALID"


async def test_a_key_set_fetched_again_unchanged_keeps_the_tokens_verified(
    verifier: TokenVerifier, identity: Identity, claims: Claims, clock: FakeClock
) -> None:
    await verifier.verify(signed(header(), claims()))
    clock.move(200)
    token = signed(header(), claims())
    first = await verifier.verify(token)
    clock.move(100)
    assert await verifier.verify(token) is first
    assert identity.asked == 2


@pytest.mark.parametrize(
    "failure", [Unavailable("UNKNOWN", "no connection"), NotFound("UNKNOWN", "no such method")], ids=["gone", "wrong"]
)
async def test_without_identitys_keys_a_call_is_unavailable_and_never_let_through(
    verifier: TokenVerifier, identity: Identity, claims: Claims, failure: Exception
) -> None:
    identity.failure = failure
    with pytest.raises(Unavailable) as error:
        await verifier.verify(signed(header(), claims()))
    assert (error.value.reason, error.value.metadata) == ("DEPENDENCY_UNAVAILABLE", {"dependency": "identity"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": 1}',
        '{"keys": ["k"]}',
        '{"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}]}',
    ],
)
async def test_a_key_set_that_does_not_parse_is_as_good_as_none(clock: FakeClock, claims: Claims, text: str) -> None:
    async def fetch() -> str:
        return text

    verifier = TokenVerifier(fetch, clock)
    with pytest.raises((Unavailable, Unauthenticated)):
        await verifier.verify(signed(header(), claims()))


async def test_callers_do_not_queue_behind_an_identity_that_does_not_answer(
    verifier: TokenVerifier, identity: Identity, claims: Claims, clock: FakeClock
) -> None:
    identity.failure = Unavailable("UNKNOWN", "no connection")
    for _ in range(5):
        with pytest.raises(Unavailable):
            await verifier.verify(signed(header(), claims()))
    assert identity.asked == 1
    identity.failure = None
    clock.move(1)
    assert (await verifier.verify(signed(header(), claims()))).subject == OFFICER


async def test_refused_tokens_are_not_remembered(verifier: TokenVerifier, claims: Claims, clock: FakeClock) -> None:
    early = claims(**{name: int(clock.now().timestamp()) + 60 for name in ("iat", "nbf", "auth_time")})
    token = signed(header(), {**early, "exp": early["iat"] + 300})
    assert await refused(verifier, token) == "TOKEN_INVALID"
    clock.move(60)
    assert (await verifier.verify(token)).subject == OFFICER
