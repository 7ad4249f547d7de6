"""The trail of a case out of the platform, and its check without the platform."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cryptography import x509

from casemesh.audit.v1 import audit_query_service_pb2
from casemesh.client import canonical_json, trail
from casemesh.client.canonical_json import Json
from casemesh.client.cosignatures import WitnessKey
from casemesh.client.notes import VerifierKey
from casemesh.client.trail import TrailError, VerifiedTrail

if TYPE_CHECKING:
    from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceAsyncStub


async def export_trail(audit: AuditQueryServiceAsyncStub, case: str) -> bytes:
    """Return the trail of `case` as a bundle, not yet verified. The export is itself an event of the case.

    Raises CaseMeshError; TrailError when the bundle is larger than a verifier reads.
    """
    bundle = bytearray()
    async for piece in audit.ExportTrail(audit_query_service_pb2.ExportTrailRequest(case=case)):
        bundle += piece.data
        if len(bundle) > trail.MAX_BUNDLE_BYTES:
            raise TrailError(f"a trail is at most {trail.MAX_BUNDLE_BYTES} bytes")
    return bytes(bundle)


def verify_trail(
    bundle: bytes,
    *,
    log_key: VerifierKey | None,
    signing_roots: Sequence[x509.Certificate] = (),
    case: str | None = None,
    at: dt.datetime | None = None,
    witnesses: Sequence[WitnessKey] = (),
    quorum: int = 0,
) -> VerifiedTrail:
    """Return what `bundle` proves under the trusted `log_key`, or else under a key that `signing_roots` certify.

    With roots alone the log's key is taken from the bundle's certificates, which must be of the platform's log and
    valid at `at`, by default now; the log's name is then the one the bundle states, since one signing root stands for
    one platform and a platform has one log. At least `quorum` of `witnesses` must
    have cosigned. Raises TrailError, also when there is nothing to trust.
    """
    fields = _fields(bundle)
    if log_key is None:
        if not signing_roots:
            raise TrailError("neither the log's key nor a signing root is known, so nothing can be verified")
        log_key = trail.log_key_from_certificates(
            fields,
            signing_roots,
            origin=str(fields.get("log_key")).partition("+")[0],
            signer=trail.LOG_SIGNER,
            at=at or dt.datetime.now(dt.UTC),
        )
    return trail.verify_trail_bundle(fields, log_key, case=case, witnesses=witnesses, quorum=quorum)


def _fields(bundle: bytes) -> dict[str, Json]:
    if len(bundle) > trail.MAX_BUNDLE_BYTES:
        raise TrailError(f"a trail is at most {trail.MAX_BUNDLE_BYTES} bytes")
    try:
        fields = canonical_json.loads(bundle)
    except canonical_json.CanonicalJsonError as error:
        raise TrailError(f"not a trail: {error}") from error
    if not isinstance(fields, dict):
        raise TrailError("not a trail: not a JSON object")
    return fields
