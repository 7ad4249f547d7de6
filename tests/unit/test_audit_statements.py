"""Signed statements: what is verified is what was signed, by whom it had to be."""

import base64
import copy
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from casemesh.client import canonical_json
from casemesh.client.statements import Envelope, SigningKey, StatementError, parse_envelope, sign, verify
from tests.support.signing import NOW, SIGNER, Key, make_authority, make_certificate, make_signing_key

KIND = "application/vnd.casemesh.test+json"
ROOT = make_authority()
ROOTS = [ROOT.certificate]
KEY = make_signing_key(ROOT)
PAYLOAD: canonical_json.Json = {"dossier": "dossiers/test", "pages": 3, "volumes": ["诉讼文书卷", None, True]}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def encoded_for_signing(kind: str, body: bytes) -> bytes:
    return f"DSSEv1 {len(kind)} {kind} {len(body)} ".encode() + body


def signed_bytes(body: bytes, *, key: SigningKey = KEY, kind: str = KIND) -> Envelope:
    """An envelope over any bytes, rightly signed."""
    envelope = sign(None, kind, key)
    envelope["payload"] = b64(body)
    envelope["signatures"][0]["sig"] = b64(key.key.sign(encoded_for_signing(kind, body)))
    return envelope


def test_a_statement_gives_back_payload_and_signer() -> None:
    statement = verify(sign(PAYLOAD, KIND, KEY), ROOTS, KIND, at=NOW, signer=SIGNER)
    assert statement.payload == PAYLOAD
    assert statement.signer == SIGNER
    assert statement.payload_bytes == canonical_json.dumps(PAYLOAD)


def test_a_statement_survives_any_layout_of_its_envelope() -> None:
    text = json.dumps(sign(PAYLOAD, KIND, KEY), indent=2, sort_keys=True)
    assert verify(text, ROOTS, KIND, at=NOW).payload == PAYLOAD
    assert verify(text.encode(), ROOTS, KIND, at=NOW).payload == PAYLOAD


def test_the_signature_is_over_the_dsse_encoding() -> None:
    envelope = sign({"a": 1}, KIND, KEY)
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    KEY.key.public_key().verify(signature, encoded_for_signing(KIND, b'{"a":1}'))


def test_signing_twice_gives_the_same_envelope() -> None:
    assert sign(PAYLOAD, KIND, KEY) == sign(PAYLOAD, KIND, KEY)


def test_envelopes_name_their_algorithm_and_carry_their_chain() -> None:
    signature = sign(PAYLOAD, KIND, KEY)["signatures"][0]
    assert signature["algorithm"] == "Ed25519"
    assert base64.b64decode(signature["certificates"][0]) == KEY.certificates[0].public_bytes(Encoding.DER)


@given(st.data())
def test_one_bit_of_the_payload_changed_is_refused(data: st.DataObject) -> None:
    envelope = sign(PAYLOAD, KIND, KEY)
    body = bytearray(base64.b64decode(envelope["payload"]))
    bit = data.draw(st.integers(min_value=0, max_value=len(body) * 8 - 1))
    body[bit // 8] ^= 1 << bit % 8
    envelope["payload"] = b64(bytes(body))
    with pytest.raises(StatementError, match="signature does not match"):
        verify(envelope, ROOTS, KIND, at=NOW)


def test_a_statement_of_one_type_does_not_pass_for_another() -> None:
    envelope = sign(PAYLOAD, KIND, KEY)
    with pytest.raises(StatementError, match="a statement of type"):
        verify(envelope, ROOTS, "application/vnd.casemesh.other+json", at=NOW)
    envelope["payloadType"] = "application/vnd.casemesh.other+json"
    with pytest.raises(StatementError, match="signature does not match"):
        verify(envelope, ROOTS, "application/vnd.casemesh.other+json", at=NOW)


def test_a_signer_of_the_same_root_does_not_pass_for_another() -> None:
    routing = make_signing_key(ROOT, uri="spiffe://mesh.casemesh/signing/routing")
    with pytest.raises(StatementError, match="signed by"):
        verify(sign(PAYLOAD, KIND, routing), ROOTS, KIND, at=NOW, signer=SIGNER)


def test_a_statement_is_judged_at_the_instant_given() -> None:
    envelope = sign(PAYLOAD, KIND, KEY)
    with pytest.raises(StatementError, match="was not valid"):
        verify(envelope, ROOTS, KIND, at=NOW + dt.timedelta(days=400))
    with pytest.raises(StatementError, match="time zone"):
        verify(envelope, ROOTS, KIND, at=NOW.replace(tzinfo=None))


def test_a_signer_outside_the_trusted_roots_is_refused() -> None:
    with pytest.raises(StatementError, match="no trusted root"):
        verify(sign(PAYLOAD, KIND, KEY), [make_authority().certificate], KIND, at=NOW)


def test_a_colleagues_certificate_under_ones_own_signature_is_refused() -> None:
    envelope = sign(PAYLOAD, KIND, make_signing_key(make_authority()))
    envelope["signatures"][0]["certificates"] = sign(None, KIND, KEY)["signatures"][0]["certificates"]
    envelope["signatures"][0]["keyid"] = sign(None, KIND, KEY)["signatures"][0]["keyid"]
    with pytest.raises(StatementError, match="signature does not match"):
        verify(envelope, ROOTS, KIND, at=NOW)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":1.5}', "floats"),
        (b'{"a": 1}', "canonical"),
        (b'{"b":1,"a":2}', "canonical"),
        (b"\xff", "UTF-8"),
        (b"", "not JSON"),
    ],
)
def test_a_payload_that_readers_could_take_two_ways_is_refused_even_when_signed(body: bytes, reason: str) -> None:
    with pytest.raises(StatementError, match=reason):
        verify(signed_bytes(body), ROOTS, KIND, at=NOW)


def changed(change: Callable[[dict[str, Any]], object]) -> Envelope:
    envelope = copy.deepcopy(sign(PAYLOAD, KIND, KEY))
    change(envelope)
    return envelope


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.pop("payload"),
        lambda e: e.update(extra=1),
        lambda e: e.update(payload=None),
        lambda e: e.update(payload=e["payload"].rstrip("=") + "*"),
        lambda e: e.update(payload=e["payload"] + "\n"),
        lambda e: e.update(signatures=[]),
        lambda e: e.update(signatures=e["signatures"] * 2),
        lambda e: e.update(signatures=["sig"]),
        lambda e: e.update(signatures={}),
        lambda e: e["signatures"][0].pop("algorithm"),
        lambda e: e["signatures"][0].update(algorithm="none"),
        lambda e: e["signatures"][0].update(algorithm="ed25519"),
        lambda e: e["signatures"][0].update(keyid="00"),
        lambda e: e["signatures"][0].update(sig=""),
        lambda e: e["signatures"][0].update(sig=1),
        lambda e: e["signatures"][0].update(certificates=[]),
        lambda e: e["signatures"][0].update(certificates=e["signatures"][0]["certificates"] * 5),
        lambda e: e["signatures"][0].update(certificates=[b64(b"no certificate")]),
        lambda e: e["signatures"][0].update(certificates=[7]),
        lambda e: e["signatures"][0].update(certificates="one"),
        lambda e: e["signatures"][0].update(trust="me"),
    ],
)
def test_an_envelope_of_another_shape_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    with pytest.raises(StatementError):
        verify(changed(change), ROOTS, KIND, at=NOW)


@pytest.mark.parametrize("text", ["[]", "1", "{", '{"payload":"","payload":""}', "\ufeff{}"])
def test_text_that_is_no_envelope_is_refused(text: str) -> None:
    with pytest.raises(StatementError):
        verify(parse_envelope(text), ROOTS, KIND, at=NOW)


def test_floats_are_not_signed() -> None:
    with pytest.raises(canonical_json.CanonicalJsonError, match="floats"):
        sign({"a": 0.5}, KIND, KEY)  # type: ignore[dict-item]


def write_key(path: Path, key: Key) -> Path:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def test_a_key_read_from_files_signs_like_the_one_written(tmp_path: Path) -> None:
    key = write_key(tmp_path / "signing.key", KEY.key)
    certificates = tmp_path / "signing.pem"
    certificates.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in (*KEY.certificates, ROOT.certificate)))
    loaded = SigningKey.load(certificates, key)
    assert verify(sign(PAYLOAD, KIND, loaded), ROOTS, KIND, at=NOW).payload == PAYLOAD


def test_files_that_do_not_hold_a_signing_key_are_refused_by_name(tmp_path: Path) -> None:
    certificates = tmp_path / "signing.pem"
    certificates.write_bytes(KEY.certificates[0].public_bytes(Encoding.PEM))
    with pytest.raises(StatementError, match="does not belong"):
        SigningKey.load(certificates, write_key(tmp_path / "other.key", Ed25519PrivateKey.generate()))
    with pytest.raises(StatementError, match=r"curve\.key: not an Ed25519 key"):
        SigningKey.load(certificates, write_key(tmp_path / "curve.key", ec.generate_private_key(ec.SECP256R1())))
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(StatementError, match="empty: not an unencrypted PEM private key"):
        SigningKey.load(certificates, tmp_path / "empty")
    with pytest.raises(StatementError, match="empty: not PEM certificates"):
        SigningKey.load(tmp_path / "empty", tmp_path / "other.key")
    with pytest.raises(FileNotFoundError):
        SigningKey.load(tmp_path / "absent", tmp_path / "other.key")


def test_a_signing_key_needs_an_ed25519_certificate_of_its_own() -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(StatementError, match="Ed25519"):
        SigningKey(Ed25519PrivateKey.generate(), (make_certificate(ROOT, curve),))
    with pytest.raises(StatementError, match="1 to 4"):
        SigningKey(Ed25519PrivateKey.generate(), ())
