"""Fixing a dossier as a version: what the sender states must hold; then manifest, version and event at once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from casemesh.client import canonical_json, manifest, root_statement, statements
from casemesh.client.manifest import Manifest, ManifestDocument, VersionFacts
from casemesh.client.statements import Envelope, SigningKey
from casemesh.client.version_lineage import Lineage, Parent, changes_between
from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import DOSSIER, DOSSIER_VERSION
from casemesh.dossier.completeness.checking import Checking
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
    checking: Checking
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
            if not request.internal:
                await self.checking.require_transferable(dossier_id, content.revision)
            version, envelope = await asyncio.to_thread(
                self._sign, request, call, dossier_id, content, documents, self.clock.now()
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
                    "revision": str(version.revision),
                    "internal": "true" if version.internal else "false",
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
        content: DraftContent,
        documents: Sequence[ManifestDocument],
        now: datetime,
    ) -> tuple[StoredVersion, bytes]:
        assert call.case is not None
        version_id = new_id()
        version_name = DOSSIER_VERSION.format(dossier=dossier_id, version=version_id)
        facts = VersionFacts(
            version_name, request.dossier, call.case, call.require_caller().agency, manifest.stamp(now)
        )  # fmt: skip
        fixed = Manifest(facts, documents, _lineage(dossier_id, content, documents, request.internal))
        root = fixed.root_hash
        if request.root_hash and request.root_hash != root:
            raise FailedPrecondition(
                "DOSSIER_ROOT_MISMATCH",
                "root_hash is not the root over the documents and pages held",
                {"field": "root_hash"},
            )
        payload = manifest.payload(facts, documents, fixed.lineage)
        digest = hashlib.sha256(canonical_json.dumps(payload)).digest()
        stated = root_statement.payload(root_statement.of_manifest(fixed, digest))
        version = StoredVersion(
            version_id, dossier_id, facts.case, facts.agency, len(documents), fixed.page_count, fixed.size_bytes, root,
            now, content.revision, content.parent.version_id if content.parent else None, request.internal,
            _encoded(statements.sign(stated, root_statement.PAYLOAD_TYPE, self.signing)),
        )  # fmt: skip
        return version, _encoded(statements.sign(payload, manifest.PAYLOAD_TYPE, self.signing))


def _lineage(
    dossier_id: str, content: DraftContent, documents: Sequence[ManifestDocument], internal: bool
) -> Lineage:  # fmt: skip
    if content.parent is None:
        return Lineage(content.revision, internal)
    parent = DOSSIER_VERSION.format(dossier=dossier_id, version=content.parent.version_id)
    return Lineage(
        content.revision, internal, Parent(parent, content.parent.root_hash),
        changes_between(content.parent.documents, documents),
    )  # fmt: skip


def _encoded(envelope: Envelope) -> bytes:
    return json.dumps(envelope, separators=(",", ":")).encode()


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
