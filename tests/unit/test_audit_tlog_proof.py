"""Proof files: what one says holds under the signed checkpoint it carries, or is refused."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from casemesh.client.cosignatures import WitnessKey, cosign, with_lines
from casemesh.client.notes import Checkpoint, NoteError, NoteSigner, sign_checkpoint
from casemesh.client.tlog_proof import encode_proof, verify_proof_file
from casemesh.core.merkle import MerkleError, Tree, leaf_hash

LOG = NoteSigner("casemesh.test/audit", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
WITNESS = WitnessKey("court.test/witness", WITNESS_KEY.public_key())
LEAVES = [leaf_hash(bytes([number])) for number in range(11)]
TREE = Tree(LEAVES)
NOTE = sign_checkpoint(Checkpoint(LOG.name, TREE.size, TREE.root()), LOG)
COSIGNED = with_lines(NOTE, [cosign(NOTE, WITNESS.name, WITNESS_KEY, 1_772_442_600)])


def proof_of(index: int, note: str = COSIGNED) -> str:
    return encode_proof(index, TREE.inclusion_proof(index), note)


@pytest.mark.parametrize("index", range(TREE.size))
def test_the_proof_of_each_entry_holds_for_its_leaf_and_no_other(index: int) -> None:
    found, checkpoint = verify_proof_file(proof_of(index), LEAVES[index], LOG.verifier_key, [WITNESS], 1)
    assert (index, TREE.size) == (found, checkpoint.size)
    with pytest.raises(MerkleError):
        verify_proof_file(proof_of(index), LEAVES[index - 1], LOG.verifier_key)


def test_the_file_has_the_form_that_was_specified() -> None:
    lines = proof_of(3).split("\n")
    assert ["c2sp.org/tlog-proof@v1", "index 3"] == lines[:2]
    assert "\n".join(lines[lines.index("") + 1 :]) == COSIGNED


def test_what_an_application_adds_is_passed_over() -> None:
    with_extra = proof_of(3).replace("\nindex", "\nextra AAAA\nindex")
    assert 3 == verify_proof_file(with_extra, LEAVES[3], LOG.verifier_key)[0]


def test_too_few_cosignatures_are_refused() -> None:
    with pytest.raises(NoteError, match="fewer than 1"):
        verify_proof_file(proof_of(3, NOTE), LEAVES[3], LOG.verifier_key, [WITNESS], 1)
    with pytest.raises(NoteError, match="fewer than 2"):
        verify_proof_file(proof_of(3), LEAVES[3], LOG.verifier_key, [WITNESS], 2)


@given(st.integers(min_value=0), st.characters(codec="ascii"))
def test_a_changed_file_never_proves_another_place(at: int, character: str) -> None:
    text = proof_of(3)
    at %= len(text)
    changed = text[:at] + character + text[at + 1 :]
    try:
        index, checkpoint = verify_proof_file(changed, LEAVES[3], LOG.verifier_key)
    except (NoteError, MerkleError):
        return
    # Only the cosignature, which nobody asked for here, can change without notice.
    assert (3, TREE.root()) == (index, checkpoint.root)


@given(st.text(max_size=200))
def test_what_is_no_proof_file_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        verify_proof_file(text, LEAVES[3], LOG.verifier_key)


def test_another_version_of_the_form_is_refused() -> None:
    with pytest.raises(NoteError, match="begins with"):
        verify_proof_file(proof_of(3).replace("@v1", "@v2"), LEAVES[3], LOG.verifier_key)


@pytest.mark.parametrize("line", ["index 03", "index -1", "index", "index 3 ", "extra !", "index 3\nAAAA"])
def test_a_malformed_line_is_refused(line: str) -> None:
    with pytest.raises(NoteError):
        verify_proof_file(proof_of(3).replace("index 3", line), LEAVES[3], LOG.verifier_key)
