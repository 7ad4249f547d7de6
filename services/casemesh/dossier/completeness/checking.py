"""CheckCompleteness, and the refusal of what never crosses: what is stored, through the rules, to what is answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from casemesh.core.names import NODE
from casemesh.dossier.completeness.check import Finding, check
from casemesh.dossier.completeness.rules import Rules
from casemesh.dossier.completeness.store import CompletenessStore
from casemesh.dossier.never_crosses import require_transferable
from casemesh.dossier.recognition.worker import Recognizing
from casemesh.dossier.revisions import revision_of
from casemesh.dossier.store import DossierStore, StoredVersion
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb
from casemesh.errors import FailedPrecondition
from casemesh.runtime.call import Call

_MOST_FINDINGS: Final = 1000


@dataclass(frozen=True)
class Checking:
    """Checks dossiers before they leave. Changes nothing but that documents without a type get theirs by name."""

    rules: Rules
    dossiers: DossierStore
    documents: CompletenessStore
    recognizing: Recognizing

    async def check(self, request: pb.CheckCompletenessRequest, call: Call) -> pb.CheckCompletenessResponse:
        """Answer CheckCompleteness. Raises NotFound, also NODE_UNKNOWN."""
        rules = self.rules.of(NODE.parse(request.node)["node"] if request.node else "")
        dossier_id, revision = await revision_of(self.dossiers, request.parent, call.require_caller().agency)
        await self.recognizing.name_documents(dossier_id)
        entries = await self.documents.entries(dossier_id, revision)
        findings = await asyncio.to_thread(check, entries, rules, tuple(request.parties))
        return pb.CheckCompletenessResponse(
            findings=[_message(finding) for finding in findings[:_MOST_FINDINGS]],
            finding_count=len(findings),
            blocking_count=sum(finding.blocking for finding in findings),
            required_count=sum(rule.count for rule in rules.required),
        )

    async def require_transferable(self, dossier_id: str, revision: int) -> None:
        """Do nothing where every document of a revision may leave.

        Costs as much as volumes and suspects are many; documents that have no type yet get theirs by name first. Raises
        FailedPrecondition (DOCUMENT_NEVER_CROSSES).
        """
        await self.recognizing.name_if_due(dossier_id)
        require_transferable(await self.documents.suspects(dossier_id, revision))

    async def refusal_of(self, version: StoredVersion) -> FailedPrecondition | None:
        """Return why a version may not be handed to another agency (VERSION_INTERNAL, DOCUMENT_NEVER_CROSSES), or None.

        Looks at types as they are now: an officer may have corrected one since the version was finalised.
        """
        if version.internal:
            return FailedPrecondition("VERSION_INTERNAL", "the version is internal to its agency; finalise another one")
        try:
            await self.require_transferable(version.dossier_id, version.revision)
        except FailedPrecondition as refusal:
            return refusal
        return None


def _message(finding: Finding) -> pb.Finding:
    return pb.Finding(
        kind=f"FINDING_KIND_{finding.kind}",
        blocking=finding.blocking,
        document=finding.document,
        type_code=finding.type_code,
        type_name=finding.type_name,
        detail=finding.detail,
        remedy=finding.remedy,
        party=finding.party,
    )
