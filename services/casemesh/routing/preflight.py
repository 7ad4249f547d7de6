"""What must hold before an exchange is committed, asked of the other services while no connection is held."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from casemesh.core.names import NODE
from casemesh.data import CollaborationNode
from casemesh.dossier.v1 import dossier_catalogue_service_pb2, dossier_read_service_pb2
from casemesh.errors import FailedPrecondition, FieldViolation, InvalidArgument, NotFound, PermissionDenied
from casemesh.routing.agencies import AgencyDirectory
from casemesh.routing.case_store import CaseStore
from casemesh.routing.coding import Coding
from casemesh.routing.dependencies import TIMEOUT_SECONDS, asking
from casemesh.routing.nodes import NodeCatalogue, dossier_required
from casemesh.routing.payload import charges_of, coded_fields, require_payload
from casemesh.routing.v1 import case_pb2, exchange_pb2
from casemesh.runtime.access import bearer
from casemesh.runtime.call import Caller

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_catalogue_service_pb2_grpc import DossierCatalogueServiceAsyncStub
    from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceAsyncStub


@dataclass(frozen=True)
class Draft:
    """An exchange as asked for."""

    case: str
    node: CollaborationNode
    sender: str
    recipient: str
    parties: Sequence[str]
    fields: Sequence[exchange_pb2.PayloadField]
    dossier_version: str


class Preflight:
    """Checks drafts and translates their codes."""

    def __init__(
        self,
        catalogue: NodeCatalogue,
        agencies: AgencyDirectory,
        cases: CaseStore,
        coding: Coding,
        dossiers: DossierReadServiceAsyncStub,
        completeness: DossierCatalogueServiceAsyncStub,
    ) -> None:
        self._catalogue = catalogue
        self._agencies = agencies
        self._cases = cases
        self._coding = coding
        self._dossiers = dossiers
        self._completeness = completeness

    async def check(self, draft: Draft, caller: Caller) -> list[exchange_pb2.FieldTranslation]:
        """Check the draft and return what becomes of its codes for the recipient.

        What does not depend on each other is asked at once; of several faults the first of this list is told.

        Raises InvalidArgument (FIELD_INVALID, PARTY_NOT_OF_CASE, PAYLOAD_CODE_UNKNOWN); FailedPrecondition
        (NODE_ORGAN_MISMATCH, DOSSIER_REQUIRED, VERSION_INTERNAL, DOSSIER_INCOMPLETE); NotFound for a dossier
        version the sender may not read; Unavailable.
        """
        if draft.sender == draft.recipient:
            raise _invalid("recipient", "must be another agency than the sender")
        require_payload(draft.fields)
        if dossier_required(draft.node) and not draft.dossier_version:
            raise FailedPrecondition(
                "DOSSIER_REQUIRED",
                f"{draft.node.code} asks for a dossier; finalise one and name its version in dossier_version",
                {"node": NODE.format(node=draft.node.code)},
            )
        recipient_organ, _, _, parties = await _all(
            self._fitting_recipient(draft),
            self._readable_dossier(draft, caller),
            self._complete_dossier(draft, caller),
            self._parties(draft),
        )
        places = [*coded_fields(draft.fields), *charges_of(parties)]
        return await self._coding.for_reader(places, recipient_organ)

    async def _fitting_recipient(self, draft: Draft) -> str:
        sender_organ, recipient_organ = await _all(
            self._agencies.organ_of(draft.sender, field="sender"),
            self._agencies.organ_of(draft.recipient, field="recipient"),
        )
        self._catalogue.require_organs(draft.node, sender_organ, recipient_organ)
        return str(recipient_organ)

    async def _readable_dossier(self, draft: Draft, caller: Caller) -> None:
        if not draft.dossier_version:
            return
        with asking("dossier", NotFound, PermissionDenied):
            answer = await self._dossiers.GetDossierVersion(
                dossier_read_service_pb2.GetDossierVersionRequest(name=draft.dossier_version),
                metadata=bearer(caller),
                timeout=TIMEOUT_SECONDS,
            )
        if answer.version.case != draft.case:
            raise _invalid("dossier_version", "must be of the case of the exchange")
        if answer.version.internal:
            raise FailedPrecondition("VERSION_INTERNAL", "the version is internal to its agency; finalise another one")

    async def _complete_dossier(self, draft: Draft, caller: Caller) -> None:
        if not draft.dossier_version:
            return
        with asking("dossier", NotFound, PermissionDenied):
            answer = await self._completeness.CheckCompleteness(
                dossier_catalogue_service_pb2.CheckCompletenessRequest(
                    parent=draft.dossier_version, node=NODE.format(node=draft.node.code), parties=draft.parties
                ),
                metadata=bearer(caller),
                timeout=TIMEOUT_SECONDS,
            )
        if answer.blocking_count:
            # Blocking ones come first.
            first = answer.findings[0]
            raise FailedPrecondition(
                "DOSSIER_INCOMPLETE",
                f"the dossier cannot leave with {draft.node.code} as it is; CheckCompleteness shows what to mend",
                {
                    "finding": dossier_catalogue_service_pb2.FindingKind.Name(first.kind),
                    "document": first.document,
                    "type_code": first.type_code,
                    "blocking_count": answer.blocking_count,
                },
            )

    async def _parties(self, draft: Draft) -> list[case_pb2.Party]:
        if len(set(draft.parties)) != len(draft.parties):
            raise _invalid("parties", "must not name a party twice")
        parties = await self._cases.parties(draft.case, draft.parties)
        found = {party.name for party in parties}
        for index, name in enumerate(draft.parties):
            if name not in found:
                raise InvalidArgument(
                    "PARTY_NOT_OF_CASE",
                    f"parties[{index}] is not of the case; use the names that GetCase shows",
                    {"party": name},
                    violations=[FieldViolation(f"parties[{index}]", "must be a party of the case")],
                )
        return parties


async def _all(*questions: Awaitable[Any]) -> list[Any]:
    """Return all answers; when some fail, the failure of the first of them, after all have ended."""
    outcomes = await asyncio.gather(*questions, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes


def _invalid(field: str, rule: str) -> InvalidArgument:
    return InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)])
