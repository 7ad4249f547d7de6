"""`casemesh case merge|split|undo|successions`, `case number` and `case party`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.case_progress_commands import PartyName, measure_text, stage_text
from casemesh.cli.invocation import Invocation, RequestId, command

if TYPE_CHECKING:
    from casemesh.routing.v1 import party_history_pb2, succession_pb2

number_app = typer.Typer(help="Your agency's own numbers of cases.  本单位案号。", no_args_is_help=True)
party_app = typer.Typer(help="The parties of a case.  当事人。", no_args_is_help=True)

Reason = Annotated[str, typer.Option("--reason", help="Why; it stays in the log for good.  原因,永久留痕。")]
Number = Annotated[str, typer.Argument(help="The number, as you write it.  案号。", metavar="NUMBER")]


def register(app: typer.Typer) -> None:
    """Add the commands to `casemesh case`."""

    @command(app, "merge", example="casemesh case merge cases/0199e3f0-... --from cases/0199e3f1-... --reason 并案侦查")
    async def merge(
        run: Invocation,
        case: CaseName,
        source: Annotated[list[str], typer.Option("--from", help="A case it takes the place of.  被并入的案件。")],
        reason: Reason,
        same: Annotated[
            list[str] | None,
            typer.Option("--same", help="OLD=NEW: a party that the case has already.  同一当事人。"),
        ] = None,
        request_id: RequestId = "",
    ) -> None:
        """Let a case go on in the place of others.  并案。"""
        from casemesh.routing.v1 import case_succession_service_pb2 as pb2

        pairs = [text.partition("=") for text in same or []]
        request = pb2.MergeCasesRequest(
            request_id=run.use_request_id(request_id),
            case=case_name(case),
            predecessors=[case_name(text) for text in source],
            same_parties=[pb2.SameParty(predecessor=old, successor=new) for old, _, new in pairs],
            reason=reason,
        )
        async with run.session() as session:
            answer = await session.case_successions.MergeCases(request)
        _print_successions(run, [answer.succession])

    @command(
        app,
        "split",
        example="casemesh case split cases/0199e3f0-... --party cases/.../parties/... --title 乙案 --reason 另案",
    )
    async def split(
        run: Invocation,
        case: CaseName,
        party: Annotated[list[str], typer.Option("--party", help="A party that leaves.  分出的当事人。")],
        title: Annotated[str, typer.Option("--title", help="The new case's title.  新案件名称。")],
        reason: Reason,
        number: Annotated[str, typer.Option("--number", help="Your number of the new case.  新案号。")] = "",
        request_id: RequestId = "",
    ) -> None:
        """Give parties a case of their own.  分案。"""
        from casemesh.routing.v1 import case_succession_service_pb2 as pb2

        request = pb2.SplitCaseRequest(
            request_id=run.use_request_id(request_id),
            case=case_name(case),
            parties=party,
            title=title,
            local_number=number,
            reason=reason,
        )
        async with run.session() as session:
            answer = await session.case_successions.SplitCase(request)
        run.output.notice("case.registered", name=answer.case.name)
        _print_successions(run, [answer.succession])

    @command(app, "undo", example="casemesh case undo cases/0199e3f0-.../successions/0199e3f5-... --reason 并案有误")
    async def undo(
        run: Invocation,
        succession: Annotated[str, typer.Argument(help="What to undo.  要撤销的并案或分案。", metavar="SUCCESSION")],
        reason: Reason,
        request_id: RequestId = "",
    ) -> None:
        """Undo a merging or splitting; both stay known.  撤销并案或分案。"""
        from casemesh.routing.v1 import case_succession_service_pb2 as pb2

        request = pb2.UndoSuccessionRequest(
            request_id=run.use_request_id(request_id), succession=succession, reason=reason
        )
        async with run.session() as session:
            answer = await session.case_successions.UndoSuccession(request)
        _print_successions(run, [answer.succession])

    @command(app, "successions", example="casemesh case successions cases/0199e3f0-...")
    async def successions(run: Invocation, case: CaseName) -> None:
        """List what was merged, split and undone.  并案分案记录。"""
        from casemesh.client.paging import paged
        from casemesh.routing.v1 import case_succession_service_pb2 as pb2

        request = pb2.ListSuccessionsRequest(case=case_name(case))
        async with run.session() as session:
            found = [item async for item in paged(session.case_successions.ListSuccessions, request, "successions")]
        _print_successions(run, found)

    app.add_typer(number_app, name="number")
    app.add_typer(party_app, name="party")


@command(number_app, "link", example="casemesh case number link cases/0199e3f0-... '(2026)闽0105刑初12号'")
async def link_number(run: Invocation, case: CaseName, number: Number, request_id: RequestId = "") -> None:
    """Link your agency's number to a case; an unknown form is only warned of.  关联案号。"""
    from casemesh.cli.message_json import plain
    from casemesh.cli.messages import Language
    from casemesh.routing.v1 import case_record_service_pb2 as pb2

    request = pb2.LinkLocalNumberRequest(request_id=run.use_request_id(request_id), case=case_name(case), number=number)
    async with run.session() as session:
        answer = await session.case_records.LinkLocalNumber(request)
    for warning in answer.warnings:
        words = warning.text_zh if run.output.language is Language.CHINESE else warning.text_en
        run.output.notice("case.number_warning", reason=warning.reason, words=words)
    _print_numbers(run, [answer.local_number], plain(answer))


@command(number_app, "unlink", example="casemesh case number unlink cases/0199e3f0-... A2026001 --reason 录入有误")
async def unlink_number(
    run: Invocation, case: CaseName, number: Number, reason: Reason, request_id: RequestId = ""
) -> None:
    """End the link of your agency's number.  取消关联案号。"""
    from casemesh.cli.message_json import plain
    from casemesh.routing.v1 import case_record_service_pb2 as pb2

    request = pb2.UnlinkLocalNumberRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), number=number, reason=reason
    )
    async with run.session() as session:
        answer = await session.case_records.UnlinkLocalNumber(request)
    _print_numbers(run, [answer.local_number], plain(answer))


@command(number_app, "list", example="casemesh case number list cases/0199e3f0-...")
async def list_numbers(run: Invocation, case: CaseName) -> None:
    """List all numbers a case ever had.  案号记录。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import case_record_service_pb2 as pb2

    request = pb2.ListLocalNumbersRequest(case=case_name(case))
    async with run.session() as session:
        found = [item async for item in paged(session.case_records.ListLocalNumbers, request, "local_numbers")]
    _print_numbers(run, found, [plain(item) for item in found])


@command(number_app, "find", example="casemesh case number find '（2026）闽0105刑初12号'")
async def find_number(run: Invocation, number: Number) -> None:
    """Find cases by a number, among those you may see.  按案号查找案件。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import case_record_service_pb2 as pb2

    request = pb2.FindCaseByNumberRequest(number=number)
    async with run.session() as session:
        found = [item async for item in paged(session.case_records.FindCaseByNumber, request, "found")]
    run.output.table(
        [plain(item) for item in found],
        ["CASE", "NUMBER 案号", "AGENCY 单位"],
        [(item.case, item.local_number.number, item.local_number.agency) for item in found],
    )


@command(
    party_app,
    "add",
    example="casemesh case party add cases/0199e3f0-... '乙;charge=police-case-categories:05000200' --reason 到案",
)
async def add_party(
    run: Invocation,
    case: CaseName,
    party: Annotated[
        str, typer.Argument(help="NAME;charge=SYSTEM:CODE;custody=STATE@DATE@PLACE.  当事人。", metavar="PARTY")
    ],
    reason: Reason,
    unknown: Annotated[bool, typer.Option("--unknown", help="The identity is not known.  身份不明。")] = False,
    request_id: RequestId = "",
) -> None:
    """Add a party to a case.  增加当事人。"""
    from casemesh.cli.payload_fields import parse_party
    from casemesh.routing.v1 import case_record_service_pb2 as pb2

    draft = parse_party(party)
    draft.identity_unknown = unknown
    request = pb2.AddPartyRequest(
        request_id=run.use_request_id(request_id), case=case_name(case), party=draft, reason=reason
    )
    async with run.session() as session:
        _print_party(run, (await session.case_records.AddParty(request)).party)


@command(party_app, "identify", example="casemesh case party identify cases/.../parties/... 张某某 --reason 查明身份")
async def identify_party(
    run: Invocation,
    party: PartyName,
    name: Annotated[str, typer.Argument(help="The name.  姓名。", metavar="NAME")],
    reason: Reason,
    request_id: RequestId = "",
) -> None:
    """State how a party is named; its identity counts as known.  补正身份。"""
    from casemesh.routing.v1 import case_record_service_pb2 as pb2

    request = pb2.CompleteIdentityRequest(
        request_id=run.use_request_id(request_id), party=party, display_name=name, reason=reason
    )
    async with run.session() as session:
        _print_party(run, (await session.case_records.CompleteIdentity(request)).party)


@command(
    party_app,
    "charge",
    example="casemesh case party charge cases/.../parties/... criminal-charges:XZ102 --reason 变更罪名",
)
async def charge_party(
    run: Invocation,
    party: PartyName,
    charge: Annotated[
        list[str], typer.Argument(help="SYSTEM:CODE, all that stand from now on.  罪名。", metavar="CHARGE...")
    ],
    reason: Reason,
    since: Annotated[str, typer.Option("--from", help="The day from which they hold.  起算日期。")] = "",
    request_id: RequestId = "",
) -> None:
    """State all charges of a party anew.  变更罪名。"""
    from casemesh.cli.payload_fields import parse_code, parse_date
    from casemesh.routing.v1 import case_record_service_pb2 as pb2

    request = pb2.ChangeChargesRequest(
        request_id=run.use_request_id(request_id),
        party=party,
        charges=[parse_code(text) for text in charge],
        reason=reason,
    )
    if since:
        request.effective_date.CopyFrom(parse_date(since))
    async with run.session() as session:
        _print_party(run, (await session.case_records.ChangeCharges(request)).party)


@command(party_app, "history", example="casemesh case party history cases/.../parties/...")
async def party_history(run: Invocation, party: PartyName) -> None:
    """List what was stated of a party, and by whom.  当事人历史。"""
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import case_record_service_pb2 as pb2
    from casemesh.routing.v1 import party_history_pb2

    request = pb2.ListPartyHistoryRequest(party=party)
    async with run.session() as session:
        found = [item async for item in paged(session.case_records.ListPartyHistory, request, "entries")]
    aspects = party_history_pb2.PartyAspect.DESCRIPTOR
    run.output.table(
        [plain(item) for item in found],
        ["SINCE 起始", "WHAT 事项", "VALUE 内容", "NODE 节点", "BY 来源"],
        [
            (
                item.effective_time.ToJsonString(),
                run.output.text(f"aspect.{enum_name(aspects, item.aspect).lower()}"),
                _value(run, item),
                item.node.removeprefix("nodes/"),
                item.agency,
            )
            for item in found
        ],
    )


@command(
    party_app,
    "merge",
    example="casemesh case party merge cases/.../parties/A --from cases/.../parties/B --reason 系同一人",
)
async def merge_parties(
    run: Invocation,
    party: PartyName,
    source: Annotated[list[str], typer.Option("--from", help="A party that is the same person.  同一人。")],
    reason: Reason,
    request_id: RequestId = "",
) -> None:
    """Say that parties are one person.  合并当事人。"""
    from casemesh.routing.v1 import case_succession_service_pb2 as pb2

    request = pb2.MergePartiesRequest(
        request_id=run.use_request_id(request_id), party=party, predecessors=source, reason=reason
    )
    async with run.session() as session:
        _print_successions(run, [(await session.case_successions.MergeParties(request)).succession])


@command(
    party_app, "split", example="casemesh case party split cases/.../parties/A --name 甲 --name 乙 --reason 系两人"
)
async def split_party(
    run: Invocation,
    party: PartyName,
    name: Annotated[list[str], typer.Option("--name", help="A person that it is, twice or more.  各人姓名。")],
    reason: Reason,
    request_id: RequestId = "",
) -> None:
    """Say that one party is several persons.  拆分当事人。"""
    from casemesh.routing.v1 import case_succession_service_pb2 as pb2

    request = pb2.SplitPartyRequest(
        request_id=run.use_request_id(request_id), party=party, display_names=name, reason=reason
    )
    async with run.session() as session:
        _print_successions(run, [(await session.case_successions.SplitParty(request)).succession])


def _value(run: Invocation, entry: party_history_pb2.PartyHistoryEntry) -> str:
    from casemesh.routing.v1 import case_pb2, party_history_pb2

    if entry.aspect == party_history_pb2.PARTY_ASPECT_STAGE:
        return stage_text(run.output, case_pb2.ProcedureStage.Value(f"PROCEDURE_STAGE_{entry.value}"))
    if entry.aspect == party_history_pb2.PARTY_ASPECT_MEASURE:
        return measure_text(run.output, case_pb2.CustodyState.Value(f"CUSTODY_STATE_{entry.value}"))
    return ", ".join(f"{charge.code} {charge.display}" for charge in entry.charges) or entry.value


def _print_party(run: Invocation, party: Any) -> None:
    from casemesh.cli.message_json import plain

    rows = [("party 当事人", party.name), ("name 名称", party.display_name)]
    rows += [("charge 罪名", f"{charge.code} {charge.display}") for charge in party.charges]
    run.output.fields(plain(party), rows)


def _print_numbers(run: Invocation, numbers: list[Any], value: Any) -> None:
    run.output.table(
        value,
        ["NUMBER 案号", "AGENCY 单位", "FORM 格式", "LINKED 关联", "UNLINKED 取消"],
        [
            (
                number.number,
                number.agency,
                number.format,
                number.link_time.ToJsonString(),
                number.unlink_time.ToJsonString() if number.HasField("unlink_time") else "",
            )
            for number in numbers
        ],
    )


def _print_successions(run: Invocation, found: list[succession_pb2.Succession]) -> None:
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.routing.v1 import succession_pb2

    kinds = succession_pb2.SuccessionKind.DESCRIPTOR
    run.output.table(
        [plain(item) for item in found],
        ["SUCCESSION 编号", "WHAT 事项", "FROM 原", "TO 新", "UNDONE BY 撤销"],
        [
            (
                item.name,
                run.output.text(f"succession.{enum_name(kinds, item.kind).lower()}"),
                link.predecessor,
                link.successor,
                item.undone_by,
            )
            for item in found
            for link in (list(item.links) or [succession_pb2.SuccessorLink()])
        ],
    )
