"""What identity takes as a statement of an officer's login, and what the client signs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from casemesh.client.channel import Credentials
from casemesh.client.login_assertion import OfficerLogin, sign_assertion
from casemesh.client.profile import ProfileError
from casemesh.errors import Unauthenticated
from casemesh.identity.assertions import Assertion, read_assertion

OFFICER = "agencies/019a0000-0000-7000-8000-000000000001/officers/019a0000-0000-7000-8000-000000000004"
SPIFFE_ID = "spiffe://example-police.agency.casemesh/system/cms"
NOW = 1_800_000_000
YEAR = 365 * 86_400
PASSWORD = "urn:casemesh:acr:password"
Json = dict[str, Any]


def certificate_of(key: Any, *names: str) -> bytes:
    """A certificate in its DER form; that an agency's CA signed it is what TLS has proved."""
    name = x509.Name([])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .serial_number(7)
        .not_valid_before(day)
        .not_valid_after(day + timedelta(days=365))
        .public_key(key.public_key())
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(one) for one in names or (SPIFFE_ID,)]), False
        )
    )
    signer = ec.generate_private_key(ec.SECP256R1())
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
DER = certificate_of(KEY)
SHA256 = hashlib.sha256(DER).digest()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def header(**changes: Any) -> Json:
    full = {"alg": "ES256", "typ": "casemesh-login+jwt", "x5c": [base64.b64encode(DER).decode()], **changes}
    return {name: value for name, value in full.items() if value is not ...}


def claims(**changes: Any) -> Json:
    full = {
        "iss": SPIFFE_ID,
        "sub": OFFICER,
        "aud": "casemesh/identity",
        "iat": NOW,
        "exp": NOW + 60,
        "jti": "019a0000-0000-7000-8000-00000000000f",
        "auth_time": NOW - 30,
        "acr": PASSWORD,
        **changes,
    }
    return {name: value for name, value in full.items() if value is not ...}


def es256(signed: bytes, key: Any = KEY) -> bytes:
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signed(head: Json | bytes, payload: Json | bytes, sign: Callable[[bytes], bytes] = es256) -> str:
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (head, payload)]
    text = ".".join(b64(part) for part in parts)
    return f"{text}.{b64(sign(text.encode()))}"


def refusal(text: str, sha256: bytes = SHA256, now: int = NOW) -> tuple[str, str | None]:
    with pytest.raises(Unauthenticated) as refused:
        read_assertion(text, sha256, now)
    return refused.value.reason, refused.value.metadata.get("check")


def test_a_good_assertion_says_who_logged_in_when_and_how() -> None:
    text = signed(header(), claims())
    read = read_assertion(text, SHA256, NOW + 2)
    assert read == Assertion(
        text=text,
        officer=OFFICER,
        officer_id="019a0000-0000-7000-8000-000000000004",
        jti="019a0000-0000-7000-8000-00000000000f",
        acr=PASSWORD,
        auth_time=NOW - 30,
        login_age_seconds=30,
        usable_until=NOW + 60 + 600,
        clock_skew_seconds=-2,
    )
    assert hashlib.sha256(text.encode()).digest() == read.sha256
    assert read.states_login


def write_certificate(folder: Path, key: Any, der: bytes) -> Credentials:
    (folder / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "tls.pem").write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    return Credentials(folder)


@pytest.mark.parametrize("key", [KEY, Ed25519PrivateKey.generate()], ids=["P-256", "Ed25519"])
def test_what_the_client_signs_is_taken_once_with_each_login_level(key: Any, tmp_path: Path) -> None:
    der = certificate_of(key)
    credentials = write_certificate(tmp_path, key, der)
    seen = set()
    for level in ("password", "two-factor", "certificate"):
        text = sign_assertion(credentials, OFFICER, OfficerLogin(NOW - 7.5, level), NOW + 0.9)
        read = read_assertion(text, hashlib.sha256(der).digest(), NOW)
        assert (read.officer, read.acr, read.login_age_seconds) == (OFFICER, f"urn:casemesh:acr:{level}", 8)
        seen.add(read.jti)
    assert len(seen) == 3


def test_without_a_login_the_client_states_none(tmp_path: Path) -> None:
    credentials = write_certificate(tmp_path, KEY, DER)
    read = read_assertion(sign_assertion(credentials, OFFICER, None, NOW), SHA256, NOW)
    assert read.acr == "urn:casemesh:acr:system-asserted"
    assert not read.states_login


def test_a_client_whose_key_cannot_sign_assertions_says_so(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    credentials = write_certificate(tmp_path, key, certificate_of(key))
    with pytest.raises(ProfileError, match=r"tls\.key.*P-256 or Ed25519"):
        sign_assertion(credentials, OFFICER, None, NOW)


def under_public_key(text: str) -> bytes:
    secret = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hmac.digest(secret, text.encode(), "sha256")


BAD_HEADERS: dict[str, tuple[Json, str]] = {
    "no algorithm": ({"alg": "none"}, "algorithm"),
    "HMAC": ({"alg": "HS256"}, "algorithm"),
    "an algorithm of another key": ({"alg": "EdDSA"}, "algorithm"),
    "an algorithm that is a list": ({"alg": ["ES256"]}, "algorithm"),
    "an access token's type": ({"typ": "at+jwt"}, "header"),
    "no type": ({"typ": ...}, "header"),
    "no certificate": ({"x5c": ...}, "header"),
    "a key beside": ({"jwk": {"kty": "EC"}}, "header"),
    "a key's address": ({"jku": "https://keys.example/"}, "header"),
    "a critical extension": ({"crit": ["b64"]}, "header"),
    "an empty chain": ({"x5c": []}, "certificate"),
    "a chain of two": ({"x5c": [base64.b64encode(DER).decode()] * 2}, "certificate"),
    "a chain that is text": ({"x5c": base64.b64encode(DER).decode()}, "certificate"),
    "a number for a certificate": ({"x5c": [1]}, "certificate"),
    "what is no certificate": ({"x5c": ["AAAA"]}, "certificate"),
    "what is not base64": ({"x5c": ["####"]}, "certificate"),
    "another's certificate": ({"x5c": [base64.b64encode(certificate_of(OTHER_KEY)).decode()]}, "certificate"),
}


@pytest.mark.parametrize("case", BAD_HEADERS)
def test_a_header_of_another_form_or_certificate_is_refused(case: str) -> None:
    changes, check = BAD_HEADERS[case]
    assert refusal(signed(header(**changes), claims())) == ("ASSERTION_INVALID", check)


def test_an_assertion_under_another_connections_certificate_is_refused() -> None:
    assert refusal(signed(header(), claims()), hashlib.sha256(b"another").digest()) == (
        "ASSERTION_INVALID",
        "certificate",
    )


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())], ids=["RSA", "P-384"]
)
def test_a_certificate_of_another_kind_of_key_signs_nothing(key: Any) -> None:
    der = certificate_of(key)
    text = signed(header(x5c=[base64.b64encode(der).decode()]), claims())
    assert refusal(text, hashlib.sha256(der).digest()) == ("ASSERTION_INVALID", "algorithm")


def test_a_certificate_that_breaks_its_reader_is_refused_whether_or_not_it_is_the_connections() -> None:
    p256 = bytes.fromhex("06082a8648ce3d030107")
    unknown_curve = DER.replace(p256, p256[:-1] + b"\x7e")
    assert DER != unknown_curve
    text = signed(header(x5c=[base64.b64encode(unknown_curve).decode()]), claims())
    for sha256 in (SHA256, hashlib.sha256(unknown_curve).digest()):
        assert refusal(text, sha256) == ("ASSERTION_INVALID", "certificate")


def test_a_certificate_of_two_names_speaks_for_nobody() -> None:
    der = certificate_of(KEY, SPIFFE_ID, "spiffe://example-police.agency.casemesh/system/other")
    text = signed(header(x5c=[base64.b64encode(der).decode()]), claims())
    assert refusal(text, hashlib.sha256(der).digest()) == ("ASSERTION_INVALID", "certificate")


def test_another_keys_signature_an_hmac_and_none_are_refused() -> None:
    good = signed(header(), claims())
    head, payload, signature = good.split(".")
    other = signed(header(), claims(), lambda text: es256(text, OTHER_KEY))
    as_hmac = f"{head}.{payload}.{b64(under_public_key(f'{head}.{payload}'))}"
    changed = f"{head}.{b64(json.dumps(claims(acr='urn:casemesh:acr:certificate')).encode())}.{signature}"
    for text in (other, as_hmac, changed):
        assert refusal(text) == ("ASSERTION_INVALID", "signature")
    assert refusal(f"{head}.{payload}.") == ("ASSERTION_INVALID", "form")


BAD_CLAIMS: dict[str, tuple[Json, str]] = {
    "another issuer": ({"iss": "spiffe://example-court.agency.casemesh/system/cms"}, "iss"),
    "a list of issuers": ({"iss": [SPIFFE_ID]}, "iss"),
    "the audience of access tokens": ({"aud": "casemesh"}, "aud"),
    "a list of audiences": ({"aud": ["casemesh/identity"]}, "aud"),
    "a system for a subject": ({"sub": OFFICER.replace("officers", "systems")}, "sub"),
    "a number for a subject": ({"sub": 7}, "sub"),
    "a short jti": ({"jti": "short"}, "jti"),
    "a jti of other signs": ({"jti": "0" * 15 + "\n"}, "jti"),
    "a number for a jti": ({"jti": 1234567890123456}, "jti"),
    "an unknown level": ({"acr": "urn:casemesh:acr:trust-me"}, "acr"),
    "the level of a workstation's token": ({"acr": "urn:casemesh:acr:workstation"}, "acr"),
    "a list of levels": ({"acr": [PASSWORD]}, "acr"),
    "a fraction for a time": ({"iat": NOW + 0.5}, "times"),
    "a truth for a time": ({"auth_time": True}, "times"),
    "a text for a time": ({"exp": str(NOW + 60)}, "times"),
    "a year's life": ({"exp": NOW + YEAR}, "exp"),
    "a second more than five minutes": ({"exp": NOW + 301}, "exp"),
    "no life": ({"exp": NOW}, "exp"),
    "a login yet to come": ({"auth_time": NOW + 1}, "auth_time"),
    "a login of the day before": ({"auth_time": NOW - 86_401}, "auth_time"),
    "a claim too many": ({"nbf": NOW}, "claims"),
}


@pytest.mark.parametrize("case", BAD_CLAIMS)
def test_a_claim_of_another_form_or_party_is_refused_by_its_name(case: str) -> None:
    changes, check = BAD_CLAIMS[case]
    assert refusal(signed(header(), claims(**changes))) == ("ASSERTION_INVALID", check)


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "iat", "exp", "jti", "auth_time", "acr"])
def test_an_assertion_without_a_claim_is_refused(name: str) -> None:
    assert refusal(signed(header(), claims(**{name: ...}))) == ("ASSERTION_INVALID", "claims")


def test_what_is_said_twice_or_spelt_otherwise_is_refused() -> None:
    good = signed(header(), claims())
    read_assertion(good, SHA256, NOW)
    head, payload, signature = good.split(".")
    text = json.dumps(claims())
    twice_claimed = signed(header(), f'{text[:-1]}, "sub": "{OFFICER}"}}'.encode())
    twice_headed = signed(f'{json.dumps(header())[:-1]}, "alg": "ES256"}}'.encode(), claims())
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    respelt = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    for bad in (
        twice_claimed,
        twice_headed,
        f"{good}==",
        f"{good}\n",
        f"{good}.AA",
        f"{head}=.{payload}.{signature}",
        f"{head}.{payload}.{respelt}",
        f"{head}.{payload}",
        signed(header(), b"[]"),
        signed(header(), json.dumps(claims()).encode("utf-16")),
        signed(header(), claims(sub="s" * 9000)),
    ):
        assert refusal(bad) == ("ASSERTION_INVALID", "form")


@pytest.mark.parametrize(("ahead", "taken"), [(-540, True), (540, True), (600, True), (601, False), (-661, False)])
def test_an_agencys_clock_may_be_ten_minutes_off_and_no_more(ahead: int, taken: bool) -> None:
    shifted = {name: claims()[name] + ahead for name in ("iat", "exp", "auth_time")}
    text = signed(header(), claims(**shifted))
    if taken:
        read = read_assertion(text, SHA256, NOW)
        # Durations are of one clock, so that a clock that is off neither ages a login nor freshens it.
        assert (read.login_age_seconds, read.clock_skew_seconds) == (30, ahead)
        return
    with pytest.raises(Unauthenticated) as refused:
        read_assertion(text, SHA256, NOW)
    assert refused.value.reason == "CLOCK_SKEWED"
    told = datetime.fromtimestamp(NOW + ahead, UTC)
    assert refused.value.metadata == {
        "agency_time": f"{told:%Y-%m-%dT%H:%M:%SZ}",
        "platform_time": f"{datetime.fromtimestamp(NOW, UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
