"""`casemesh warning`: what supervision found, and what an officer says of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.case_commands import case_name
from casemesh.cli.invocation import Invocation, RequestId, command
from casemesh.cli.messages import Language

if TYPE_CHECKING:
    from casemesh.supervision.v1.warning_pb2 import Warning

app = typer.Typer(help="Work through warnings.  监督预警。", no_args_is_help=True)

_COLUMNS = (
    "RANK 级别",
    "STATE 状态",
    "RULE 规则",
    "WHAT 事项",
    "DUE 到期",
    "DAYS 剩余",
    "CASE 案件",
    "WARNING 编号",
)
WarningName = Annotated[
    str, typer.Argument(help="The warning, as `casemesh warning list` prints it.  预警编号。", metavar="WARNING")
]
Reason = Annotated[str, typer.Option("--reason", help="For the log; no names of persons.  理由, 勿写姓名。")]


class Rank(StrEnum):
    """How grave a warning is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@command(app, "list", example="casemesh warning list --rank high")
async def list_warnings(
    run: Invocation,
    case: Annotated[str, typer.Option("--case", help="Only this case's.  只看该案。")] = "",
    rank: Annotated[Rank, typer.Option("--rank", help="The lowest rank shown.  最低级别。")] = Rank.LOW,
    rule: Annotated[str, typer.Option("--rule", help="Only this rule's, e.g. CK001.  只看该规则。")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Only those you take care of.  只看本人承办的。")] = False,
    escalated: Annotated[
        bool, typer.Option("--escalated", help="Only those put before supervisors.  只看已报送监督人员的。")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also those closed.  含已办结的。")] = False,
) -> None:
    """List warnings that you may see, gravest first.  列出预警。"""
    from casemesh.cli.access_tables import instant
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.client.paging import paged
    from casemesh.supervision.v1 import supervision_service_pb2 as pb2
    from casemesh.supervision.v1 import warning_pb2

    states = warning_pb2.WarningState.keys()[1:] if everything else []
    async with run.session() as session:
        request = pb2.ListWarningsRequest(
            page_size=1000,
            case=case_name(case) if case else "",
            min_rank=f"WARNING_RANK_{rank.name}",
            rule=rule,
            owner=run.profile().officer if mine else "",
            escalated=escalated,
            states=states,
        )
        found = [warning async for warning in paged(session.supervision.ListWarnings, request, "warnings")]
    run.output.table(
        [plain(warning) for warning in found],
        _COLUMNS,
        [
            (
                run.output.text(f"warning.rank_{enum_name(warning_pb2.WarningRank.DESCRIPTOR, warning.rank).lower()}"),
                _state(run, warning.state),
                warning.rule,
                _title(run, warning),
                instant(warning.due_time),
                warning.days_left if warning.HasField("days_left") else "",
                warning.case,
                warning.name,
            )
            for warning in found
        ],
    )


@command(app, "show", example="casemesh warning show warnings/0199e3f1-...")
async def show(run: Invocation, warning: WarningName) -> None:
    """Show a warning with law, facts and arithmetic, and its life so far.  查看预警。"""
    from casemesh.supervision.v1 import supervision_service_pb2 as pb2

    async with run.session() as session:
        found = (await session.supervision.GetWarning(pb2.GetWarningRequest(name=_name(warning)))).warning
    _print(run, found)


@command(app, "watch", example="casemesh warning watch --case cases/0199e3f0-...")
async def watch(
    run: Invocation,
    case: Annotated[str, typer.Option("--case", help="Only this case's.  只看该案。")] = "",
    resume: Annotated[
        str, typer.Option("--resume", help="Go on after this token, which --json prints.  续看标记。", metavar="TOKEN")
    ] = "",
) -> None:
    """Print the open warnings and then each that is new or changed, until Ctrl-C.  持续查看预警。"""
    from casemesh.cli.message_json import plain
    from casemesh.supervision.v1 import supervision_service_pb2 as pb2

    async with run.session() as session:
        request = pb2.WatchWarningsRequest(case=case_name(case) if case else "", resume_token=resume)
        async for message in session.supervision.WatchWarnings(request):
            if not message.HasField("warning"):
                continue
            found = message.warning
            run.output.result(
                plain(message),
                f"{_state(run, found.state)}  {found.rule}  {_title(run, found)}  {found.case}  {found.name}",
            )


@command(app, "acknowledge", example="casemesh warning acknowledge warnings/0199e3f1-...")
async def acknowledge(run: Invocation, warning: WarningName, request_id: RequestId = "") -> None:
    """Say that you take care of it.  接手预警。"""
    from casemesh.supervision.v1 import supervision_service_pb2 as pb2

    request = pb2.AcknowledgeWarningRequest(request_id=run.use_request_id(request_id), name=_name(warning))
    async with run.session() as session:
        _print(run, (await session.supervision.AcknowledgeWarning(request)).warning)


@command(app, "assign", example="casemesh warning assign warnings/0199e3f1-... agencies/0199.../officers/0199...")
async def assign(
    run: Invocation,
    warning: WarningName,
    officer: Annotated[str, typer.Argument(help="An officer of your agency.  本单位人员。")],
    request_id: RequestId = "",
) -> None:
    """Give it to an officer of your agency.  分派预警。"""
    from casemesh.supervision.v1 import supervision_service_pb2 as pb2

    request = pb2.AssignWarningRequest(request_id=run.use_request_id(request_id), name=_name(warning), owner=officer)
    async with run.session() as session:
        _print(run, (await session.supervision.AssignWarning(request)).warning)


@command(app, "resolve", example="casemesh warning resolve warnings/0199e3f1-... --reason 已补送换押证")
async def resolve(run: Invocation, warning: WarningName, reason: Reason, request_id: RequestId = "") -> None:
    """Say what was done about it.  办结预警。"""
    from casemesh.supervision.v1 import supervision_service_pb2 as pb2

    request = pb2.ResolveWarningRequest(request_id=run.use_request_id(request_id), name=_name(warning), reason=reason)
    async with run.session() as session:
        _print(run, (await session.supervision.ResolveWarning(request)).warning)


@command(
    app, "not-applicable", example="casemesh warning not-applicable warnings/0199e3f1-... --reason 身份不明, 期限另计"
)
async def not_applicable(run: Invocation, warning: WarningName, reason: Reason, request_id: RequestId = "") -> None:
    """Say why the rule does not fit here; it is not raised again.  认定不适用。"""
    from casemesh.supervision.v1 import supervision_service_pb2 as pb2

    request = pb2.MarkNotApplicableRequest(
        request_id=run.use_request_id(request_id), name=_name(warning), reason=reason
    )
    async with run.session() as session:
        _print(run, (await session.supervision.MarkNotApplicable(request)).warning)


@command(app, "status", example="casemesh warning status")
async def status(run: Invocation) -> None:
    """Say how far supervision has followed the log and what waits.  监督进度。"""
    from casemesh.cli.access_tables import instant
    from casemesh.cli.message_json import plain
    from casemesh.supervision.v1 import supervision_service_pb2 as pb2

    async with run.session() as session:
        found = await session.supervision.GetSupervisionStatus(pb2.GetSupervisionStatusRequest())
    run.output.fields(
        plain(found),
        [
            ("followed 已跟进", f"{found.followed_size} / {found.log_size}"),
            ("log answered 日志应答", instant(found.answer_time)),
            ("waiting 待评估案件", found.waiting_count),
            ("since 起", instant(found.waiting_since)),
        ],
    )


def _name(text: str) -> str:
    """Return a warning's resource name, given with or without its kind."""
    return text if text.startswith("warnings/") else f"warnings/{text}"


def _state(run: Invocation, state: int) -> str:
    from casemesh.cli.message_json import enum_name
    from casemesh.supervision.v1 import warning_pb2

    return run.output.text(f"warning.state_{enum_name(warning_pb2.WarningState.DESCRIPTOR, state).lower()}")


def _title(run: Invocation, warning: Warning) -> str:
    return warning.title_zh if run.output.language is Language.CHINESE else warning.title_en


def _print(run: Invocation, found: Warning) -> None:
    from casemesh.cli.access_tables import instant
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.supervision.v1 import warning_pb2

    zh = run.output.language is Language.CHINESE
    rank = enum_name(warning_pb2.WarningRank.DESCRIPTOR, found.rank).lower()
    rows: list[tuple[str, object]] = [
        ("warning 预警", found.name),
        ("what 事项", f"{found.rule} {_title(run, found)}"),
        ("rank 级别", run.output.text(f"warning.rank_{rank}")),
        ("state 状态", _state(run, found.state)),
        ("case 案件", found.case),
        ("about 对象", found.subject),
        ("why 说明", found.explanation_zh if zh else found.explanation_en),
        ("law 依据", found.legal_basis),
        ("due 到期", instant(found.due_time)),
        ("days left 剩余天数", found.days_left if found.HasField("days_left") else ""),
        ("concerned 相关单位", " ".join(found.concerned)),
        ("owner 承办人", found.owner),
        ("closed 办结", f"{instant(found.close_time)} {found.close_reason}" if found.close_reason else ""),
    ]
    rows += [
        (
            instant(move.move_time),
            " ".join(filter(None, (run.output.text(f"warning.move_{move.kind}"), move.officer, move.reason))),
        )
        for move in found.moves
    ]
    run.output.fields(plain(found), rows)
