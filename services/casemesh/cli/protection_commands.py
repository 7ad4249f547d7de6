"""The commands of `casemesh access` that guard cases: supervision, seals, and opening a case in an emergency."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.invocation import Invocation, RequestId, command

if TYPE_CHECKING:
    from casemesh.identity.v1.case_access_pb2 import CaseAccess
    from casemesh.identity.v1.case_protection_service_pb2 import BreakGlassUse

Officer = Annotated[str, typer.Argument(help="agencies/../officers/..; see `casemesh agency officers`.  人员。")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the log.  理由。")]
Use = Annotated[str, typer.Argument(help="The use's id; see `casemesh access emergencies`.  编号。")]


class Ground(StrEnum):
    """Grounds of sealing."""

    JUVENILE = "juvenile"
    STATE_SECRET = "state_secret"  # noqa: S105 - a ground, not a password
    PRIVACY = "privacy"


class Outcome(StrEnum):
    """What a review finds."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


GroundOption = Annotated[Ground, typer.Option("--ground", help="Why it is sealed.  封存事由。")]


def register(app: typer.Typer) -> None:
    """Add the commands to `casemesh access`."""
    command(app, "supervise", example="casemesh access supervise agencies/.../officers/... --reason 法制审核")(
        supervise
    )
    command(app, "end-supervision", example="casemesh access end-supervision agencies/.../officers/... --reason 调离")(
        end_supervision
    )
    command(app, "seal", example="casemesh access seal cases/0199e3f0-... --ground juvenile --reason 依法封存")(seal)
    command(
        app,
        "open-seal",
        example="casemesh access open-seal cases/0199e3f0-... agencies/.../officers/... --days 1 --reason 依法查询",
    )(open_seal)
    command(app, "lift-seal", example="casemesh access lift-seal cases/0199e3f0-... --ground juvenile --reason 解除")(
        lift_seal
    )
    command(
        app, "break-glass", example="casemesh access break-glass cases/0199e3f0-... --reason 人质处于危险, 须立即查看"
    )(break_glass)
    command(app, "emergencies", example="casemesh access emergencies")(emergencies)
    command(app, "approve", example="casemesh access approve cases/0199e3f0-... 0199e3f1-...")(approve)
    command(
        app, "review", example="casemesh access review cases/0199e3f0-... 0199e3f1-... justified --reason 情况属实"
    )(review)


async def supervise(run: Invocation, officer: Officer, reason: Reason, request_id: RequestId = "") -> None:
    """Let an officer supervise your agency; as the agency's system.  指定监督人员。"""
    from casemesh.identity.v1 import case_protection_service_pb2

    request = case_protection_service_pb2.AppointSupervisorRequest(
        request_id=run.use_request_id(request_id), officer=officer, reason=reason
    )
    async with run.session(as_system=True) as session:
        access = (await session.case_protection.AppointSupervisor(request)).access
    _print_fact(run, access, run.output.text("access.supervising", officer=access.officer))


async def end_supervision(run: Invocation, officer: Officer, reason: Reason, request_id: RequestId = "") -> None:
    """End an officer's supervision at once; as the agency's system.  终止监督。"""
    from casemesh.identity.v1 import case_protection_service_pb2

    request = case_protection_service_pb2.EndSupervisionRequest(
        request_id=run.use_request_id(request_id), officer=officer, reason=reason
    )
    async with run.session(as_system=True) as session:
        access = (await session.case_protection.EndSupervision(request)).access
    _print_fact(run, access, run.output.text("access.supervision_ended", officer=access.officer))


async def seal(
    run: Invocation, case: CaseName, ground: GroundOption, reason: Reason, request_id: RequestId = ""
) -> None:
    """Seal the records of a case; as a supervisor.  封存案件记录。"""
    from casemesh.identity.v1 import case_protection_service_pb2

    request = case_protection_service_pb2.SealCaseRequest(
        request_id=run.use_request_id(request_id),
        case=case_name(case),
        kind=f"SEAL_KIND_{ground.name}",
        reason=reason,
    )
    async with run.session() as session:
        access = (await session.case_protection.SealCase(request)).access
    _print_fact(run, access, run.output.text("access.sealed", case=access.case))


async def open_seal(
    run: Invocation,
    case: CaseName,
    officer: Officer,
    reason: Reason,
    days: Annotated[int, typer.Option("--days", min=1, max=30, help="For how many days.  天数。")] = 1,
    request_id: RequestId = "",
) -> None:
    """Open a sealed case to one officer, for some days; as a supervisor.  对个人解封查询。"""
    from casemesh.identity.v1 import case_protection_service_pb2

    request = case_protection_service_pb2.OpenSealRequest(
        request_id=run.use_request_id(request_id),
        case=case_name(case),
        officer=officer,
        expire_time=datetime.now(UTC) + timedelta(days=days) - timedelta(minutes=1),
        reason=reason,
    )
    async with run.session() as session:
        access = (await session.case_protection.OpenSeal(request)).access
    _print_fact(run, access, run.output.text("access.seal_opened", officer=access.officer))


async def lift_seal(
    run: Invocation, case: CaseName, ground: GroundOption, reason: Reason, request_id: RequestId = ""
) -> None:
    """Lift your agency's seal for everybody; as a supervisor.  解除封存。"""
    from casemesh.identity.v1 import case_protection_service_pb2

    request = case_protection_service_pb2.LiftSealRequest(
        request_id=run.use_request_id(request_id),
        case=case_name(case),
        kind=f"SEAL_KIND_{ground.name}",
        reason=reason,
    )
    async with run.session() as session:
        access = (await session.case_protection.LiftSeal(request)).access
    _print_fact(run, access, run.output.text("access.seal_lifted", case=access.case))


async def break_glass(run: Invocation, case: CaseName, reason: Reason, request_id: RequestId = "") -> None:
    """Open a case of your agency in an emergency, to see it for an hour; it is reviewed.  紧急查看。"""
    from casemesh.identity.v1 import case_protection_service_pb2

    request = case_protection_service_pb2.BreakGlassRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), reason=reason
    )
    async with run.session() as session:
        use = (await session.case_protection.BreakGlass(request)).use
    _print_use(run, use, "access.glass_broken" if use.HasField("valid_from") else "access.glass_waits")


async def emergencies(run: Invocation) -> None:
    """List openings in an emergency that wait for review; as a supervisor.  待审的紧急查看。"""
    from casemesh.cli.access_tables import USES, use_row
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import case_protection_service_pb2

    request = case_protection_service_pb2.ListBreakGlassUsesRequest(page_size=1000)
    async with run.session() as session:
        uses = [use async for use in paged(session.case_protection.ListBreakGlassUses, request, "uses")]
    run.output.table([plain(use) for use in uses], USES, [use_row(use, run.output.language) for use in uses])


async def approve(run: Invocation, case: CaseName, use: Use, request_id: RequestId = "") -> None:
    """Open a sealed case to a colleague who asked in an emergency; as a supervisor.  批准紧急查看。"""
    from casemesh.identity.v1 import case_protection_service_pb2

    request = case_protection_service_pb2.ApproveBreakGlassRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), fact=use
    )
    async with run.session() as session:
        approved = (await session.case_protection.ApproveBreakGlass(request)).use
    _print_use(run, approved, "access.glass_approved")


async def review(
    run: Invocation,
    case: CaseName,
    use: Use,
    outcome: Annotated[Outcome, typer.Argument(help="What you found.  结论。")],
    reason: Reason,
    request_id: RequestId = "",
) -> None:
    """Say whether an opening in an emergency was justified; it ends with that.  审查紧急查看。"""
    from casemesh.identity.v1 import case_protection_service_pb2

    request = case_protection_service_pb2.ReviewBreakGlassRequest(
        request_id=run.use_request_id(request_id),
        case=case_name(case),
        fact=use,
        outcome=f"BREAK_GLASS_OUTCOME_{outcome.name}",
        reason=reason,
    )
    async with run.session() as session:
        reviewed = (await session.case_protection.ReviewBreakGlass(request)).use
    _print_use(run, reviewed, "access.glass_reviewed")


def _print_fact(run: Invocation, access: CaseAccess, message: str) -> None:
    from casemesh.cli.message_json import plain

    run.output.result(plain(access), message)


def _print_use(run: Invocation, use: BreakGlassUse, key: str) -> None:
    from casemesh.cli.access_tables import instant
    from casemesh.cli.message_json import plain

    message = run.output.text(key, officer=use.officer, until=instant(use.valid_until), fact=use.fact)
    run.output.result(plain(use), message)
