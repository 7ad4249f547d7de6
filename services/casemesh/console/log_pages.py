"""The audit log: its state, and the proofs that the browser checks with code of its own.

This process hands on what the platform says and checks nothing here; that it could lie as well is why the browser can
be given the log's key by hand.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from casemesh.audit.v1 import audit_query_service_pb2
from casemesh.client import trail
from casemesh.client.notes import NoteError, VerifierKey, open_checkpoint
from casemesh.console.case_pages import case_name
from casemesh.console.page import Page, gather_few
from casemesh.console.trail_pages import purpose_for
from casemesh.core import strict_base64
from casemesh.supervision.v1 import supervision_service_pb2

MAX_PROOFS = 100
_NUMBER = re.compile("[0-9]{1,18}")


@dataclass(frozen=True)
class TrustedKey:
    """A key of the log and why to trust it: `profile` (pinned by the officer), `roots` (certified by the signing roots
    of the profile), or `platform` (only stated by the platform, so nothing is proved against it)."""

    key: str
    source: str


async def log_page(page: Page) -> Response:
    """Show the latest checkpoint, and how far supervision has followed the log."""
    status = supervision_service_pb2.GetSupervisionStatusRequest()
    answer, following = await asyncio.gather(
        _checkpoint(page), page.part(page.session.supervision.GetSupervisionStatus(status))
    )
    shown: dict[str, Any] = {"note": answer.note, "key": _key(page, answer), "following": following}
    try:
        head = open_checkpoint(answer.note, VerifierKey.parse(answer.verifier_key))
    except NoteError as error:
        return page.render("log.html", 502, head=None, wrong=error, **shown)
    return page.render("log.html", head=head, **shown)


async def checkpoint(page: Page) -> Response:
    """Return the latest checkpoint and the key to check it with, as JSON."""
    answer = await _checkpoint(page)
    key = _key(page, answer)
    return JSONResponse({"note": answer.note, "key": key.key, "source": key.source})


async def inclusion(page: Page) -> Response:
    """Return inclusion proofs of up to 100 entries (`index`, several times) against one `size`, as JSON."""
    query = page.request.query_params
    indexes, size = _numbers(query.getlist("index")), _numbers([query.get("size", "")])
    if not 1 <= len(indexes) <= MAX_PROOFS or not size:
        return JSONResponse({"error": "malformed"}, 400)
    calls = [
        page.session.audit.GetInclusionProof(
            audit_query_service_pb2.GetInclusionProofRequest(log_index=index, tree_size=size[0])
        )
        for index in indexes
    ]
    proofs = await gather_few(calls)
    return JSONResponse(
        {"proofs": [{"hashes": _hashes(proof), "leaf": strict_base64.encode(proof.leaf_hash)} for proof in proofs]}
    )


async def consistency(page: Page) -> Response:
    """Return the proof that the log of size `second` continues that of size `first`, as JSON."""
    query = page.request.query_params
    sizes = _numbers([query.get("first", ""), query.get("second", "")])
    if not sizes:
        return JSONResponse({"error": "malformed"}, 400)
    request = audit_query_service_pb2.GetConsistencyProofRequest(first_size=sizes[0], second_size=sizes[1])
    return JSONResponse({"proof": _hashes(await page.session.audit.GetConsistencyProof(request))})


async def certified_key(page: Page) -> Response:
    """Return the log's key as the signing roots of the profile certify it, as JSON; `null` where none are known.

    The certificates come with an exported trail, so the export stands in the case's trail. Raises TrailError when they
    do not hold.
    """
    name = case_name(page)
    purpose, roots = purpose_for(page, name), page.desk.profile.trusted_roots()
    if purpose is None or not roots or page.desk.profile.log_key:
        return JSONResponse(None)
    bundle = bytearray()
    request = audit_query_service_pb2.ExportTrailRequest(case=name)
    async for piece in page.session.audit.ExportTrail(request, metadata=purpose.metadata()):
        bundle += piece.data
        if len(bundle) > trail.MAX_BUNDLE_BYTES:
            raise trail.TrailError(f"a trail is at most {trail.MAX_BUNDLE_BYTES} bytes")
    origin = str(json.loads(bundle)["log_key"]).partition("+")[0]
    key = await asyncio.to_thread(
        trail.log_key_from_certificates, bytes(bundle), roots, origin=origin, signer=trail.LOG_SIGNER, at=page.now
    )
    return JSONResponse({"key": str(key), "source": "roots"})


async def _checkpoint(page: Page) -> audit_query_service_pb2.GetCheckpointResponse:
    return await page.session.audit.GetCheckpoint(audit_query_service_pb2.GetCheckpointRequest())


def _key(page: Page, answer: audit_query_service_pb2.GetCheckpointResponse) -> TrustedKey:
    pinned = page.desk.profile.log_key
    return TrustedKey(pinned, "profile") if pinned else TrustedKey(answer.verifier_key, "platform")


def _hashes(proof: Any) -> list[str]:
    return [strict_base64.encode(value) for value in proof.hashes]


def _numbers(texts: list[str]) -> list[int]:
    """The numbers, or none when one of them is no number that the log knows."""
    return [int(text) for text in texts] if all(_NUMBER.fullmatch(text) for text in texts) else []
