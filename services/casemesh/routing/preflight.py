"""What must hold before an exchange is committed, and what its sender should know: one code path for both.

`examine` finds everything at once, for PreflightExchange. `check` is the same with an early end, for a submission: what
can be said without asking anybody is said first. Other services are asked while no connection is held.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.core.clock import Clock
from casemesh.core.names import NODE
from casemesh.data import CollaborationNode
from casemesh.dossier.v1 import dossier_catalogue_service_pb2, dossier_read_service_pb2
from casemesh.errors import InvalidArgument, NotFound, PermissionDenied
from casemesh.routing.agencies import AgencyDirectory
from casemesh.routing.case_order import CaseOrder
from casemesh.routing.case_store import CHINA
from casemesh.routing.coding import Coding
from casemesh.routing.dependencies import TIMEOUT_SECONDS, asking
from casemesh.routing.findings import Finding, found, of_error, require_none
from casemesh.routing.nodes import NodeCatalogue, dossier_required
from casemesh.routing.organ_tables import OrganTables
from casemesh.routing.payload import charges_of, coded_fields, structure_findings, to_date
from casemesh.routing.payload_rules import payload_findings
from casemesh.routing.single_tracks import SingleTracks
from casemesh.routing.v1 import case_pb2, exchange_pb2
from casemesh.runtime.access import bearer
from casemesh.runtime.call import Caller
from casemesh.translation.v1 import translation_pb2

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceAsyncStub
    from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceAsyncStub

# Whom a detention house holds for which organ is told in writing (看守所条例 15).
_WRITTEN_STAGE = "换押"
_SIDES = {"sender": {"side_zh": "发送方", "side_en": "from"}, "recipient": {"side_zh": "接收方", "side_en": "to"}}


@dataclass(frozen=True)
class Draft:
    """An exchange as asked for. `catalogue` is the one it is checked under."""

    catalogue: NodeCatalogue
    case: str
    node: CollaborationNode
    sender: str
    recipient: str
    parties: Sequence[str]
    fields: Sequence[exchange_pb2.PayloadField]
    dossier_version: str
    paper: exchange_pb2.PaperRecord | None = None
    answer_by: Timestamp | None = None
    continues: bool = False
    """It answers or supplements an exchange, which what came meanwhile does not hold up."""


@dataclass
class Examination:
    """What was found, in the order in which a submission would tell it, and what becomes of the codes."""

    findings: list[Finding] = field(default_factory=list)
    translations: list[exchange_pb2.FieldTranslation] = field(default_factory=list)
    dossier_root: bytes = b""
    """The Merkle root of the dossier version; empty where none goes along."""


class Preflight:
    """Examines drafts and translates their codes."""

    def __init__(
        self,
        clock: Clock,
        tracks: SingleTracks,
        agencies: AgencyDirectory,
        order: CaseOrder,
        coding: Coding,
        tables: OrganTables,
        dossiers: DossierReadServiceAsyncStub,
        completeness: DossierCatalogueServiceAsyncStub,
    ) -> None:
        self._clock = clock
        self._tracks = tracks
        self._agencies = agencies
        self._order = order
        self._coding = coding
        self._tables = tables
        self._dossiers = dossiers
        self._completeness = completeness

    async def check(self, draft: Draft, caller: Caller) -> Examination:
        """Check the draft and return what becomes of its codes for the recipient; nothing found blocks.

        Raises what the first blocking finding says: InvalidArgument (FIELD_INVALID, PAYLOAD_INVALID,
        PARTY_NOT_OF_CASE, PAYLOAD_CODE_UNKNOWN); FailedPrecondition (NODE_ORGAN_MISMATCH, DOSSIER_REQUIRED,
        VERSION_INTERNAL, DOSSIER_INCOMPLETE); NotFound for a dossier version the sender may not read. Unavailable.
        """
        require_none(self._local(draft))
        examination = Examination()
        await self._ask(draft, caller, examination)
        require_none(examination.findings)
        return examination

    async def examine(self, draft: Draft, caller: Caller) -> Examination:
        """Return everything that is at fault or to be looked at.

        Raises Unavailable when a service that must be asked does not answer: a preflight that saw half would mislead.
        """
        examination = Examination(findings=self._local(draft))
        await self._ask(draft, caller, examination)
        return examination

    def _local(self, draft: Draft) -> list[Finding]:
        findings = []
        if draft.sender == draft.recipient:
            findings.append(found("FIELD_INVALID", "recipient", rule="must be another agency than the sender"))
        asked = None if draft.continues else draft.catalogue.answers_only(draft.node)
        if asked is not None:
            metadata = {"node": NODE.format(node=draft.node.code), "answers_node": NODE.format(node=asked.code)}
            findings.append(found("NODE_ANSWERS_ONLY", "node", metadata, node=draft.node.code, answers_node=asked.code))
        findings += structure_findings(draft.fields)
        findings += payload_findings(draft.catalogue.schema(draft.node), draft.fields, draft.parties, self._tables)
        if dossier_required(draft.node) and not draft.dossier_version:
            name = NODE.format(node=draft.node.code)
            findings.append(found("DOSSIER_REQUIRED", "dossier_version", {"node": name}, node=draft.node.code))
        findings += self._time_findings(draft)
        findings += self._track_findings(draft)
        if len(set(draft.parties)) != len(draft.parties):
            findings.append(found("FIELD_INVALID", "parties", rule="must not name a party twice"))
        return findings

    def _track_findings(self, draft: Draft) -> Iterator[Finding]:
        agreed = self._tracks.agreement(draft.node.code, draft.sender, draft.recipient)
        if agreed and draft.paper is not None:
            yield found("PAPER_AGAINST_SINGLE_TRACK", "paper", node=draft.node.code)
        elif not agreed and draft.paper is None and draft.node.stage == _WRITTEN_STAGE:
            yield found("PAPER_REQUIRED", "node", node=draft.node.code)

    def _time_findings(self, draft: Draft) -> Iterator[Finding]:
        now = self._clock.now()
        if draft.answer_by is not None and draft.answer_by.ToDatetime(tzinfo=UTC) <= now:
            yield found("FIELD_INVALID", "answer_by", rule="must lie ahead")
        if draft.paper is not None:
            try:
                ahead = to_date(draft.paper.handed_over_on) > now.astimezone(CHINA).date()
            except ValueError:
                yield found("FIELD_INVALID", "paper.handed_over_on", rule="must be a date of the calendar")
            else:
                if ahead:
                    yield found("FIELD_INVALID", "paper.handed_over_on", rule="must not lie ahead")

    async def _ask(self, draft: Draft, caller: Caller, examination: Examination) -> None:
        """Ask what does not depend on each other at once; findings come in this order whoever answers first."""
        outcomes: Sequence[Any] = await asyncio.gather(
            self._recipient(draft),
            self._dossier(draft, caller, examination),
            self._completeness_of(draft, caller),
            self._parties(draft),
            return_exceptions=True,
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        (organ, about_organs), about_dossier, about_documents, (parties, about_parties) = outcomes
        examination.findings += [*about_organs, *about_dossier, *about_documents, *about_parties]
        if organ:
            await self._codes(draft, parties, organ, examination)

    async def _recipient(self, draft: Draft) -> tuple[str, list[Finding]]:
        try:
            sender_organ, recipient_organ = await asyncio.gather(
                self._agencies.organ_of(draft.sender, field="sender"),
                self._agencies.organ_of(draft.recipient, field="recipient"),
            )
        except InvalidArgument as error:
            return "", [of_error(error, "recipient", rule="must be a registered agency")]
        findings = []
        for side, organ, role in (
            ("sender", sender_organ, draft.node.from_organ),
            ("recipient", recipient_organ, draft.node.to_organ),
        ):
            if not draft.catalogue.plays(organ, role):
                findings.append(
                    found(
                        "NODE_ORGAN_MISMATCH",
                        side,
                        {"node": NODE.format(node=draft.node.code), "organ": organ},
                        node=draft.node.code,
                        role=role,
                        organ=organ,
                        **_SIDES[side],
                    )
                )
        return recipient_organ, findings

    async def _dossier(self, draft: Draft, caller: Caller, examination: Examination) -> list[Finding]:
        if not draft.dossier_version:
            return []
        try:
            with asking("dossier", NotFound, PermissionDenied):
                answer = await self._dossiers.GetDossierVersion(
                    dossier_read_service_pb2.GetDossierVersionRequest(name=draft.dossier_version),
                    metadata=bearer(caller),
                    timeout=TIMEOUT_SECONDS,
                )
        except (NotFound, PermissionDenied) as error:
            return [of_error(error, "dossier_version")]
        if answer.version.case != draft.case:
            return [found("FIELD_INVALID", "dossier_version", rule="must be of the case of the exchange")]
        if answer.version.internal:
            return [found("VERSION_INTERNAL", "dossier_version")]
        examination.dossier_root = answer.version.root_hash
        return []

    async def _completeness_of(self, draft: Draft, caller: Caller) -> list[Finding]:
        if not draft.dossier_version:
            return []
        try:
            with asking("dossier", NotFound, PermissionDenied):
                answer = await self._completeness.CheckCompleteness(
                    dossier_catalogue_service_pb2.CheckCompletenessRequest(
                        parent=draft.dossier_version, node=NODE.format(node=draft.node.code), parties=draft.parties
                    ),
                    metadata=bearer(caller),
                    timeout=TIMEOUT_SECONDS,
                )
        except (NotFound, PermissionDenied) as error:
            return [of_error(error, "dossier_version")]
        return [_document_finding(draft.node, finding, answer.blocking_count) for finding in answer.findings]

    async def _parties(self, draft: Draft) -> tuple[list[case_pb2.Party], list[Finding]]:
        return await self._order.examine(draft.case, draft.node.code, draft.parties, continues=draft.continues)

    async def _codes(
        self, draft: Draft, parties: Sequence[case_pb2.Party], organ: str, examination: Examination
    ) -> None:
        places = [*coded_fields(draft.fields), *charges_of(parties)]
        try:
            examination.translations = await self._coding.for_reader(places, organ)
        except InvalidArgument as error:
            examination.findings += [of_error(error, violation.field) for violation in error.violations]
            return
        examination.findings += [
            found("CODE_UNMAPPED", entry.field)
            for entry in examination.translations
            if entry.translation.outcome == translation_pb2.TRANSLATION_OUTCOME_UNMAPPED
        ]


def _document_finding(
    node: CollaborationNode, finding: dossier_catalogue_service_pb2.Finding, blocking_count: int
) -> Finding:
    kind = dossier_catalogue_service_pb2.FindingKind.Name(finding.kind)
    metadata = {
        "finding": kind,
        "document": finding.document,
        "type_code": finding.type_code,
        "blocking_count": str(blocking_count),
    }
    told = finding.type_name or finding.detail
    return found(
        "DOSSIER_INCOMPLETE" if finding.blocking else "DOSSIER_DOUBTFUL",
        "dossier_version",
        metadata,
        node=node.code,
        finding_zh=f"{told} {finding.remedy}".strip(),
        finding_en=f"{kind.removeprefix('FINDING_KIND_').lower().replace('_', ' ')}: {told}",
    )
