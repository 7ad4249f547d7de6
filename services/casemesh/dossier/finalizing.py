"""Fixing a dossier as a version: what the sender states must hold; then manifest, version and event at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.client import manifest, statements
from casemesh.client.manifest import ManifestDocument, VersionFacts
from casemesh.client.statements import SigningKey
from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import DOSSIER
from casemesh.dossier.policy import VERSION_FINALIZED
from casemesh.dossier.resources import version_message
from casemesh.dossier.store import DossierStore, DraftContent, StoredVersion, manifest_documents
from casemesh.dossier.uploading.session import whole_documents
from casemesh.dossier.v1 import dossier_service_pb2 as pb
from casemesh.errors import CaseMeshError, Conflict, FailedPrecondition
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember


@dataclass(frozen=True)
class Finalizing:
    """Carries out FinalizeDossier."""

    database: Database
    store: DossierStore
    signing: SigningKey
    clock: Clock

    async def finalize(self, request: pb.FinalizeDossierRequest, call: Call) -> pb.FinalizeDossierResponse:
        """Return the version, the same one for the same request id.

        The manifest is made and signed before the transaction that needs it, since that takes a while for thousands
        of documents; the transaction then checks that nothing has changed meanwhile.
        """
        dossier_id = DOSSIER.parse(request.dossier)["dossier"]
        caller = call.require_caller()
        content = await self.store.draft_content(dossier_id, caller.agency)
        refusal, version, envelope = None, None, b""
        try:
            documents = _checked(content, request)
            version, envelope = await asyncio.to_thread(
                self._sign, request, call, dossier_id, documents, self.clock.now()
            )  # fmt: skip
        except CaseMeshError as error:
            # Not raised yet: this may be the repeat of a request that has had its effect.
            refusal = error
        async with self.database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb.FinalizeDossierResponse)
            if stored is not None:
                return stored
            if refusal is not None:
                raise refusal
            assert version is not None
            if not await self.store.finalize(transaction, content, version, envelope):
                raise Conflict("UPLOAD_LEASE_LOST", "the dossier changed while it was finalised; try again")
            response = pb.FinalizeDossierResponse(version=version_message(version))
            event = event_of(
                call, self.clock, VERSION_FINALIZED, version.name, case=version.case_name,
                details={
                    "document_count": str(version.document_count),
                    "page_count": str(version.page_count),
                    "size_bytes": str(version.size_bytes),
                    "root_hash": version.root_hash.hex(),
                },
            )  # fmt: skip
            await record(transaction, call, event)
            await remember(transaction, call, request, response)
        return response

    def _sign(
        self,
        request: pb.FinalizeDossierRequest,
        call: Call,
        dossier_id: str,
        documents: Sequence[ManifestDocument],
        now: datetime,
    ) -> tuple[StoredVersion, bytes]:
        root = manifest.root_hash(documents)
        if request.root_hash and request.root_hash != root:
            raise FailedPrecondition(
                "DOSSIER_ROOT_MISMATCH",
                "root_hash is not the root over the documents and pages held",
                {"field": "root_hash"},
            )
        assert call.case is not None
        version = StoredVersion(
            new_id(), dossier_id, call.case, call.require_caller().agency, len(documents),
            sum(document.page_count for document in documents), sum(document.size_bytes for document in documents),
            root, now,
        )  # fmt: skip
        stamp = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        facts = VersionFacts(version.name, request.dossier, version.case_name, version.agency, stamp)
        payload = manifest.payload(facts, documents)
        envelope = statements.sign(payload, manifest.PAYLOAD_TYPE, self.signing)
        return version, json.dumps(envelope, separators=(",", ":")).encode()


def _checked(content: DraftContent, request: pb.FinalizeDossierRequest) -> list[ManifestDocument]:
    """The documents, if they are whole and what the sender states of them holds."""
    if content.state != "draft":
        raise FailedPrecondition("DOSSIER_FINAL", "the dossier is final already")
    documents = manifest_documents(whole_documents(content.documents, request.document_count))
    pages = sum(document.page_count for document in documents)
    if pages != request.page_count:
        raise FailedPrecondition(
            "PAGE_COUNT_MISMATCH",
            "page_count is not the sum of the documents' pages",
            {"expected_count": request.page_count, "actual_count": pages},
        )
    size = sum(document.size_bytes for document in documents)
    if size != request.size_bytes:
        raise FailedPrecondition(
            "DOSSIER_SIZE_MISMATCH",
            "size_bytes is not the sum of the documents' sizes",
            {"expected_bytes": request.size_bytes, "actual_bytes": size},
        )
    if not content.upload_finished:
        raise FailedPrecondition("UPLOAD_NOT_FINISHED", "the upload has no explicit finish; send `upload_finish`")
    return documents
