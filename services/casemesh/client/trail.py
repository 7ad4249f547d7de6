"""The trail of a case as one file that anybody can check offline with the log's public key.

    {"format": "casemesh.audit.trail/v1", "case": "cases/...", "log_key": verifier key, "checkpoint": signed note,
     "certificates": [base64 DER, signer first],
     "cosigned": {"checkpoint": signed note, "proof": [base64]},
     "entries": [{"index": leaf, "salt": base64, "event": {...}, "proof": [base64, leaf to root]},
                 {"index": leaf, "commitment": base64, "proof": [...]}]}

`cosigned` is there when a quorum of log witnesses cosigned a checkpoint: the newest such one, as a rule older than the
trail's own, with the proof that the log of the trail continues it. The second form of an entry is of an event that was
shredded: its text and salt are gone, its place in log and case stays.

Each event names its case, its `case_sequence` (from 1) and, as `previous`, the commitment of the event
before it in hex, null for the first. An event changed, left out, added or moved breaks one of these or its proof.
That an event was shredded must be said by an event `audit.events.shredded` of the same trail; one that merely lacks a
text is refused.

Source: RFC 9162 section 2.1.3 (inclusion); C2SP tlog-checkpoint.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from casemesh.client import canonical_json, chains, notes
from casemesh.client.canonical_json import Json
from casemesh.client.commitments import SALT_SIZE, commitment, commitment_leaf
from casemesh.client.cosignatures import WitnessKey, cosignatures
from casemesh.core import strict_base64
from casemesh.core.merkle import HASH_SIZE, MerkleError, verify_consistency, verify_inclusion

FORMAT = "casemesh.audit.trail/v1"
MAX_BUNDLE_BYTES = 1 << 30
LOG_SIGNER = "spiffe://mesh.casemesh/signing/audit"
"""The URI name in the certificate of the key that signs checkpoints."""

SHREDDED = "audit.events.shredded"
"""The action of the event that says which events of a case were shredded, by whom and why."""
SHREDDED_NUMBERS = "case_sequences"
"""Its detail that names them, as `3-5,9`."""

SEPARATOR = b",\n"
TAIL = b"]}\n"

_RUNS = re.compile(r"[0-9]{1,9}(-[0-9]{1,9})?(,[0-9]{1,9}(-[0-9]{1,9})?)*")
_MAX_RUN = 1_000_000
_EVENT_ENTRY = {"index", "salt", "event", "proof"}
_SHREDDED_ENTRY = {"index", "commitment", "proof"}
_FIELDS = {"format", "case", "log_key", "checkpoint", "certificates", "entries"}

Event: TypeAlias = dict[str, Json]


class TrailError(ValueError):
    """The trail is not what the log holds. The message names the entry by its position, never its content."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An event with what proves its place in the log."""

    index: int
    commitment: bytes
    event: Event | None
    """None of an event that was shredded."""
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class VerifiedTrail:
    """What a bundle was found to prove."""

    case: str
    events: tuple[Event, ...]
    """Every event of the case from the first, in order, without a gap but for those that were shredded."""
    checkpoint: notes.Checkpoint
    """The signed tree head that all of them lie under."""
    shredded: tuple[int, ...] = ()
    """The numbers within the case of events whose text is gone, each told by an event of the trail."""
    cosigned_by: tuple[str, ...] = ()
    """Those of the log witnesses asked for that cosigned a checkpoint which this one continues."""
    cosigned_size: int = 0
    """How many entries that one covers; what came after, the log alone vouches for. 0 where none of them cosigned."""


def encode_head(
    case: str,
    *,
    checkpoint: str,
    log_key: notes.VerifierKey,
    certificates: Sequence[bytes] = (),
    cosigned: tuple[str, Sequence[bytes]] | None = None,
) -> bytes:
    """Return the start of a bundle; entries follow, separated by `SEPARATOR`, then `TAIL`.

    In pieces, because a trail need not fit in memory. All proofs must be for the tree head in the signed note
    `checkpoint`. `certificates` are the chain of the log's key in DER, for readers who trust the signing root and not
    yet the key. `cosigned` is a cosigned checkpoint with the proof from it to `checkpoint`. Checks nothing: a wrong
    entry gives a bundle that fails verification.
    """
    head: dict[str, Json] = {
        "format": FORMAT,
        "case": case,
        "log_key": str(log_key),
        "checkpoint": checkpoint,
        "certificates": [strict_base64.encode(certificate) for certificate in certificates],
    }
    if cosigned is not None:
        note, proof = cosigned
        head["cosigned"] = {"checkpoint": note, "proof": [strict_base64.encode(value) for value in proof]}
    return json.dumps(head, ensure_ascii=False)[:-1].encode() + b', "entries": ['


def encode_entry(index: int, salt: bytes, canonical_event: bytes, proof: Sequence[bytes]) -> bytes:
    """Return one entry of a bundle; `canonical_event` is the event as it was committed to."""
    rest = {
        "index": index,
        "salt": strict_base64.encode(salt),
        "proof": [strict_base64.encode(value) for value in proof],
    }
    return json.dumps(rest)[:-1].encode() + b', "event": ' + canonical_event + b"}"


def encode_shredded(index: int, committed: bytes, proof: Sequence[bytes]) -> bytes:
    """Return one entry of a bundle for an event that was shredded, with the commitment that the log keeps."""
    fields = {
        "index": index,
        "commitment": strict_base64.encode(committed),
        "proof": [strict_base64.encode(value) for value in proof],
    }
    return json.dumps(fields).encode()


def encode_numbers(numbers: Iterable[int]) -> str:
    """Return ascending numbers as runs, `3-5,9`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def decode_numbers(runs: Json) -> set[int]:
    """Return the numbers that `encode_numbers` wrote. Raises TrailError for any other form, and for endless runs."""
    if not isinstance(runs, str) or not _RUNS.fullmatch(runs):
        raise TrailError("says what it shredded in no known form")
    found: set[int] = set()
    for run in runs.split(","):
        first, _, end = run.partition("-")
        if int(end or first) - int(first) > _MAX_RUN:
            raise TrailError("says that it shredded more than a trail holds")
        found.update(range(int(first), int(end or first) + 1))
    return found


def verify_trail_bundle(
    bundle: bytes | str | dict[str, Json],
    log_key: notes.VerifierKey,
    *,
    case: str | None = None,
    witnesses: Sequence[WitnessKey] = (),
    quorum: int = 0,
) -> VerifiedTrail:
    """Return what `bundle` proves, only if all of it holds under the trusted `log_key`.

    Checked: the checkpoint's signature; that every event is of the one case (of `case`, if given), numbered from
    1 without a gap, each naming the commitment of the one before; that each commitment is in the log at its
    place; that the log continues what was cosigned, and that at least `quorum` of `witnesses` cosigned it. A bundle
    without events is refused, as it proves nothing.

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
    cosigned_by, cosigned_size = _cosigned(fields, checkpoint, log_key, witnesses)
    if len(cosigned_by) < quorum:
        raise TrailError(f"{len(cosigned_by)} of the log witnesses asked for cosigned it, not {quorum}")
    members = fields["entries"]
    if not isinstance(members, list) or not members:
        raise TrailError("the trail holds no events")
    events: list[Event] = []
    shredded: list[int] = []
    told: set[int] = set()
    previous: bytes | None = None
    last_index = -1
    for position, member in enumerate(members, start=1):
        try:
            entry = _entry(member)
            _check_link(entry, name, position, previous, last_index)
            leaf = commitment_leaf(entry.commitment)
            verify_inclusion(entry.index, checkpoint.size, leaf, entry.proof, checkpoint.root)
            told |= _told_shredded(entry.event)
        except (TrailError, MerkleError, canonical_json.CanonicalJsonError) as error:
            raise TrailError(f"event {position} of {len(members)}: {error}") from error
        previous, last_index = entry.commitment, entry.index
        if entry.event is None:
            shredded.append(position)
        else:
            events.append(entry.event)
    if untold := [number for number in shredded if number not in told]:
        raise TrailError(
            f"event {untold[0]} of {len(members)}: its text is gone, and no event says that it was shredded"
        )
    return VerifiedTrail(name, tuple(events), checkpoint, tuple(shredded), cosigned_by, cosigned_size)


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
        leaf = commitment_leaf(entry.commitment)
        verify_inclusion(entry.index, checkpoint.size, leaf, entry.proof, checkpoint.root)
    except notes.NoteError as error:
        raise TrailError(f"the checkpoint does not hold: {error}") from error
    except (MerkleError, canonical_json.CanonicalJsonError) as error:
        raise TrailError(f"the entry: {error}") from error
    if entry.event is None:
        raise TrailError("the entry's event was shredded; it shows nothing but its place")
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


def _cosigned(
    fields: Event, newest: notes.Checkpoint, log_key: notes.VerifierKey, witnesses: Sequence[WitnessKey]
) -> tuple[tuple[str, ...], int]:
    """Who cosigned the trail's checkpoint, or the older one beside it, which it must continue; and over how many
    entries."""
    note = _text(fields, "checkpoint")
    size = newest.size
    proof: list[Json] | None = None
    if (member := fields.get("cosigned")) is not None:
        if not isinstance(member, dict) or set(member) != {"checkpoint", "proof"}:
            raise TrailError("what was cosigned is in no known form")
        note, stated = _text(member, "checkpoint"), member["proof"]
        if not isinstance(stated, list):
            raise TrailError("what was cosigned is in no known form")
        proof = stated
    try:
        if proof is not None:
            older = notes.open_checkpoint(note, log_key)
            hashes = [_unb64(value, "a hash of the consistency proof") for value in proof]
            verify_consistency(older.size, newest.size, hashes, older.root, newest.root)
            size = older.size
        names = tuple(found.key.name for found in cosignatures(note, witnesses))
        return names, size if names else 0
    except (notes.NoteError, MerkleError) as error:
        raise TrailError(f"what was cosigned does not hold: {error}") from error


def _check_link(entry: _Entry, case: str, position: int, previous: bytes | None, last_index: int) -> None:
    if entry.event is not None:
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
    if not isinstance(fields, dict) or set(fields) - {"cosigned"} != _FIELDS:
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
    if not isinstance(member, dict) or set(member) not in (_EVENT_ENTRY, _SHREDDED_ENTRY):
        raise TrailError("its fields are not those of an entry")
    index, event, proof = member["index"], member.get("event"), member["proof"]
    if type(index) is not int or not isinstance(proof, list):
        raise TrailError("a field of the entry has the wrong type")
    hashes = tuple(_unb64(value, "a hash of the proof") for value in proof)
    if "event" not in member:
        committed = _unb64(member["commitment"], "the commitment")
        if len(committed) != HASH_SIZE:
            raise TrailError(f"the commitment is not {HASH_SIZE} bytes")
        return _Entry(index, committed, None, hashes)
    if not isinstance(event, dict):
        raise TrailError("a field of the entry has the wrong type")
    salt = _unb64(member["salt"], "the salt")
    if len(salt) != SALT_SIZE:
        raise TrailError(f"the salt is not {SALT_SIZE} bytes")
    return _Entry(index, commitment(salt, event), event, hashes)


def _told_shredded(event: Event | None) -> set[int]:
    """The numbers that an event says were shredded, none for an event of another kind."""
    if event is None or event.get("action") != SHREDDED or event.get("source") != "audit":
        return set()
    details = event.get("details")
    return decode_numbers(details.get(SHREDDED_NUMBERS) if isinstance(details, dict) else None)


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
