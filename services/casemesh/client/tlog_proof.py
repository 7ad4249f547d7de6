"""Proof files: that one entry is in the log, in a form that other people's tools read.

    c2sp.org/tlog-proof@v1
    index 4711
    base64 of each hash, leaf to root

    the checkpoint, with its signatures

Whoever has the event and its salt, or the leaf hash, checks it offline. The file tells nothing of a case.

Source: C2SP tlog-proof.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from casemesh.client.cosignatures import WitnessKey, cosignatures
from casemesh.client.notes import Checkpoint, NoteError, VerifierKey, open_checkpoint
from casemesh.core import strict_base64
from casemesh.core.merkle import HASH_SIZE, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_BYTES = 1 << 20
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


def encode_proof(index: int, hashes: Sequence[bytes], note: str) -> str:
    """Return the proof file of the entry `index` under the checkpoint in `note`. Checks nothing."""
    return "\n".join([HEADER, f"index {index}", *map(strict_base64.encode, hashes), "", note])


def verify_proof_file(
    text: str, leaf: bytes, log_key: VerifierKey, witnesses: Sequence[WitnessKey] = (), quorum: int = 0
) -> tuple[int, Checkpoint]:
    """Return the entry's index and the checkpoint, only if `leaf` stands there in the tree that the log signed.

    With a `quorum`, only if so many of `witnesses` cosigned the checkpoint. Raises NoteError for a malformed file, a
    signature that does not hold, or too few cosignatures; MerkleError when the leaf is not there.
    """
    if len(text) > MAX_PROOF_BYTES:
        raise NoteError(f"a proof file is at most {MAX_PROOF_BYTES} bytes")
    proof, _, note = text.partition("\n\n")
    lines = proof.split("\n")
    if lines[0] != HEADER:
        raise NoteError(f"a proof file begins with {HEADER}")
    # What an application adds about the entry; ours adds nothing, and takes nothing from it.
    if len(lines) > 1 and lines[1].startswith("extra "):
        _decoded(lines.pop(1).removeprefix("extra "))
    place = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if place is None:
        raise NoteError("a proof file names the index of its entry")
    hashes = [_decoded(line) for line in lines[2:]]
    if any(len(value) != HASH_SIZE for value in hashes):
        raise NoteError(f"a hash is {HASH_SIZE} bytes")
    checkpoint = open_checkpoint(note, log_key)
    if len(cosignatures(note, witnesses)) < quorum:
        raise NoteError(f"fewer than {quorum} of the trusted log witnesses cosigned the checkpoint")
    verify_inclusion(int(place[1]), checkpoint.size, leaf, hashes, checkpoint.root)
    return int(place[1]), checkpoint


def _decoded(text: str) -> bytes:
    try:
        return strict_base64.decode(text)
    except ValueError as error:
        raise NoteError(f"a line of the proof is {error}") from error
