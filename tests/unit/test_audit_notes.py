"""Signed notes and checkpoints: byte for byte what other implementations sign, and one spelling only."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from casemesh.client.notes import (
    MAX_NOTE_BYTES,
    Checkpoint,
    NoteError,
    NoteSigner,
    VerifierKey,
    open_checkpoint,
    open_note,
    sign_checkpoint,
    sign_note,
)
from casemesh.core.merkle import EMPTY_ROOT, leaf_hash

# The worked example of C2SP signed-note.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The published test keys and note of golang.org/x/mod/sumdb/note; the private one is in its documentation.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
OTHER_GO_SIGNATURE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
OTHER_GO_KEY = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
# A checkpoint of the test log of transparency-dev/tessera, signed by that project's own tools.
TESSERA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
TESSERA_CHECKPOINT = (
    "example.com/log/testdata\n100270\nGRV1O0dCqmjjPvYi7CtOT79zb/fPwLNsMFWsynwU8Ac=\n\n— example.com/log/testdata "
    "M9e0lkcvy5bAe7rrC8tCyAP+my+CLzswA91zOpBNWVU7qCojkUOHnfdQzDImoYeYH8G8PJSwOqsx0RkSa261OmKVwwM=\n"
)

ORIGIN = "audit.casemesh/test"
SIGNER = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ROOT = leaf_hash(b"an entry")
CHECKPOINT = Checkpoint(ORIGIN, 1, ROOT)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_note_of_the_specification_opens() -> None:
    opened = open_note(SPEC_NOTE, [VerifierKey.parse(SPEC_KEY)])
    assert opened.text == "This is an example message.\n"


def test_we_sign_byte_for_byte_what_go_signs() -> None:
    signer = NoteSigner("PeterNeumann", Ed25519PrivateKey.from_private_bytes(GO_SEED))
    assert str(signer.verifier_key) == GO_KEY
    assert sign_note(GO_TEXT, [signer]) == f"{GO_TEXT}\n{GO_SIGNATURE}"


def test_a_checkpoint_signed_by_another_logs_software_opens() -> None:
    checkpoint = open_checkpoint(TESSERA_CHECKPOINT.encode(), VerifierKey.parse(TESSERA_KEY))
    assert (checkpoint.origin, checkpoint.size) == ("example.com/log/testdata", 100270)
    assert checkpoint.root.hex().startswith("1915753b")


@pytest.mark.parametrize("key", [SPEC_KEY, GO_KEY, OTHER_GO_KEY, TESSERA_KEY])
def test_published_verifier_keys_survive_a_round_trip(key: str) -> None:
    assert str(VerifierKey.parse(key)) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "PeterNeumann",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY.replace("PeterNeumann", "Peter Neumann"),
        GO_KEY.replace("PeterNeumann", ""),
        GO_KEY.replace("PeterNeumann", "PeterNeumanm"),
        GO_KEY + "=",
        GO_KEY[:-4],
        GO_KEY.replace("+ARpc", "+BBpc"),
        GO_KEY + "\n",
    ],
)
def test_a_mangled_verifier_key_is_refused(key: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey.parse(key)


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    note = f"{GO_TEXT}\n{OTHER_GO_SIGNATURE}{GO_SIGNATURE}"
    peter, enoch = VerifierKey.parse(GO_KEY), VerifierKey.parse(OTHER_GO_KEY)
    assert open_note(note, [peter]).signed_by == (peter,)
    assert open_note(note, [peter, enoch]).signed_by == (enoch, peter)


def test_a_known_key_that_fails_spoils_a_note_another_known_key_signed() -> None:
    broken = OTHER_GO_SIGNATURE.replace("RvMc", "RvMd")
    note = f"{GO_TEXT}\n{GO_SIGNATURE}{broken}"
    peter, enoch = VerifierKey.parse(GO_KEY), VerifierKey.parse(OTHER_GO_KEY)
    assert open_note(note, [peter]).signed_by == (peter,)
    with pytest.raises(NoteError, match="EnochRoot does not match"):
        open_note(note, [peter, enoch])


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    with pytest.raises(NoteError, match="no known key"):
        open_note(SPEC_NOTE, [VerifierKey.parse(GO_KEY)])
    with pytest.raises(NoteError, match="no known key"):
        open_note(SPEC_NOTE, [])


def test_a_key_of_the_right_name_and_another_id_is_unknown() -> None:
    other = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    with pytest.raises(NoteError, match="no known key"):
        open_checkpoint(sign_checkpoint(CHECKPOINT, SIGNER), other.verifier_key)


def test_two_known_keys_that_look_alike_are_refused() -> None:
    key = SIGNER.verifier_key
    with pytest.raises(NoteError, match="two known keys"):
        open_note(sign_checkpoint(CHECKPOINT, SIGNER), [key, key])


def test_sixteen_signatures_are_accepted() -> None:
    signers = [NoteSigner(f"witness.example/{number}", Ed25519PrivateKey.generate()) for number in range(15)]
    note = sign_note(CHECKPOINT.format(), [*signers, SIGNER])
    assert open_note(note, [SIGNER.verifier_key]).signed_by == (SIGNER.verifier_key,)
    assert len(open_note(note, [signer.verifier_key for signer in signers]).signed_by) == 15


def test_the_last_empty_line_parts_text_from_signatures() -> None:
    text = "a poem\n\nof two\n\nverses\n"
    assert open_note(sign_note(text, [SIGNER]), [SIGNER.verifier_key]).text == text


@given(st.data())
def test_one_bit_changed_anywhere_is_refused(data: st.DataObject) -> None:
    note = bytearray(sign_checkpoint(CHECKPOINT, SIGNER).encode())
    bit = data.draw(st.integers(min_value=0, max_value=len(note) * 8 - 1))
    note[bit // 8] ^= 1 << bit % 8
    with pytest.raises(NoteError):
        open_checkpoint(bytes(note), SIGNER.verifier_key)


def signed_line(text: str) -> str:
    """A right signature over any text, however wrong the text."""
    key = SIGNER.verifier_key
    return f"— {key.name} {b64(key.key_id + SIGNER.key.sign(text.encode()))}\n"


@pytest.mark.parametrize(
    "shape",
    [
        "{text}{line}",
        "{text}\n",
        "{text}\n{line}\n",
        "{text}\n\n{line}",
        "{text}\r\n{line}",
        "{text}\n- {rest}",
        "{text}\n—{rest}",
        "{text}\n{unended}",
        "{text}\n— audit.casemesh/test\n",
        "{text}\n{line}junk\n",
        "{text}\n{line}— name+plus AAAAAAAA\n",
        "{text}\n{line}—  AAAAAAAA\n",
        "{text}\n{line}— name AAAA\n",
        "{text}\n{line}— name ====\n",
        "{text}\n{spaced}",
    ],
)
def test_a_note_of_another_shape_is_refused(shape: str) -> None:
    text = CHECKPOINT.format()
    line = signed_line(text)
    open_note(f"{text}\n{line}", [SIGNER.verifier_key])
    parts = {"text": text, "line": line, "rest": line[2:], "unended": line[:-1], "spaced": line[:-1] + " \n"}
    with pytest.raises(NoteError):
        open_note(shape.format(**parts), [SIGNER.verifier_key])


@pytest.mark.parametrize("character", ["\x00", "\t", "\r", "\x1f", "\ud800"])
def test_control_characters_are_refused(character: str) -> None:
    with pytest.raises(NoteError):
        sign_note(f"a{character}b\n", [SIGNER])
    with pytest.raises(NoteError):
        open_note(f"a{character}b\n\n— name AAAAAAAA\n", [SIGNER.verifier_key])


def test_a_note_beyond_the_limit_is_refused() -> None:
    with pytest.raises(NoteError, match="at most"):
        open_note("a" * MAX_NOTE_BYTES + "\n\n" + signed_line("a"), [SIGNER.verifier_key])


def test_a_signature_has_one_spelling() -> None:
    note = sign_checkpoint(CHECKPOINT, SIGNER)
    # 68 bytes leave two spare bits in the last character before the padding.
    last = note[-3]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    sibling = alphabet[alphabet.index(last) ^ 1]
    with pytest.raises(NoteError, match="canonical"):
        open_checkpoint(f"{note[:-3]}{sibling}{note[-2:]}", SIGNER.verifier_key)


@given(st.integers(min_value=1, max_value=2**63 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_survives_signing_and_opening(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert checkpoint == open_checkpoint(sign_checkpoint(checkpoint, SIGNER), SIGNER.verifier_key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n1\n{b64(ROOT)}",
        f"\n1\n{b64(ROOT)}\n",
        f"{ORIGIN}\n\n{b64(ROOT)}\n",
        f"{ORIGIN}\n01\n{b64(ROOT)}\n",
        f"{ORIGIN}\n+1\n{b64(ROOT)}\n",
        f"{ORIGIN}\n-1\n{b64(ROOT)}\n",
        f"{ORIGIN}\n1_0\n{b64(ROOT)}\n",
        f"{ORIGIN}\n １\n{b64(ROOT)}\n",
        f"{ORIGIN}\n１\n{b64(ROOT)}\n",
        f"{ORIGIN}\n9223372036854775808\n{b64(ROOT)}\n",
        f"{ORIGIN}\n1\n{b64(ROOT[:31])}\n",
        f"{ORIGIN}\n1\n{b64(ROOT)[:-1]}\n",
        f"{ORIGIN}\n1\n{b64(ROOT)}\n\n",
        f"{ORIGIN}\n1\n{b64(ROOT)}\nextension\n\n",
        f"{ORIGIN}\n0\n{b64(ROOT)}\n",
    ],
)
def test_a_tree_head_of_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


def test_line_separators_that_are_not_newlines_stay_in_their_line() -> None:
    text = f"{ORIGIN}\u2028x\u0085\n1\n{b64(ROOT)}\n"
    assert Checkpoint.parse(text).origin == f"{ORIGIN}\u2028x\u0085"


def test_extension_lines_are_kept() -> None:
    checkpoint = Checkpoint.parse(f"{ORIGIN}\n1\n{b64(ROOT)}\none\ntwo\n")
    assert checkpoint.extensions == ("one", "two")
    assert checkpoint.format().endswith("\none\ntwo\n")


def test_the_empty_tree_has_a_checkpoint() -> None:
    assert Checkpoint.parse(Checkpoint(ORIGIN, 0, EMPTY_ROOT).format()).size == 0


@pytest.mark.parametrize(
    "change", [{"origin": ""}, {"origin": "two\nlines"}, {"size": -1}, {"root": b""}, {"extensions": ("",)}]
)
def test_a_tree_head_that_cannot_be_written_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(NoteError):
        Checkpoint(**{"origin": ORIGIN, "size": 1, "root": ROOT, **change})


def test_a_log_signs_and_is_believed_under_its_own_name_only() -> None:
    foreign = Checkpoint("audit.casemesh/other", 1, ROOT)
    with pytest.raises(NoteError, match="does not sign as"):
        sign_checkpoint(foreign, SIGNER)
    with pytest.raises(NoteError, match="not of"):
        open_checkpoint(sign_note(foreign.format(), [SIGNER]), SIGNER.verifier_key)
