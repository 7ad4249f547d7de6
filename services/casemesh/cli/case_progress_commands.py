"""`casemesh case progress` and `next`: where a case and its persons stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.invocation import Invocation, command
from casemesh.cli.output import Output

if TYPE_CHECKING:
    from casemesh.routing.v1 import case_progress_pb2

PartyName = Annotated[str, typer.Argument(help="The party, cases/ID/parties/ID.  当事人。", metavar="PARTY")]
_DAY_SECONDS = 86_400


def stage_text(output: Output, number: int) -> str:
    """Return a stage for people; "" for none."""
    from casemesh.cli.message_json import enum_name
    from casemesh.routing.v1 import case_pb2

    name = enum_name(case_pb2.ProcedureStage.DESCRIPTOR, number)
    return output.text(f"stage.{name.lower()}") if number else ""


def measure_text(output: Output, number: int) -> str:
    """Return a measure for people; "" for none."""
    from casemesh.cli.message_json import enum_name
    from casemesh.routing.v1 import case_pb2

    name = enum_name(case_pb2.CustodyState.DESCRIPTOR, number)
    return output.text(f"measure.{name.lower()}") if number else ""


def register(app: typer.Typer) -> None:
    """Add the commands to `casemesh case`."""

    @command(app, "progress", example="casemesh case progress cases/0199e3f0-...")
    async def progress(run: Invocation, case: CaseName) -> None:
        """Show where a case and each person in it stand.  查看办案进度。"""
        from casemesh.cli.message_json import plain
        from casemesh.routing.v1 import case_progress_service_pb2

        request = case_progress_service_pb2.GetProgressRequest(case=case_name(case))
        async with run.session() as session:
            found = (await session.case_progress.GetProgress(request)).progress
        if not run.output.as_json:
            run.output.notice("case.closed" if found.closed else "case.open", case=found.case)
        rows = [row for person in found.persons for row in _rows(run.output, person)]
        run.output.table(plain(found), ["PERSON 当事人", "WHAT 事项", "STATE 状态", "SINCE 起始"], rows)

    @command(app, "next", example="casemesh case next cases/0199e3f0-.../parties/0199e3f1-...")
    async def next_nodes(run: Invocation, party: PartyName) -> None:
        """List the nodes that may come next for a person; none is forbidden.  下一步可用节点。"""
        from casemesh.cli.message_json import enum_name, plain
        from casemesh.routing.v1 import case_progress_pb2, case_progress_service_pb2

        request = case_progress_service_pb2.ListNextNodesRequest(party=party)
        async with run.session() as session:
            found = (await session.case_progress.ListNextNodes(request)).next_nodes
        reasons = case_progress_pb2.NextNodeReason.DESCRIPTOR
        run.output.table(
            [plain(node) for node in found],
            ["NODE 节点", "NAME 名称", "FROM 发送", "TO 接收", "WHY 原因"],
            [
                (
                    node.node.removeprefix("nodes/"),
                    f"{node.title_zh} {node.title_en}",
                    node.from_organ,
                    node.to_organ,
                    run.output.text(
                        f"next.{enum_name(reasons, node.reason).lower()}",
                        because=node.because_node.removeprefix("nodes/") or stage_text(run.output, node.to_stage),
                    ),
                )
                for node in found
            ],
        )


def _rows(output: Output, person: case_progress_pb2.PersonProgress) -> list[tuple[str, str, str, str]]:
    who = person.display_name or person.party
    held = output.text("case.held" if person.held else "case.not_held", by=person.custodian, of=person.authority)
    rows = [
        (who, output.text("case.stage"), stage_text(output, person.stage), person.stage_since.ToJsonString()),
        (who, output.text("case.measure"), measure_text(output, person.measure), person.measure_since.ToJsonString()),
        (who, output.text("case.custody"), held.strip(), person.held_since.ToJsonString()),
    ]
    shown = [
        row
        for row, known in zip(rows, (person.stage, person.measure, person.HasField("held_since")), strict=True)
        if known
    ]
    for item in person.open_exchanges:
        days = item.age_seconds // _DAY_SECONDS
        state = output.text("case.awaited", node=item.node.removeprefix("nodes/"), by=item.recipient, days=days)
        shown.append((who, output.text("case.open_exchange"), state, item.submit_time.ToJsonString()))
    for node in person.next_nodes:
        name = f"{node.node.removeprefix('nodes/')} {node.title_zh} {node.title_en}"
        shown.append((who, output.text("case.next"), name, ""))
    return shown
