"""Cosignatures: those of other people's witnesses hold, and nothing malformed does."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from casemesh.audit.config import Config
from casemesh.client.cosignatures import Cosignature, WitnessKey, cosign, cosignatures, with_lines
from casemesh.client.notes import (
    MAX_NOTE_BYTES,
    Checkpoint,
    NoteError,
    NoteSigner,
    VerifierKey,
    open_checkpoint,
    sign_checkpoint,
)
from casemesh.core import strict_base64
from casemesh.core.merkle import leaf_hash
from casemesh.runtime.config import ConfigError, decode

# A checkpoint of a public staging log with cosignatures of witnesses that other people run with their own software.
PUBLIC_NOTE = (
    "arche2025h1.staging.ct.transparency.dev\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n"
    "— arche2025h1.staging.ct.transparency.dev "
    "ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n"
    "— witness1.smartit.nu/witness1 "
    "pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n"
    "— remora.n621.de "
    "2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n"
)
PUBLIC_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
PUBLIC_WITNESS = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"

LOG = NoteSigner("casemesh.test/audit", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2)]
FIRST, SECOND = (WitnessKey(f"court{number}.test/witness", key.public_key()) for number, key in enumerate(KEYS))
NOTE = sign_checkpoint(Checkpoint(LOG.name, 1, leaf_hash(b"an entry")), LOG)
LINE = cosign(NOTE, FIRST.name, KEYS[0], 1_772_442_600)


def test_a_cosignature_that_a_public_witness_made_holds() -> None:
    witness = WitnessKey.parse(PUBLIC_WITNESS)
    assert PUBLIC_WITNESS == str(witness)
    assert [Cosignature(witness, 1_779_573_024)] == cosignatures(PUBLIC_NOTE, [witness])
    assert 1432088532 == open_checkpoint(PUBLIC_NOTE, VerifierKey.parse(PUBLIC_LOG)).size


def test_a_public_cosignature_does_not_hold_for_another_tree() -> None:
    with pytest.raises(NoteError, match=r"remora\.n621\.de does not match"):
        cosignatures(PUBLIC_NOTE.replace("1432088532", "1432088533"), [WitnessKey.parse(PUBLIC_WITNESS)])


def test_cosignatures_are_found_by_key_and_time_and_leave_the_logs_signature_alone() -> None:
    note = with_lines(NOTE, [LINE, cosign(NOTE, SECOND.name, KEYS[1], 7)])
    assert [Cosignature(FIRST, 1_772_442_600), Cosignature(SECOND, 7)] == cosignatures(note, [SECOND, FIRST])
    assert [Cosignature(SECOND, 7)] == cosignatures(note, [SECOND])
    assert 1 == open_checkpoint(note, LOG.verifier_key).size


def test_a_witness_counts_once_however_often_it_signed() -> None:
    note = with_lines(NOTE, [LINE, cosign(NOTE, FIRST.name, KEYS[0], 9)])
    assert [Cosignature(FIRST, 1_772_442_600)] == cosignatures(note, [FIRST])


def test_a_cosignature_has_a_time() -> None:
    with pytest.raises(ValueError, match="has a time"):
        cosign(NOTE, FIRST.name, KEYS[0], 0)


def test_another_time_than_was_signed_is_refused() -> None:
    start, _, encoded = LINE.rstrip("\n").rpartition(" ")
    raw = strict_base64.decode(encoded)
    later = strict_base64.encode(raw[:4] + (1_772_442_601).to_bytes(8, "big") + raw[12:])
    with pytest.raises(NoteError, match="does not match"):
        cosignatures(with_lines(NOTE, [f"{start} {later}\n"]), [FIRST])


@given(st.integers(min_value=0, max_value=len(LINE) - 1), st.characters(codec="utf-8"))
def test_a_changed_line_is_never_a_cosignature(at: int, character: str) -> None:
    changed = LINE[:at] + character + LINE[at + 1 :]
    if changed == LINE:
        return
    try:
        found = cosignatures(with_lines(NOTE, [changed]), [FIRST])
    except NoteError:
        return
    assert [] == found


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300)))
def test_what_is_no_note_is_refused_and_nothing_else_happens(anything: str | bytes) -> None:
    note = anything if isinstance(anything, str) else anything.decode("utf-8", "surrogateescape")
    with pytest.raises(NoteError):
        open_checkpoint(anything, LOG.verifier_key)
    try:
        assert [] == cosignatures(note, [FIRST])
    except NoteError:
        return


@given(st.binary(min_size=1, max_size=60))
def test_a_signed_note_with_bytes_put_in_is_refused(noise: bytes) -> None:
    whole = NOTE.encode()
    for at in (0, len(whole) // 3, len(whole) - 1):
        with pytest.raises(NoteError):
            open_checkpoint(whole[:at] + noise + whole[at:], LOG.verifier_key)


def test_a_note_beyond_the_limit_is_refused() -> None:
    with pytest.raises(NoteError, match="at most"):
        cosignatures(with_lines(NOTE, [LINE] * (MAX_NOTE_BYTES // len(LINE) + 1)), [FIRST])


@pytest.mark.parametrize(
    "key",
    [
        "",
        PUBLIC_LOG,
        PUBLIC_WITNESS.replace("da77ade7", "da77ade8"),
        PUBLIC_WITNESS.replace("remora", "remoras"),
        PUBLIC_WITNESS + "=",
        PUBLIC_WITNESS[:-4],
        str(FIRST).replace("court0", "court 0"),
    ],
)
def test_a_mangled_witness_key_is_refused(key: str) -> None:
    with pytest.raises(NoteError):
        WitnessKey.parse(key)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"witnesses": [PUBLIC_LOG]}, "only Ed25519 cosignature keys"),
        ({"witnesses": [str(FIRST), str(FIRST)]}, "different names"),
        ({"witnesses": [str(FIRST)], "witness_quorum": 2}, "from 0 to 1, not 2"),
        ({"witness_quorum": -1}, "from 0 to 0"),
        ({"cosigning_round": "10ms"}, "at least 1s"),
    ],
)
def test_a_policy_that_no_witness_can_meet_is_refused_at_the_start(
    settings: dict[str, object], why: str, tmp_path: Path
) -> None:
    document = {
        "signing": "signing",
        "origin": LOG.name,
        "server": {"listen": "127.0.0.1:0"},
        "tls": {"directory": "tls"},
        "database": {"dsn_file": "dsn"},
        "peers": {},
    }
    with pytest.raises(ConfigError, match=why):
        decode({**document, **settings}, Config, tmp_path / "audit.toml")
