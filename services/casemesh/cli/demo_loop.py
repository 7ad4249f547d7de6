"""One defendant from filing to release, as a table: the closed loop of `casemesh demo --full-loop`.

All persons, agencies and facts are invented.
"""

from __future__ import annotations

from casemesh.cli.demo_agencies import COURT, POLICE, PROCURATORATE, AgencyPlan
from casemesh.cli.flow import FlowStep, flow
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.routing.v1 import case_pb2, case_service_pb2

ORGANS = {
    "GA": POLICE,
    "KSS": AgencyPlan("beihu-detention", "北湖市看守所(演示)", "KSS", ("看守所民警甲",)),
    "JCY": PROCURATORATE,
    "FYZX": AgencyPlan("beihu-legal-aid", "北湖市法律援助中心(演示)", "FYZX", ("值班员甲",)),
    "FY": COURT,
    "FY_UP": AgencyPlan("donghu-court", "东湖市中级人民法院(演示)", "FY_UP", ("审判员乙",)),
    "JY": AgencyPlan("xishan-prison", "西山监狱(演示)", "JY", ("监狱民警甲",)),
    "SFJ": AgencyPlan("beihu-justice", "北湖市司法局(演示)", "SFJ", ("帮教干部甲",)),
}
FULL_LOOP: tuple[FlowStep, ...] = flow("""
from  | node  | to    | how               | payload                   | stage           | measure          | by  | for
GA    | LA001 | JCY   | asks              | note=立案通报             |                 |                  |     |
JCY   | LA002 | GA    | answers           |                           |                 |                  |     |
GA    | QZ001 | KSS   | asks              |                           |                 |                  |     |
KSS   | QZ002 | GA    | answers           | admitted:flag=yes         | INVESTIGATION   | DETAINED         | KSS | GA
GA    | FY001 | FYZX  | asks              |                           |                 |                  |     |
FYZX  | FY002 | GA    | answers           |                           |                 |                  |     |
GA    | DB001 | JCY   | asks, accepted    |                           |                 |                  |     |
JCY   | DB005 | GA    | answers, accepted |                           |                 |                  |     |
GA    | DB007 | JCY   | answers           |                           |                 | ARRESTED         |     |
GA    | QZ005 | KSS   | asks              |                           |                 |                  |     |
KSS   | QZ006 | GA    | answers           |                           |                 |                  |     |
GA    | QS001 | JCY   | asks              | opinion=移送审查起诉      |                 |                  |     |
JCY   | QS002 | GA    | answers           |                           | PROSECUTION     |                  |     |
GA    | HY001 | KSS   | asks              |                           |                 |                  |     |
KSS   | HY004 | GA    | answers           |                           |                 |                  |     |
JCY   | HY002 | KSS   | asks              |                           |                 |                  |     |
KSS   | HY003 | JCY   | answers           |                           |                 |                  |     | JCY
JCY   | YS001 | FY    | asks              |                           |                 |                  |     |
FY    | YS002 | JCY   | answers           |                           | FIRST_INSTANCE  |                  |     |
JCY   | HY011 | KSS   | asks              |                           |                 |                  |     |
KSS   | HY031 | JCY   | answers           |                           |                 |                  |     |
FY    | HY012 | KSS   | asks              |                           |                 |                  |     |
KSS   | HY013 | FY    | answers           |                           |                 |                  |     | FY
FY    | YS015 | JCY   | asks              |                           |                 |                  |     |
JCY   | YS016 | FY    | answers           |                           |                 |                  |     |
FY    | YS037 | JCY   | answers           | outcome=有期徒刑一年      |                 |                  |     |
FY    | ES001 | FY_UP | asks              |                           |                 |                  |     |
FY_UP | ES002 | FY    | answers           |                           | SECOND_INSTANCE |                  |     |
FY    | HY017 | KSS   | asks              |                           |                 |                  |     |
FY_UP | HY018 | KSS   | asks              |                           |                 |                  |     |
KSS   | HY019 | FY_UP | answers           |                           |                 |                  |     | FY_UP
FY_UP | ES016 | FY    | asks              | outcome=驳回上诉,维持原判 |                 |                  |     |
FY    | ES017 | FY_UP | answers           |                           |                 |                  |     |
FY    | ZX001 | KSS   | asks              |                           |                 |                  |     |
KSS   | ZX002 | FY    | answers           |                           | EXECUTION       | SERVING_SENTENCE |     |
KSS   | ZX004 | JY    | asks              |                           |                 |                  |     |
JY    | ZX005 | KSS   | answers           | admitted:flag=yes         |                 |                  | JY  | JY
JY    | ZX006 | FY    | asks              |                           |                 |                  |     |
JY    | JX001 | FY    | asks, accepted    |                           |                 |                  |     |
FY    | JX008 | JY    | answers           | outcome=减刑一个月        |                 |                  |     |
JY    | ZX020 | SFJ   | asks              |                           |                 |                  |     |
SFJ   | ZX021 | JY    | answers           |                           |                 |                  |     |
JY    | ZX019 | GA    | asks              |                           | CONCLUDED       | AT_LIBERTY       | -   | -
""")


def registration() -> case_service_pb2.RegisterCaseRequest:
    """Return the case at its beginning: one suspect who calls himself by a name, nothing else stated of him."""
    return case_service_pb2.RegisterCaseRequest(
        request_id=new_id(),
        title="犯罪嫌疑人甲盗窃案(演示)",
        parties=[
            case_service_pb2.PartyDraft(
                kind=case_pb2.PARTY_KIND_PERSON,
                display_name="犯罪嫌疑人甲",
                charges=[CodedValue(code_system="police-case-categories", code="05000200")],
            )
        ],
    )
