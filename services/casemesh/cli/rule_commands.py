"""`casemeshd rule`: the rules of supervision, tried before they are changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.exit_codes import ExitCode
from casemesh.cli.invocation import Failure, Invocation, RequestId, command
from casemesh.cli.messages import Language
from casemesh.cli.node_admin_commands import Administrator, DataFolder

if TYPE_CHECKING:
    from casemesh.supervision.v1.rule_pb2 import Rule, RuleChange
    from casemesh.supervision.v1.supervision_admin_service_pb2_grpc import SupervisionAdminServiceAsyncStub

app = typer.Typer(help="Keep the rules of supervision.  监督规则管理。", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="The rule, e.g. CK001.  规则。", metavar="RULE")]
Overlay = Annotated[
    Path | None, typer.Argument(help="TOML, see docs/supervision-rules.md; none for the shipped rules.  文件。")
]


@asynccontextmanager
async def operating(data: Path, administrator: str) -> AsyncIterator[SupervisionAdminServiceAsyncStub]:
    """Connect to the supervision service of the platform that runs on `data`. Raises Failure when none does."""
    from casemesh.client.session import OperatorSession
    from casemesh.local.platform import PlatformError, running_addresses
    from casemesh.pki.authority import Pki
    from casemesh.pki.errors import PkiError

    try:
        addresses = running_addresses(data)
        layout = Pki(Path(addresses.pki)).layout
        files = layout.administrator(administrator) if administrator else layout.service("operator")
    except (PlatformError, PkiError) as error:
        raise Failure(ExitCode.INVALID_INPUT, "nodes.platform", message=error) from error
    async with OperatorSession(addresses.services, files.certificate.parent) as operator:
        yield operator.supervision_admin


@command(app, "list", example="casemeshd rule list", profile_flag=False)
async def list_rules(run: Invocation, administrator: Administrator = "", data: DataFolder = Path("data")) -> None:
    """List the rules, those that cannot be evaluated included.  列出规则。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.supervision.v1 import supervision_admin_service_pb2 as pb2

    async with operating(data, administrator) as admin:
        request = pb2.ListRulesRequest(page_size=1000)
        found = [rule async for rule in paged(admin.ListRules, request, "rules")]
    run.output.table(
        [plain(rule) for rule in found],
        ("RULE 规则", "VERSION 版本", "RANK 级别", "WHAT 事项", "REVIEWED 复核", "LACKS 缺少的事实"),
        [
            (
                rule.rule,
                rule.version,
                _rank(rule.rank),
                _title(run, rule),
                rule.reviewed_by,
                " ".join(rule.missing_facts),
            )
            for rule in found
        ],
    )


@command(app, "show", example="casemeshd rule show CK001", profile_flag=False)
async def show(run: Invocation, rule: Code, administrator: Administrator = "", data: DataFolder = Path("data")) -> None:
    """Show one rule with its condition and the facts it reads.  查看规则。"""
    from casemesh.supervision.v1 import supervision_admin_service_pb2 as pb2

    async with operating(data, administrator) as admin:
        _print(run, (await admin.GetRule(pb2.GetRuleRequest(rule=rule))).rule)


@command(app, "try", example="casemeshd rule try fujian.toml", profile_flag=False)
async def try_rules(
    run: Invocation,
    overlay: Overlay = None,
    cases: Annotated[
        int, typer.Option("--cases", min=1, max=10_000, help="How many of the newest cases to look at.  案件数。")
    ] = 1000,
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
) -> None:
    """Say which warnings a changed rule would raise and which would go; nothing is changed.  试运行规则。"""
    from casemesh.cli.message_json import plain
    from casemesh.supervision.v1 import supervision_admin_service_pb2 as pb2

    request = pb2.DryRunRulesRequest(overlay=_text(overlay), max_cases=cases)
    async with operating(data, administrator) as admin:
        found = await admin.DryRunRules(request)
    run.output.table(
        plain(found),
        ("", "RULE 规则", "RANK 级别", "CASE 案件", "WHY 说明"),
        [*_changes(run, "+", found.appearing), *_changes(run, "-", found.disappearing)],
    )
    run.output.notice(
        "warning.tried",
        cases=found.case_count,
        appearing=found.appearing_count,
        disappearing=found.disappearing_count,
    )


@command(app, "import", example="casemeshd rule import fujian.toml --note 本省规则", profile_flag=False)
async def import_rules(
    run: Invocation,
    note: Annotated[str, typer.Option("--note", help="Why.  说明。")],
    overlay: Overlay = None,
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    request_id: RequestId = "",
) -> None:
    """Put an overlay in force, in the place of the one before.  导入规则。"""
    from casemesh.cli.message_json import plain
    from casemesh.supervision.v1 import supervision_admin_service_pb2 as pb2

    request = pb2.ImportRulesRequest(request_id=run.use_request_id(request_id), overlay=_text(overlay), note=note)
    async with operating(data, administrator) as admin:
        answer = await admin.ImportRules(request)
    run.output.result(
        plain(answer), run.output.text("warning.rules_imported", version=answer.version, count=answer.rule_count)
    )


@command(app, "review", example="casemeshd rule review CK001 --version 1 --note 已由法制部门复核", profile_flag=False)
async def review(
    run: Invocation,
    rule: Code,
    version: Annotated[str, typer.Option("--version", help="The version that was reviewed.  版本。")],
    note: Annotated[str, typer.Option("--note", help="What the lawyer said of it.  复核意见。")],
    administrator: Administrator = "",
    data: DataFolder = Path("data"),
    request_id: RequestId = "",
) -> None:
    """Record that a lawyer of the site reviewed this version of a rule.  记录复核。"""
    from casemesh.supervision.v1 import supervision_admin_service_pb2 as pb2

    request = pb2.ReviewRuleRequest(request_id=run.use_request_id(request_id), rule=rule, version=version, note=note)
    async with operating(data, administrator) as admin:
        _print(run, (await admin.ReviewRule(request)).rule)


def _text(overlay: Path | None) -> str:
    return overlay.read_text(encoding="utf-8") if overlay is not None else ""


def _rank(rank: int) -> str:
    from casemesh.cli.message_json import enum_name
    from casemesh.supervision.v1 import warning_pb2

    return enum_name(warning_pb2.WarningRank.DESCRIPTOR, rank).lower() if rank else ""


def _title(run: Invocation, rule: Rule) -> str:
    return rule.title_zh if run.output.language is Language.CHINESE else rule.title_en


def _changes(run: Invocation, sign: str, changes: Sequence[RuleChange]) -> list[tuple[str, ...]]:
    zh = run.output.language is Language.CHINESE
    return [
        (sign, change.rule, _rank(change.rank), change.case, change.explanation_zh if zh else change.explanation_en)
        for change in changes
    ]


def _print(run: Invocation, rule: Rule) -> None:
    from casemesh.cli.access_tables import instant
    from casemesh.cli.message_json import plain

    run.output.fields(
        plain(rule),
        [
            ("rule 规则", f"{rule.rule} {_title(run, rule)}"),
            ("version 版本", rule.version),
            ("rank 级别", _rank(rule.rank)),
            ("kind 类别", rule.kind),
            ("law 依据", rule.legal_basis),
            ("condition 条件", rule.expression),
            ("facts 事实", " ".join(rule.inputs)),
            ("lacks 缺少的事实", " ".join(rule.missing_facts)),
            ("reviewed 复核", f"{instant(rule.review_time)} {rule.reviewed_by} {rule.review_note}".strip()),
        ],
    )
