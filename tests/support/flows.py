"""Flows of the field as tables: who sends what to whom, and where the person stands then.

`casemesh.cli.flow` says how to read one and runs it; the demo runs its own table by the same code.
"""

from __future__ import annotations

from dataclasses import dataclass

from casemesh.cli.demo_agencies import AgencyPlan
from casemesh.cli.demo_loop import ORGANS as LOOP_ORGANS
from casemesh.cli.flow import FlowStep, Position, flow
from casemesh.core.ids import new_id
from casemesh.routing.v1 import case_pb2, case_service_pb2

# Invented agencies, one of each kind that takes part in a flow.
ORGANS = {
    **LOOP_ORGANS,
    "SJ": AgencyPlan("beihu-correction", "an invented community correction agency", "SJ", ("an officer",)),
    "CWZX": AgencyPlan("beihu-property", "an invented property centre", "CWZX", ("an officer",)),
    "JDS": AgencyPlan("beihu-rehabilitation", "an invented rehabilitation centre", "JDS", ("an officer",)),
    "XZ": AgencyPlan("beihu-market", "an invented market regulator", "XZ", ("an officer",)),
    "YH": AgencyPlan("beihu-bank", "an invented bank", "YH", ("an officer",)),
    "HJ_POP": AgencyPlan("beihu-households", "an invented household registry", "HJ_POP", ("an officer",)),
    "JLS": AgencyPlan("beihu-lockup", "an invented lock-up", "JLS", ("an officer",)),
}
_ARRESTED_AT_TRIAL = Position(stage="FIRST_INSTANCE", measure="ARRESTED")
_ARRESTED_AT_PROSECUTION = Position(stage="PROSECUTION", measure="ARRESTED")
_HEADING = "from | node | to | how | payload | stage | measure | held by | held for"


@dataclass(frozen=True)
class Flow:
    """A flow from where its person stands at first; the organ of the first step registers the case."""

    name: str
    start: Position
    steps: tuple[FlowStep, ...]

    def registration(self) -> case_service_pb2.RegisterCaseRequest:
        """Return the case at its beginning."""
        party = case_service_pb2.PartyDraft(kind=case_pb2.PARTY_KIND_PERSON, display_name="an invented person")
        if self.start.stage:
            party.stage = case_pb2.ProcedureStage.Value(f"PROCEDURE_STAGE_{self.start.stage}")
        if self.start.measure:
            party.custody.state = case_pb2.CustodyState.Value(f"CUSTODY_STATE_{self.start.measure}")
            party.custody.place = "an invented place"
        return case_service_pb2.RegisterCaseRequest(request_id=new_id(), title="an invented case", parties=[party])


def _flow(name: str, table: str, start: Position | None = None) -> Flow:
    start = start or Position()
    return Flow(name, start, flow(f"{_HEADING}\n{table}", start))


FLOWS = (
    # 换押 on a single track: order and confirmation to the detention house at each change of stage; only its answer to
    # the receiving organ changes for whom it holds the person.
    _flow(
        "change of custodial authority",
        """
        GA  | QZ001 | KSS | asks              |                      |                |          |     |
        KSS | QZ002 | GA  | answers           | admitted:flag=yes    | INVESTIGATION  | DETAINED | KSS | GA
        GA  | QS001 | JCY | asks              |                      |                |          |     |
        JCY | QS002 | GA  | answers           |                      | PROSECUTION    |          |     |
        GA  | HY001 | KSS | asks              |                      |                |          |     |
        JCY | HY002 | KSS | asks              |                      |                |          |     |
        KSS | HY003 | JCY | answers           |                      |                |          |     | JCY
        KSS | HY004 | GA  | answers           |                      |                |          |     |
        JCY | QS013 | GA  | asks              |                      |                |          |     |
        GA  | QS014 | JCY | answers           |                      | INVESTIGATION  |          |     |
        JCY | HY005 | KSS | asks              |                      |                |          |     |
        GA  | HY006 | KSS | asks              |                      |                |          |     |
        KSS | HY007 | GA  | answers           |                      |                |          |     | GA
        GA  | QS015 | JCY | answers, accepted |                      | PROSECUTION    |          |     |
        GA  | HY008 | KSS | asks              |                      |                |          |     |
        JCY | HY009 | KSS | asks              |                      |                |          |     |
        KSS | HY010 | JCY | answers           |                      |                |          |     | JCY
        JCY | YS001 | FY  | asks, accepted    |                      | FIRST_INSTANCE |          |     |
        JCY | HY011 | KSS | asks              |                      |                |          |     |
        FY  | HY012 | KSS | asks              |                      |                |          |     |
        KSS | HY013 | FY  | answers           |                      |                |          |     | FY
        """,
    ),
    _flow(
        "arrest review with approval",
        """
        GA  | QZ001 | KSS | asks              |                      |                |          |     |
        KSS | QZ002 | GA  | answers           | admitted:flag=yes    | INVESTIGATION  | DETAINED | KSS | GA
        GA  | DB001 | JCY | asks              |                      |                |          |     |
        JCY | DB002 | GA  | answers           |                      |                |          |     |
        JCY | DB005 | GA  | answers           |                      |                |          |     |
        GA  | DB007 | JCY | answers           |                      |                | ARRESTED |     |
        GA  | QZ005 | KSS | asks              |                      |                |          |     |
        KSS | QZ006 | GA  | answers           |                      |                |          |     |
        """,
    ),
    # The refusal itself frees nobody: the detention house's word does.
    _flow(
        "arrest review with refusal",
        """
        GA  | QZ001 | KSS | asks              |                      |                |            |     |
        KSS | QZ002 | GA  | answers           | admitted:flag=yes    | INVESTIGATION  | DETAINED   | KSS | GA
        GA  | DB001 | JCY | asks              |                      |                |            |     |
        JCY | DB006 | GA  | answers           |                      |                |            |     |
        GA  | QZ007 | KSS | asks              |                      |                |            |     |
        KSS | QZ008 | GA  | answers           |                      |                | AT_LIBERTY | -   | -
        GA  | DB008 | JCY | answers           |                      |                |            |     |
        GA  | DB009 | JCY | asks              |                      |                |            |     |
        JCY | DB010 | GA  | answers           |                      |                |            |     |
        """,
    ),
    _flow(
        "supplementary investigation twice",
        """
        GA  | QS001 | JCY | asks, accepted    |                      | PROSECUTION    |            |     |
        JCY | QS013 | GA  | asks              |                      |                |            |     |
        GA  | QS014 | JCY | answers           |                      | INVESTIGATION  |            |     |
        GA  | QS015 | JCY | answers           |                      |                |            |     |
        JCY | QS016 | GA  | answers           |                      | PROSECUTION    |            |     |
        JCY | QS013 | GA  | asks, accepted    |                      | INVESTIGATION  |            |     |
        GA  | QS015 | JCY | answers, accepted |                      | PROSECUTION    |            |     |
        """,
        Position(stage="INVESTIGATION"),
    ),
    _flow(
        "first instance with appeal",
        """
        JCY   | YS001 | FY    | asks           |                     |                 |          |     |
        FY    | YS002 | JCY   | answers        |                     | FIRST_INSTANCE  |          |     |
        FY    | YS015 | JCY   | asks           |                     |                 |          |     |
        JCY   | YS016 | FY    | answers        |                     |                 |          |     |
        FY    | YS037 | JCY   | answers        | outcome=有期徒刑    |                 |          |     |
        FY    | ES001 | FY_UP | asks           |                     |                 |          |     |
        FY_UP | ES002 | FY    | answers        |                     | SECOND_INSTANCE |          |     |
        FY    | HY017 | KSS   | asks           |                     |                 |          |     |
        FY_UP | HY018 | KSS   | asks           |                     |                 |          |     |
        KSS   | HY019 | FY_UP | answers        |                     |                 |          |     | FY_UP
        FY_UP | ES018 | FY    | asks, accepted |                     | FIRST_INSTANCE  |          |     |
        """,
        _ARRESTED_AT_PROSECUTION,
    ),
    # Sending the prisoner away does not yet mean that the prison has him.
    _flow(
        "execution to prison",
        """
        FY    | YS037 | JCY   | asks           | outcome=有期徒刑    |                 |                  |     |
        FY    | ZX001 | KSS   | asks           |                     |                 |                  |     |
        KSS   | ZX002 | FY    | answers        |                     | EXECUTION       | SERVING_SENTENCE |     |
        FY    | ZX003 | JCY   | asks           |                     |                 |                  |     |
        KSS   | ZX004 | JY    | asks           |                     |                 |                  |     |
        JY    | ZX005 | KSS   | answers        | admitted:flag=yes   |                 |                  | JY  | JY
        JY    | ZX006 | FY    | asks           |                     |                 |                  |     |
        """,
        _ARRESTED_AT_TRIAL,
    ),
    # A ruling on parole frees nobody before the person has reported; the catalogue has no node by which the prison says
    # that it let him go.
    _flow(
        "commutation and parole",
        """
        JY    | JX001 | FY    | asks           |                     |                 |                      |   |
        JY    | JX002 | JCY   | asks           |                     |                 |                      |   |
        JCY   | JX003 | FY    | asks           |                     |                 |                      |   |
        FY    | JX004 | JY    | answers        |                     |                 |                      |   |
        FY    | JX008 | JY    | answers        | outcome=减刑        |                 |                      |   |
        FY    | JX009 | JCY   | asks           | outcome=减刑        |                 |                      |   |
        JY    | JX013 | SJ    | asks           |                     |                 |                      |   |
        SJ    | JX014 | JY    | answers        | suitable:flag=yes   |                 |                      |   |
        JY    | JX012 | FY    | asks           |                     |                 |                      |   |
        FY    | JX015 | JY    | answers        | outcome=准予假释    |                 |                      |   |
        FY    | JX016 | SJ    | asks           | outcome=准予假释    |                 |                      |   |
        FY    | SJ006 | SJ    | asks           |                     |                 |                      |   |
        SJ    | SJ007 | FY    | answers        |                     | COMMUNITY_CORRECTION |                 |   |
        SJ    | SJ010 | FY    | asks           | reported:flag=yes   |                 | COMMUNITY_CORRECTION |   |
        """,
        Position(stage="EXECUTION", measure="SERVING_SENTENCE"),
    ),
    _flow(
        "community correction hand-over",
        """
        FY    | SJ001 | SJ    | asks           |                     |                 |                      |   |
        SJ    | SJ002 | FY    | answers        | suitable:flag=yes   |                 |                      |   |
        FY    | YS037 | JCY   | asks           | outcome=宣告缓刑    |                 |                      |   |
        FY    | SJ005 | SJ    | asks           |                     |                 |                      |   |
        FY    | SJ006 | SJ    | asks           |                     |                 |                      |   |
        SJ    | SJ007 | FY    | answers        |                     | COMMUNITY_CORRECTION |                 |   |
        FY    | SJ008 | JCY   | asks           |                     |                 |                      |   |
        SJ    | SJ010 | FY    | asks           | reported:flag=yes   |                 | COMMUNITY_CORRECTION |   |
        SJ    | SJ037 | FY    | asks           |                     | CONCLUDED       | AT_LIBERTY           |   |
        SJ    | SJ038 | JCY   | asks           |                     |                 |                      |   |
        """,
        Position(stage="FIRST_INSTANCE", measure="BAIL"),
    ),
    _flow(
        "legal aid",
        """
        GA    | FY001 | FYZX  | asks           |                     |                 |            |     |
        FYZX  | FY002 | GA    | answers        |                     |                 |            |     |
        GA    | QS001 | JCY   | asks, accepted |                     | PROSECUTION     |            |     |
        JCY   | FY003 | FYZX  | asks           |                     |                 |            |     |
        FYZX  | FY004 | JCY   | answers        |                     |                 |            |     |
        FYZX  | FY015 | JCY   | asks           |                     |                 |            |     |
        JCY   | FY016 | FYZX  | answers        |                     |                 |            |     |
        FYZX  | FY021 | JCY   | asks           |                     |                 |            |     |
        """,
        Position(stage="INVESTIGATION", measure="BAIL"),
    ),
    _flow(
        "property in the case",
        """
        GA    | CW001 | CWZX  | asks           |                     |                 |            |     |
        CWZX  | CW002 | GA    | answers        |                     |                 |            |     |
        GA    | QS001 | JCY   | asks, accepted |                     | PROSECUTION     |            |     |
        GA    | CW003 | JCY   | asks           |                     |                 |            |     |
        JCY   | CW004 | GA    | answers        |                     |                 |            |     |
        JCY   | YS001 | FY    | asks, accepted |                     | FIRST_INSTANCE  |            |     |
        JCY   | CW005 | FY    | asks           |                     |                 |            |     |
        FY    | CW006 | JCY   | answers        |                     |                 |            |     |
        FY    | YS037 | JCY   | answers        | outcome=有期徒刑    |                 |            |     |
        FY    | CW023 | GA    | asks           |                     |                 |            |     |
        GA    | CW024 | FY    | answers        |                     |                 |            |     |
        """,
        Position(stage="INVESTIGATION"),
    ),
    # The catalogue has no node by which the centre reports a release: an early end leaves the person held.
    _flow(
        "drug rehabilitation transfer",
        """
        GA    | XZ015 | JDS   | asks           |                     |                 |                     |     |
        JDS   | XZ016 | GA    | answers        | admitted:flag=yes   | ADMINISTRATIVE  | DRUG_REHABILITATION | JDS | GA
        JDS   | XZ017 | GA    | asks           |                     |                 |                     |     |
        GA    | XZ018 | JDS   | answers        |                     |                 |                     |     |
        """,
    ),
    _flow(
        "a civil matter",
        """
        FY    | MS001  | HJ_POP | asks          |                     |                 |                    |     |
        HJ_POP| MS002  | FY     | answers       |                     |                 |                    |     |
        FY    | MS026  | YH     | asks          |                     |                 |                    |     |
        YH    | MS027  | FY     | answers       |                     |                 |                    |     |
        FY    | MS013  | JLS    | asks          |                     |                 |                    |     |
        JLS   | MS014  | FY     | answers       | admitted:flag=yes   |                 | JUDICIAL_DETENTION | JLS | FY
        """,
        Position(stage="CIVIL"),
    ),
    _flow(
        "an administrative matter that becomes a criminal case",
        """
        XZ    | XZ001 | GA    | asks           |                     |                 |            |     |
        GA    | XZ002 | XZ    | answers        |                     |                 |            |     |
        GA    | XZ003 | XZ    | answers        |                     |                 |            |     |
        XZ    | XZ010 | JCY   | asks           |                     |                 |            |     |
        XZ    | XZ004 | GA    | asks           |                     |                 |            |     |
        GA    | XZ005 | XZ    | answers        |                     |                 |            |     |
        """,
        Position(stage="ADMINISTRATIVE"),
    ),
)
