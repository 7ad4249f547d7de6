"""The signed confirmation of a delivery: that a recipient said it holds a version whole, and when.

The dossier service signs it; what it proves is the recipient's statement to the service, made under the recipient's
certificate and token, not what the recipient's disks hold.

Source: DSSE v1.0 (signature, see `statements`), RFC 8785 (canonical JSON).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from casemesh.client import statements
from casemesh.client.canonical_json import Json
from casemesh.client.manifest import MANIFEST_SIGNER, ManifestError, stamp, stated_time

PAYLOAD_TYPE: Final = "application/vnd.casemesh.dossier-confirmation+json"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who confirmed what. ``confirmed_by`` is an officer or a system of ``recipient``; ``root_hash`` is 32 bytes."""

    version: str
    case: str
    recipient: str
    confirmed_by: str
    root_hash: bytes
    confirm_time: dt.datetime


def payload(confirmation: Confirmation) -> dict[str, Json]:
    """The statement, ready to be signed."""
    return {
        "format": _FORMAT,
        "version": confirmation.version,
        "case": confirmation.case,
        "recipient": confirmation.recipient,
        "confirmed_by": confirmation.confirmed_by,
        "root_hash": confirmation.root_hash.hex(),
        "confirm_time": stamp(confirmation.confirm_time),
    }


def verify(
    envelope: bytes, trusted_roots: Sequence[x509.Certificate], *, at: dt.datetime | None = None
) -> Confirmation:  # fmt: skip
    """The confirmation in a signed envelope of the dossier service. Needs no connection.

    Without ``at`` the statement's own time is taken, which is the signer's word. Raises StatementError, ManifestError.
    """
    if at is None:
        at = stated_time(envelope, "confirm_time")
    value = statements.verify(envelope, trusted_roots, PAYLOAD_TYPE, at=at, signer=MANIFEST_SIGNER).payload
    try:
        confirmation = _parse(value)
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError(f"the confirmation is malformed: {error}") from error
    if payload(confirmation) != value:
        raise ManifestError("the confirmation has fields that are not known to this release")
    return confirmation


def _parse(value: Json) -> Confirmation:
    if not isinstance(value, dict):
        raise TypeError("it is not an object")
    return Confirmation(
        str(value["version"]), str(value["case"]), str(value["recipient"]), str(value["confirmed_by"]),
        bytes.fromhex(str(value["root_hash"])), dt.datetime.fromisoformat(str(value["confirm_time"])),
    )  # fmt: skip
