#!/usr/bin/env python3
"""Check an exported trail of a case without CaseMesh: Python 3.11 and `cryptography`, nothing else.

    python3 verify_trail.py trail.json --log-key 'casemesh.example/audit+0123abcd+AbC...'
    python3 verify_trail.py trail.json --signing-roots roots.pem
    python3 verify_trail.py trail.json --log-key ... --witness 'court-witness+89ab0123+BbC...' --quorum 1

What is checked: the log's signature over the checkpoint, and the log witnesses' where they are asked for; that every
event is of the one case, numbered without a gap, and names the one before it; that each stands in the log at its place;
that each one whose text is gone was shredded by an event of the same trail. What is not shown: that the case has no
later events, nor that what an event says is true.

The keys must come to you by another way than the trail itself. Exit codes: 0 it holds, 2 wrong use, 6 it does not.

离线验证案件留痕:仅需 Python 和 cryptography,不依赖平台。公钥须由其他途径取得。退出码:0 通过,6 不通过。

This file is written to be read in one sitting and shares no code with the platform, so that two programs agree or one
of them is wrong. Source: RFC 6962 section 2.1, RFC 8785, C2SP signed-note, tlog-checkpoint and tlog-cosignature.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import datetime as dt
import hashlib
import json
import re
import sys
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FORMAT = "casemesh.audit.trail/v1"
LOG_SIGNER = "spiffe://mesh.casemesh/signing/audit"
DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
SHREDDED = "audit.events.shredded"
LARGEST = 2**53 - 1
LOG_TYPE, WITNESS_TYPE = 1, 4
HEAD_FIELDS = {"format", "case", "log_key", "checkpoint", "certificates", "entries"}
EVENT_ENTRY = {"index", "salt", "event", "proof"}
SHREDDED_ENTRY = {"index", "commitment", "proof"}


class Refused(Exception):
    """The trail does not hold, and why."""


def decoded(text: Any, what: str, size: int | None = None) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise Refused(f"{what} is not Base64") from error
    # One value has one spelling: unused bits of the last character are zero.
    if base64.b64encode(data).decode() != text or (size is not None and len(data) != size):
        raise Refused(f"{what} has the wrong length or form")
    return data


def read_json(data: bytes) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) != len(pairs):
            raise Refused("a key occurs twice in one object")
        return dict(pairs)

    def refuse(literal: str) -> Any:
        raise Refused(f"a number that is no plain integer: {literal[:20]}")

    def integer(literal: str) -> int:
        if len(literal) > 17 or abs(int(literal)) > LARGEST:
            raise Refused("an integer beyond 2**53 - 1")
        return int(literal)

    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=members,
            parse_float=refuse,
            parse_constant=refuse,
            parse_int=integer,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise Refused(f"not JSON: {type(error).__name__}") from error


def canonical(value: Any) -> str:
    """RFC 8785, for values without floats: keys ordered by their UTF-16 code units."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(key)}:{canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def commitment(salt: bytes, event: dict[str, Any]) -> bytes:
    try:
        return hashlib.sha256(salt + canonical(event).encode("utf-8")).digest()
    except UnicodeEncodeError as error:
        raise Refused("a lone surrogate is not text") from error
    except RecursionError as error:
        raise Refused("an event of too many levels") from error


def root_of(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """The root that a leaf and its proof lead to (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        raise Refused("its place is outside the log")
    first, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Refused("its proof is too long")
        if first & 1 or first == last:
            value = hashlib.sha256(b"\x01" + sibling + value).digest()
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            value = hashlib.sha256(b"\x01" + value + sibling).digest()
        first, last = first >> 1, last >> 1
    if last:
        raise Refused("its proof is too short")
    return value


def check_continues(old_size: int, old_root: bytes, size: int, root: bytes, proof: list[bytes]) -> None:
    """That the larger tree continues the smaller (RFC 9162 section 2.1.4.2)."""
    if old_size == size and not proof and old_root == root:
        return
    hashes = [old_root, *proof] if old_size & (old_size - 1) == 0 else proof
    if not 0 < old_size < size or not hashes:
        raise Refused("the log does not continue what was cosigned")
    first, last = old_size - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise Refused("the log does not continue what was cosigned")
        if first & 1 or first == last:
            old = hashlib.sha256(b"\x01" + sibling + old).digest()
            new = hashlib.sha256(b"\x01" + sibling + new).digest()
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new = hashlib.sha256(b"\x01" + new + sibling).digest()
        first, last = first >> 1, last >> 1
    if (old, new, last) != (old_root, root, 0):
        raise Refused("the log does not continue what was cosigned")


class Key:
    """A note key: `name+id+base64(type || public key)`."""

    def __init__(self, text: str, kind: int) -> None:
        parts = text.split("+", 2)
        if len(parts) != 3 or not re.fullmatch("[0-9a-f]{8}", parts[1]):
            raise Refused("a key is name+id+base64")
        self.name, material = parts[0], decoded(parts[2], "the key", 33)
        if material[0] != kind:
            raise Refused(f"the key of {self.name} is of type {material[0]}, not {kind}")
        self.id = hashlib.sha256(self.name.encode() + b"\n" + material).digest()[:4]
        if self.id.hex() != parts[1]:
            raise Refused(f"the id of the key of {self.name} is not its own")
        self.public = Ed25519PublicKey.from_public_bytes(material[1:])

    def verify(self, signature: bytes, signed: bytes) -> None:
        try:
            self.public.verify(signature, signed)
        except InvalidSignature as error:
            raise Refused(f"the checkpoint's signature by {self.name} does not hold") from error


def open_checkpoint(note: Any, log: Key, witnesses: list[Key]) -> tuple[int, bytes, list[str]]:
    """Size and root that the log signed, and who cosigned."""
    if not isinstance(note, str) or "\n\n" not in note or not note.endswith("\n"):
        raise Refused("the checkpoint is no signed note")
    text, below = note[: note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2 :]
    body, signed, cosigned = text.encode(), False, []
    for line in below[:-1].split("\n"):
        match = re.fullmatch(r"— (\S+) (\S+)", line)
        if match is None:
            raise Refused("the checkpoint has a line that is no signature")
        signature = decoded(match[2], "a signature of the checkpoint")
        who = (match[1], signature[:4])
        if who == (log.name, log.id) and not signed:
            log.verify(signature[4:], body)
            signed = True
        for witness in witnesses:
            if who == (witness.name, witness.id) and witness.name not in cosigned:
                when = int.from_bytes(signature[4:12])
                witness.verify(signature[12:], f"cosignature/v1\ntime {when}\n".encode() + body)
                cosigned.append(witness.name)
    if not signed:
        raise Refused("the log did not sign the checkpoint")
    lines = text.split("\n")
    if len(lines) < 4 or lines[0] != log.name or not re.fullmatch("0|[1-9][0-9]{0,18}", lines[1]):
        raise Refused("the checkpoint is not one of this log")
    return int(lines[1]), decoded(lines[2], "the root", 32), cosigned


def check_entries(trail: dict[str, Any], size: int, root: bytes) -> tuple[int, list[int]]:
    """How many entries there are, and the numbers of those that were shredded."""
    entries = trail["entries"]
    if not isinstance(entries, list) or not entries:
        raise Refused("the trail holds no events")
    previous, last, shredded, told = None, -1, [], set()
    for number, entry in enumerate(entries, start=1):
        try:
            if not isinstance(entry, dict) or set(entry) not in (EVENT_ENTRY, SHREDDED_ENTRY):
                raise Refused("its fields are not those of an entry")
            if "event" in entry:
                event = entry["event"]
                check_link(event, trail["case"], number, previous)
                value = commitment(decoded(entry["salt"], "the salt", 32), event)
            else:
                value = decoded(entry["commitment"], "the commitment", 32)
                shredded.append(number)
            if type(entry["index"]) is not int or entry["index"] <= last or not isinstance(entry["proof"], list):
                raise Refused("stands in the log before the event it follows")
            proof = [decoded(item, "a hash of the proof", 32) for item in entry["proof"]]
            if root_of(hashlib.sha256(b"\x00" + value).digest(), entry["index"], size, proof) != root:
                raise Refused("is not in the log at its place")
            # Only now: numbers that nobody logged could be without end.
            told |= told_by(entry.get("event", {}))
        except Refused as error:
            raise Refused(f"event {number} of {len(entries)}: {error}") from error
        previous, last = value.hex(), entry["index"]
    if untold := [number for number in shredded if number not in told]:
        raise Refused(f"event {untold[0]} of {len(entries)}: its text is gone, and no event says that it was shredded")
    return len(entries), shredded


def check_link(event: Any, case: Any, number: int, previous: str | None) -> None:
    if not isinstance(event, dict) or event.get("case") != case:
        raise Refused("an event of another case")
    if type(event.get("case_sequence")) is not int or event["case_sequence"] != number:
        raise Refused("its number within the case is another one")
    if "previous" not in event or event["previous"] != previous:
        raise Refused("does not name the event before it")


def told_by(event: dict[str, Any]) -> set[int]:
    """The numbers that an event says were shredded; none for an event of another kind."""
    if event.get("action") != SHREDDED or event.get("source") != "audit":
        return set()
    details = event.get("details")
    return numbers_in(details.get("case_sequences") if isinstance(details, dict) else None)


def numbers_in(text: Any) -> set[int]:
    """`3-5,9` as 3, 4, 5, 9."""
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,9}(-[0-9]{1,9})?(,[0-9]{1,9}(-[0-9]{1,9})?)*", text):
        raise Refused("says what it shredded in no known form")
    found: set[int] = set()
    for run in text.split(","):
        first, _, end = run.partition("-")
        if int(end or first) - int(first) > 1_000_000:
            raise Refused("says that it shredded more than a trail holds")
        found |= set(range(int(first), int(end or first) + 1))
    return found


def certified_key(trail: dict[str, Any], roots: list[x509.Certificate], at: dt.datetime) -> Key:
    """The log's key out of the trail's own certificates, which must lead to a trusted root. Revocation is not seen."""
    if not isinstance(trail["certificates"], list) or not trail["certificates"]:
        raise Refused("the trail carries no certificates")
    try:
        path = [x509.load_der_x509_certificate(decoded(item, "a certificate")) for item in trail["certificates"]]
        if path[-1] not in roots:
            path += [root for root in roots if issued(path[-1], root)][:1]
        if path[-1] not in roots or not all(issued(below, above) for below, above in pairwise(path)):
            raise Refused("the log's certificates do not lead to a root you trust")
        if not all(one.not_valid_before_utc <= at <= one.not_valid_after_utc for one in path):
            raise Refused("a certificate of the log is not valid at that time")
        leaf = path[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if names.get_values_for_type(x509.UniformResourceIdentifier) != [LOG_SIGNER] or [*usage] != [DOCUMENT_SIGNING]:
            raise Refused(f"the log's certificate is not one for signing documents as {LOG_SIGNER}")
    except (ValueError, x509.ExtensionNotFound) as error:
        raise Refused("the log's certificates cannot be read") from error
    public = leaf.public_key()
    if not isinstance(public, Ed25519PublicKey):
        raise Refused("the log's key is not Ed25519")
    name = str(trail["log_key"]).partition("+")[0]
    material = bytes([LOG_TYPE]) + public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4].hex()
    return Key(f"{name}+{key_id}+{base64.b64encode(material).decode()}", LOG_TYPE)


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        return issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description="Check an exported trail offline.  离线验证留痕。")
    parser.add_argument("trail")
    parser.add_argument("--log-key", help="the log's key, got by another way  日志公钥")
    parser.add_argument("--signing-roots", help="roots of document signing, PEM, got by another way  签名根证书")
    parser.add_argument("--at", help="the instant at which certificates must be valid, ISO 8601; now if not given")
    parser.add_argument("--witness", action="append", default=[], help="a log witness's key; may be repeated")
    parser.add_argument("--quorum", type=int, default=0, help="how many of the log witnesses must have cosigned")
    parser.add_argument("--events", action="store_true", help="print the events as JSON lines  逐条输出")
    given = parser.parse_args()
    if bool(given.log_key) == bool(given.signing_roots):
        parser.error("give the log's key or the signing roots, one of them")
    try:
        with open(given.trail, "rb") as file:
            trail = read_json(file.read())
        if not isinstance(trail, dict) or set(trail) - {"cosigned"} != HEAD_FIELDS or trail["format"] != FORMAT:
            raise Refused(f"not a trail in the format {FORMAT}")
        if given.log_key:
            key = Key(given.log_key, LOG_TYPE)
        else:
            with open(given.signing_roots, "rb") as file:
                roots = x509.load_pem_x509_certificates(file.read())
            at = dt.datetime.fromisoformat(given.at) if given.at else dt.datetime.now(dt.UTC)
            key = certified_key(trail, roots, at)
        if str(trail["log_key"]).split("+")[:2] != [key.name, key.id.hex()]:
            raise Refused("the trail is of another log than the one you trust")
        witnesses = [Key(text, WITNESS_TYPE) for text in given.witness]
        size, root, cosigned = open_checkpoint(trail["checkpoint"], key, witnesses)
        cosigned_size = size
        if "cosigned" in trail:
            member = trail["cosigned"]
            if not isinstance(member, dict) or set(member) != {"checkpoint", "proof"}:
                raise Refused("what was cosigned is in no known form")
            if not isinstance(member["proof"], list):
                raise Refused("what was cosigned is in no known form")
            proof = [decoded(item, "a hash of the consistency proof", 32) for item in member["proof"]]
            cosigned_size, old_root, cosigned = open_checkpoint(member["checkpoint"], key, witnesses)
            check_continues(cosigned_size, old_root, size, root, proof)
        if len(cosigned) < given.quorum:
            raise Refused(f"{len(cosigned)} of the log witnesses asked for cosigned it, not {given.quorum}")
        count, shredded = check_entries(trail, size, root)
    except Refused as error:
        print(f"REFUSED 验证不通过: {error}", file=sys.stderr)
        return 6
    except (OSError, ValueError) as error:
        print(f"cannot be read 无法读取: {error}", file=sys.stderr)
        return 2
    if given.events:
        for entry in trail["entries"]:
            print(json.dumps(entry.get("event", {"shredded": True}), ensure_ascii=False))
    # What came after is vouched for by the log alone.
    by = f", cosigned by {', '.join(cosigned)} at {cosigned_size} entries" if cosigned else ""
    gone = f", {len(shredded)} of them shredded 其中已销毁 {len(shredded)} 条" if shredded else ""
    print(f"OK 验证通过: {trail['case']}: {count} events{gone}, log {key.name} at {size} entries{by}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
