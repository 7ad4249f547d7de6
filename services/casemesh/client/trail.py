"""The trail of a case as one file that anybody can check offline with the log's public key.

    {"format": "casemesh.audit.trail/v1", "case": "cases/...", "log_key": verifier key, "checkpoint": signed note,
     "certificates": [base64 DER, signer first],
     "entries": [{"index": leaf, "salt": base64, "event": {...}, "proof": [base64, leaf to root]}]}

Each event names its case, its `case_sequence` (from 1) and, as `previous`, the commitment of the event
before it in hex, null for the first. An event changed, left out, added or moved breaks one of these or its proof.

Source: RFC 9162 section 2.1.3 (inclusion); C2SP tlog-checkpoint.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from casemesh.client import canonical_json, chains, notes
from casemesh.client.canonical_json import Json
from casemesh.client.commitments import SALT_SIZE, commitment, commitment_leaf
from casemesh.core import strict_base64
from casemesh.core.merkle import MerkleError, verify_inclusion

FORMAT = "casemesh.audit.trail/v1"
MAX_BUNDLE_BYTES = 1 << 30
LOG_SIGNER = "spiffe://mesh.casemesh/signing/audit"
"""The URI name in the certificate of the key that signs checkpoints."""

SEPARATOR = b",\n"
TAIL = b"]}\n"

_FIELDS = {"format", "case", "log_key", "checkpoint", "certificates", "entries"}

Event: TypeAlias = dict[str, Json]


class TrailError(ValueError):
    """The trail is not what the log holds. The message names the entry by its position, never its content."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An event with what proves its place in the log."""

    index: int
    salt: bytes
    event: Event
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class VerifiedTrail:
    """What a bundle was found to prove."""

    case: str
    events: tuple[Event, ...]
    """Every event of the case from the first, in order, without a gap."""
    checkpoint: notes.Checkpoint
    """The signed tree head that all of them lie under."""


def encode_head(case: str, *, checkpoint: str, log_key: notes.VerifierKey, certificates: Sequence[bytes] = ()) -> bytes:
    """Return the start of a bundle; entries follow, separated by `SEPARATOR`, then `TAIL`.

    In pieces, because a trail need not fit in memory. All proofs must be for the tree head in the signed note
    `checkpoint`. `certificates` are the chain of the log's key in DER, for readers who trust the signing root and not
    yet the key. Checks nothing: a wrong entry gives a bundle that fails verification.
    """
    head = {
        "format": FORMAT,
        "case": case,
        "log_key": str(log_key),
        "checkpoint": checkpoint,
        "certificates": [strict_base64.encode(certificate) for certificate in certificates],
    }
    return json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "entries": ['


def encode_entry(index: int, salt: bytes, canonical_event: bytes, proof: Sequence[bytes]) -> bytes:
    """Return one entry of a bundle; `canonical_event` is the event as it was committed to."""
    rest = {
        "index": index,
        "salt": strict_base64.encode(salt),
        "proof": [strict_base64.encode(value) for value in proof],
    }
    return json.dumps(rest)[:-1].encode() + b', "event": ' + canonical_event + b"}"


def verify_trail_bundle(
    bundle: bytes | str | dict[str, Json], log_key: notes.VerifierKey, *, case: str | None = None
) -> VerifiedTrail:
    """Return what `bundle` proves, only if all of it holds under the trusted `log_key`.

    Checked: the checkpoint's signature; that every event is of the one case (of `case`, if given), numbered from
    1 without a gap, each naming the commitment of the one before; that each commitment is in the log at its
    place. A bundle without events is refused, as it proves nothing.

    Not shown: that the case has no later events than these. Compare with a fresher trail, or with the number a
    log witness or another agency holds. Nor that what an event says is true: only that it was logged so.

    Raises TrailError; nothing of a bundle that fails may be relied on.
    """
    fields = _bundle_fields(bundle)
    name = _text(fields, "case")
    if case is not None and name != case:
        raise TrailError("the trail is of another case")
    if _text(fields, "log_key") != str(log_key):
        raise TrailError("the trail is of another log than the trusted one")
    try:
        checkpoint = notes.open_checkpoint(_text(fields, "checkpoint"), log_key)
    except notes.NoteError as error:
        raise TrailError(f"the checkpoint does not hold: {error}") from error
    members = fields["entries"]
    if not isinstance(members, list) or not members:
        raise TrailError("the trail holds no events")
    events: list[Event] = []
    previous: bytes | None = None
    last_index = -1
    for position, member in enumerate(members, start=1):
        try:
            entry = _entry(member)
            _check_link(entry, name, position, previous, last_index)
            previous = commitment(entry.salt, entry.event)
            verify_inclusion(entry.index, checkpoint.size, commitment_leaf(previous), entry.proof, checkpoint.root)
        except (TrailError, MerkleError, canonical_json.CanonicalJsonError) as error:
            raise TrailError(f"event {position} of {len(members)}: {error}") from error
        last_index = entry.index
        events.append(entry.event)
    return VerifiedTrail(name, tuple(events), checkpoint)


def verify_entry(place: dict[str, Json], log_key: notes.VerifierKey) -> tuple[int, Event, notes.Checkpoint]:
    """Return the index and the event of one `entry` of a bundle, with the bundle's own `log_key` and `checkpoint`
    beside it in `place`, only if it is in the log.

    Raises TrailError.
    """
    if _text(place, "log_key") != str(log_key):
        raise TrailError("the entry is of another log than the trusted one")
    try:
        checkpoint = notes.open_checkpoint(_text(place, "checkpoint"), log_key)
        entry = _entry(place["entry"])
        leaf = commitment_leaf(commitment(entry.salt, entry.event))
        verify_inclusion(entry.index, checkpoint.size, leaf, entry.proof, checkpoint.root)
    except notes.NoteError as error:
        raise TrailError(f"the checkpoint does not hold: {error}") from error
    except (MerkleError, canonical_json.CanonicalJsonError) as error:
        raise TrailError(f"the entry: {error}") from error
    return entry.index, entry.event, checkpoint


def log_key_from_certificates(
    bundle: bytes | str | dict[str, Json],
    trusted_roots: Sequence[x509.Certificate],
    *,
    origin: str,
    signer: str,
    at: dt.datetime,
) -> notes.VerifierKey:
    """Return the log's key out of the bundle's certificates, for `verify_trail_bundle`.

    For a reader who holds the signing root and knows the log's name and the URI name of its signer. The chain must
    be valid at `at`. Raises TrailError. Agencies that pin the key itself do not need this.
    """
    return _certified_key(_bundle_fields(bundle)["certificates"], trusted_roots, origin=origin, signer=signer, at=at)


def log_key_of(
    place: dict[str, Json], trusted_roots: Sequence[x509.Certificate], *, at: dt.datetime
) -> notes.VerifierKey:
    """Return the log's key for `verify_entry` out of the certificates in `place`, as `log_key_from_certificates` does.

    Raises TrailError.
    """
    origin = _text(place, "log_key").partition("+")[0]
    return _certified_key(place["certificates"], trusted_roots, origin=origin, signer=LOG_SIGNER, at=at)


def _certified_key(
    members: Json, trusted_roots: Sequence[x509.Certificate], *, origin: str, signer: str, at: dt.datetime
) -> notes.VerifierKey:
    if not isinstance(members, list) or not members:
        raise TrailError("the trail carries no certificates")
    try:
        chain = [x509.load_der_x509_certificate(_unb64(member, "a certificate")) for member in members]
        chains.verify_signing_chain(chain, trusted_roots, at=at)
        name = chains.uri_name(chain[0])
    except TrailError:
        raise
    except ValueError as error:
        raise TrailError(f"the log's certificates do not hold: {error}") from error
    if name != signer:
        raise TrailError(f"the log's certificate is of {name}, not of {signer}")
    key = chain[0].public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise TrailError("the log's key is not Ed25519")
    return notes.VerifierKey(origin, key)


def _check_link(entry: _Entry, case: str, position: int, previous: bytes | None, last_index: int) -> None:
    if entry.event.get("case") != case:
        raise TrailError("an event of another case")
    sequence = entry.event.get("case_sequence")
    if type(sequence) is not int or sequence != position:
        raise TrailError("its number within the case is another one")
    if "previous" not in entry.event or entry.event["previous"] != (previous.hex() if previous else None):
        raise TrailError("does not name the event before it")
    if entry.index <= last_index:
        raise TrailError("stands in the log before the event it follows")


def _bundle_fields(bundle: bytes | str | dict[str, Json]) -> dict[str, Json]:
    fields: Json = bundle if isinstance(bundle, dict) else _loaded(bundle)
    if not isinstance(fields, dict) or set(fields) != _FIELDS:
        raise TrailError("not a trail: its fields are other ones")
    if fields["format"] != FORMAT:
        raise TrailError(f"not a trail in the format {FORMAT}")
    return fields


def _loaded(text: bytes | str) -> Json:
    if len(text) > MAX_BUNDLE_BYTES:
        raise TrailError(f"a trail is at most {MAX_BUNDLE_BYTES} bytes")
    try:
        return canonical_json.loads(text)
    except canonical_json.CanonicalJsonError as error:
        raise TrailError(f"not a trail: {error}") from error


def _entry(member: Json) -> _Entry:
    if not isinstance(member, dict) or set(member) != {"index", "salt", "event", "proof"}:
        raise TrailError("its fields are not those of an entry")
    index, event, proof = member["index"], member["event"], member["proof"]
    if type(index) is not int or not isinstance(event, dict) or not isinstance(proof, list):
        raise TrailError("a field of the entry has the wrong type")
    salt = _unb64(member["salt"], "the salt")
    if len(salt) != SALT_SIZE:
        raise TrailError(f"the salt is not {SALT_SIZE} bytes")
    return _Entry(index, salt, event, tuple(_unb64(value, "a hash of the proof") for value in proof))


def _text(fields: dict[str, Json], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise TrailError(f"{name} is not a string")
    return value


def _unb64(text: Json, what: str) -> bytes:
    if not isinstance(text, str):
        raise TrailError(f"{what} is not a string")
    try:
        return strict_base64.decode(text)
    except ValueError as error:
        raise TrailError(f"{what} is {error}") from error
