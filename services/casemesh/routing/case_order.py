"""Whether a step may still be taken in a case, and where it stands in the order of nodes."""

from __future__ import annotations

from collections.abc import Sequence

from casemesh.core.names import NODE
from casemesh.errors import FailedPrecondition
from casemesh.routing.case_store import CaseStore, Standing
from casemesh.routing.findings import Finding, found
from casemesh.routing.person_store import PersonStore
from casemesh.routing.procedure import Procedure
from casemesh.routing.v1 import case_pb2


class CaseOrder:
    """Examines steps about to be taken."""

    def __init__(self, procedure: Procedure, cases: CaseStore, persons: PersonStore) -> None:
        self._procedure = procedure
        self._cases = cases
        self._persons = persons

    async def examine(
        self, case: str, node: str, parties: Sequence[str], *, continues: bool
    ) -> tuple[list[case_pb2.Party], list[Finding]]:
        """Return those of `parties` that are of the case, and what is found.

        A case that has ended, or whose place another took, blocks what opens a chain, and so does a party whose place
        another took; what answers or supplements goes on whatever came meanwhile. A node out of its order is a warning.
        """
        standing = await self._cases.standing(case, parties)
        known = {party.name for party in standing.parties}
        findings = [
            found("PARTY_NOT_OF_CASE", f"parties[{index}]", {"party": name})
            for index, name in enumerate(parties)
            if name not in known
        ]
        if not continues:
            findings += self._ended(node, parties, standing)
            persons = await self._persons.with_steps(case, standing.persons, self._procedure.preceding(node))
            for person in persons:
                place = f"parties[{list(parties).index(person.party)}]"
                findings += [
                    Finding(finding.reason, place, finding.zh, finding.en)
                    for finding in self._procedure.findings(node, person)
                ]
        return standing.parties, findings

    def _ended(self, node: str, parties: Sequence[str], standing: Standing) -> list[Finding]:
        findings = []
        if standing.superseded_by:
            metadata = {"successor": standing.superseded_by}
            findings.append(found("CASE_SUPERSEDED", "case", metadata, successor=standing.superseded_by))
        if standing.closed and not self._procedure.admitted_after_end(node):
            findings.append(found("CASE_CLOSED", "case", {"node": NODE.format(node=node)}, node=node))
        for party in standing.parties:
            if party.successors:
                place, metadata = f"parties[{list(parties).index(party.name)}]", superseded_metadata(party)
                findings.append(found("PARTY_SUPERSEDED", place, metadata, successor=metadata["successor"]))
        return findings


def superseded_metadata(party: case_pb2.Party) -> dict[str, str]:
    """Return what goes with PARTY_SUPERSEDED."""
    return {"party": party.name, "successor": ",".join(party.successors)}


def require_standing(case: str, standing: Standing) -> None:
    """Check that nothing took the place of a case or of its parties in hand.

    Raises FailedPrecondition (CASE_SUPERSEDED, PARTY_SUPERSEDED).
    """
    if standing.superseded_by:
        raise FailedPrecondition(
            "CASE_SUPERSEDED",
            f"{standing.superseded_by} took the place of {case}; go on there",
            {"successor": standing.superseded_by},
        )
    for party in standing.parties:
        if party.successors:
            raise FailedPrecondition(
                "PARTY_SUPERSEDED", "another party took the place of this one; name that", superseded_metadata(party)
            )
