"""Facts of case access as a security officer reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from casemesh.cli.messages import Language, text

if TYPE_CHECKING:
    from google.protobuf.timestamp_pb2 import Timestamp

    from casemesh.identity.v1.case_access_pb2 import CaseAccess
    from casemesh.identity.v1.case_protection_service_pb2 import BreakGlassUse

FACTS = ("KIND 种类", "WHO 主体", "FROM 起", "UNTIL 止", "WHAT 内容", "GIVEN BY 授予人", "FACT 编号")
USES = ("OFFICER 人员", "CASE 案件", "ASKED 申请", "OPEN 查看时段", "REASON 理由", "APPROVED BY 批准人", "FACT 编号")


def instant(when: Timestamp) -> str:
    """Return a moment in UTC to the second, empty for none."""
    return when.ToJsonString()[:19] + "Z" if when.ByteSize() else ""


def permission_names(permissions: Iterable[int]) -> str:
    """Return rights by their names in the contract."""
    from casemesh.identity.v1.case_access_pb2 import CasePermission

    return " ".join(CasePermission.Name(permission).removeprefix("CASE_PERMISSION_") for permission in permissions)


def fact_row(fact: CaseAccess, language: Language) -> Sequence[str]:
    """Return a fact under FACTS."""
    from casemesh.identity.v1.case_access_pb2 import CaseAccessKind, CaseStage, SealKind

    kind = CaseAccessKind.Name(fact.kind).removeprefix("CASE_ACCESS_KIND_").lower()
    what = permission_names(fact.permissions) or fact.cause
    if fact.stage:
        what = f"{CaseStage.Name(fact.stage).removeprefix('CASE_STAGE_')} {what}"
    if fact.seal_kind:
        what = f"{SealKind.Name(fact.seal_kind).removeprefix('SEAL_KIND_')} {what}"
    return (
        text(f"access.kind_{kind}", language),
        fact.officer or fact.agency,
        instant(fact.valid_from),
        instant(fact.valid_until),
        what,
        fact.given_by,
        fact.fact,
    )


def use_row(use: BreakGlassUse, language: Language) -> Sequence[str]:
    """Return a use of break-glass under USES."""
    opened = f"{instant(use.valid_from)} - {instant(use.valid_until)}"
    waiting = text("access.waiting", language)
    return (
        use.officer,
        use.case,
        instant(use.create_time),
        opened if use.HasField("valid_from") else waiting,
        use.reason,
        use.approved_by,
        use.fact,
    )
