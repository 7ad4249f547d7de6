"""Tokens as identity signs them: keys, key set, claims; and that the verifier takes them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.core.ids import new_id
from casemesh.identity.config import Config
from casemesh.identity.subjects import Subject
from casemesh.identity.token_issuer import StatedLogin, TokenIssuer
from casemesh.identity.token_keyring import TokenKeyring
from casemesh.identity.token_keys import TokenKey, certificate_confirmation, thumbprint
from casemesh.runtime.config import ConfigError, Duration, load
from casemesh.runtime.tokens import TokenVerifier
from tests.support.clock import FakeClock

AGENCY, SYSTEM, WORKSTATION, OFFICER = (new_id() for _ in range(4))
CERTIFICATE = hashlib.sha256(b"an invented certificate").digest()
SUBJECTS = [
    Subject(AGENCY, "system", SYSTEM, None),
    Subject(AGENCY, "system", SYSTEM, OFFICER),
    Subject(AGENCY, "workstation", WORKSTATION, OFFICER),
]


def test_the_thumbprint_is_that_of_rfc_7638_section_3_1() -> None:
    key = {
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF"
        "V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu"
        "6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awa"
        "pJzKnqDKgw",
        "e": "AQAB",
        "alg": "RS256",
        "kid": "2011-04-29",
    }
    assert thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_the_thumbprint_of_an_ed25519_key_is_that_of_rfc_8037_appendix_a_3() -> None:
    key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_confirmation_is_the_digest_in_base64url_without_padding() -> None:
    assert certificate_confirmation(bytes(32)) == {"x5t#S256": "A" * 43}


def keyring(folder: Path) -> TokenKeyring:
    return TokenKeyring(key_file(folder / "signing.pem", Ed25519PrivateKey.generate()), FakeClock())


def key_file(path: Path, key: Any, password: bytes | None = None) -> Path:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    return path


def test_the_key_set_holds_the_public_half_alone_under_its_thumbprint(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    key = TokenKey.read(key_file(tmp_path / "token.pem", private))
    jwk = key.jwk()
    assert set(jwk) == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (jwk["kid"], jwk["use"], jwk["alg"]) == (thumbprint(jwk), "sig", "EdDSA")
    public = jwt.PyJWK(jwk).key
    assert public == private.public_key()


def test_a_key_file_that_cannot_be_used_is_refused_naming_the_file_and_not_its_content(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    files = [
        tmp_path / "absent.pem",
        broken,
        key_file(tmp_path / "ec.pem", ec.generate_private_key(ec.SECP256R1())),
        key_file(tmp_path / "locked.pem", Ed25519PrivateKey.generate(), b"a password"),
    ]
    for path in files:
        with pytest.raises(ConfigError) as error:
            TokenKey.read(path)
        assert str(path) in str(error.value)
        assert "c2VjcmV0" not in str(error.value)


@pytest.mark.parametrize("subject", SUBJECTS, ids=["system", "officer by system", "officer by workstation"])
async def test_the_verifier_takes_what_is_issued_and_reads_the_same_from_it(subject: Subject, tmp_path: Path) -> None:
    clock = FakeClock()
    issuer = TokenIssuer(keyring(tmp_path), 300, clock)

    async def fetch() -> str:
        return issuer.key_set()

    issued = issuer.issue(subject, CERTIFICATE)
    verified = await TokenVerifier(fetch, clock).verify(issued.token)
    assert (verified.subject, verified.agency) == (subject.name, subject.agency)
    assert verified.system.endswith(f"/{subject.client_kind}s/{subject.client_id}")
    assert (verified.certificate, verified.expires_at) == (CERTIFICATE, issued.expires_at)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_a_token_says_when_it_was_issued_and_that_nobody_logged_in_here(tmp_path: Path) -> None:
    clock = FakeClock()
    now = int(clock.now().timestamp())
    issuer = TokenIssuer(keyring(tmp_path), 60, clock)
    levels = []
    for subject in SUBJECTS:
        issued = issuer.issue(subject, CERTIFICATE)
        claims = claims_of(issued.token)
        assert (claims["iat"], claims["nbf"], claims["auth_time"], claims["exp"]) == (now, now, now, now + 60)
        assert issued.expires_at == now + 60
        levels.append(claims["acr"])
    assert levels == ["urn:casemesh:acr:system-asserted"] * 2 + ["urn:casemesh:acr:workstation"]


def test_a_stated_login_is_as_old_in_the_token_as_it_was_stated(tmp_path: Path) -> None:
    clock = FakeClock()
    now = int(clock.now().timestamp())
    login = StatedLogin("urn:casemesh:acr:two-factor", 250, "ab" * 32)
    claims = claims_of(TokenIssuer(keyring(tmp_path), 300, clock).issue(SUBJECTS[1], CERTIFICATE, login).token)
    assert (now - 250, "urn:casemesh:acr:two-factor", "ab" * 32) == (
        claims["auth_time"],
        claims["acr"],
        claims["login"],
    )
    assert claims["iat"] == now


def test_no_two_tokens_are_the_same(tmp_path: Path) -> None:
    issuer = TokenIssuer(keyring(tmp_path), 300, FakeClock())
    first, second = (issuer.issue(SUBJECTS[0], CERTIFICATE).token for _ in range(2))
    assert claims_of(first)["jti"] != claims_of(second)["jti"]


CONFIG = """
token_key = "keys/token.pem"
{life}
[server]
listen = "127.0.0.1:0"
[tls]
directory = "tls"
[database]
dsn_file = "dsn"
[peers]
audit = "127.0.0.1:1"
"""


def read_config(folder: Path, life: str) -> Config:
    path = folder / "identity.toml"
    path.write_text(CONFIG.format(life=life))
    return load(path, Config)


def test_a_token_lives_five_minutes_unless_the_configuration_says_less(tmp_path: Path) -> None:
    assert read_config(tmp_path, "").token_life == Duration(300)
    config = read_config(tmp_path, 'token_life = "60s"')
    assert (config.token_life, config.token_key) == (Duration(60), tmp_path / "keys" / "token.pem")


@pytest.mark.parametrize("life", ["301s", "0s", "1h", "500ms", "1500ms"])
def test_a_life_that_no_verifier_takes_refuses_the_start(tmp_path: Path, life: str) -> None:
    with pytest.raises(ConfigError, match="token_life"):
        read_config(tmp_path, f'token_life = "{life}"')


def test_without_a_token_key_the_service_does_not_start(tmp_path: Path) -> None:
    path = tmp_path / "identity.toml"
    path.write_text(CONFIG.format(life="").replace("token_key", "token_kex"))
    with pytest.raises(ConfigError, match="token_kex"):
        load(path, Config)
