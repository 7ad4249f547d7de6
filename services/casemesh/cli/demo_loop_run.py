"""`casemesh demo --full-loop`: one defendant from filing to release on this machine, as a table."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from casemesh.cli.case_progress_commands import measure_text, stage_text
from casemesh.cli.demo_agencies import EnrolledAgency, enrol, leave_profiles
from casemesh.cli.demo_loop import FULL_LOOP, ORGANS, registration
from casemesh.cli.demo_report import DemoReport, Step, format_seconds
from casemesh.cli.demo_run import demo_platform
from casemesh.cli.demo_scratch import scratch_folder
from casemesh.cli.flow import FlowOutcome, FlowRun, Position, open_organs, organs_of
from casemesh.cli.messages import Language
from casemesh.cli.output import Output
from casemesh.client.session import OperatorSession
from casemesh.local.platform import Addresses
from casemesh.pki.authority import Pki
from casemesh.routing.v1 import case_pb2


async def run_full_loop(data: Path | None, output: Output, *, keep: bool) -> list[dict[str, Any]]:
    """Go through the loop and return its rows; a row whose `as_expected` is false ended elsewhere than the table says.

    Raises what a step raises. The scratch folder is removed unless `keep`.
    """
    report = DemoReport()
    with scratch_folder(data, output, keep=keep) as work:

        def done(step: Step) -> None:
            title, took = output.text(f"demo.{step.key}"), format_seconds(step.seconds)
            output.notice("demo.step_done", title=title, took=took)

        async def told(outcome: FlowOutcome) -> None:
            output.notice("demo.loop_step", node=outcome.step.node.code, title=_title(outcome, output))

        async with demo_platform(data, work, output, report, done) as (addresses, _), AsyncExitStack() as stack:
            with report.step("enrol_loop", done):
                agencies = await _enrol(addresses, data, output)
            organs = await open_organs(stack, agencies, organs_of(FULL_LOOP))
            small = work / "loop"
            await asyncio.to_thread(small.mkdir)
            run = FlowRun(organs, small)
            await run.register(FULL_LOOP[0].sender, registration())
            outcomes = await run.run(FULL_LOOP, told)
            return [_row(number, outcome, agencies) for number, outcome in enumerate(outcomes, start=1)]


def print_loop(rows: Sequence[dict[str, Any]], output: Output) -> None:
    """Print the rows as a table for a lawyer; a cell is empty where nothing changed."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=output.text("demo.loop_title"), title_justify="left")
    for key in ("number", "from", "to", "node", "basis", "stage", "measure", "held"):
        table.add_column(output.text(f"demo.column_loop_{key}"), overflow="fold")
    before = Position()
    for row in rows:
        position = Position(**row["position"])
        name = row["name_zh"] if output.language is Language.CHINESE else row["name_en"]
        # The first article says enough here; all of them stand in the catalogue and in the JSON.
        basis = row["legal_basis"].partition(";")[0]
        cells = [str(row["number"]), row["from"], row["to"], f"{row['node']} {name}", basis]
        cells += _changes(before, position, row["organs"], output)
        table.add_row(*(Text(cell) for cell in cells), style="" if row["as_expected"] else "bold red")
        before = position
    output.console().print(table)


def _changes(before: Position, now: Position, names: dict[str, str], output: Output) -> list[str]:
    stage = case_pb2.ProcedureStage.Value(f"PROCEDURE_STAGE_{now.stage or 'UNSPECIFIED'}")
    measure = case_pb2.CustodyState.Value(f"CUSTODY_STATE_{now.measure or 'UNSPECIFIED'}")
    held = "-"
    if now.held_by:
        held = output.text("demo.loop_held", by=names[now.held_by], of=names[now.held_for])
    return [
        stage_text(output, stage) if now.stage != before.stage else "",
        measure_text(output, measure) if now.measure != before.measure else "",
        held if (now.held_by, now.held_for) != (before.held_by, before.held_for) else "",
    ]


async def _enrol(addresses: Addresses, data: Path | None, output: Output) -> dict[str, EnrolledAgency]:
    pki = Pki(Path(addresses.pki))
    certificate = pki.layout.service("operator").certificate.parent
    async with OperatorSession(addresses.services, certificate) as operator:
        agencies = {
            kind: await enrol(plan, pki, operator, addresses, pki.layout.signing_trust) for kind, plan in ORGANS.items()
        }
    if data is not None:
        left = leave_profiles(list(agencies.values()), data / "demo")
        output.notice("demo.profiles", folder=(data / "demo").resolve(), example=left[1])
    return agencies


def _row(number: int, outcome: FlowOutcome, agencies: dict[str, EnrolledAgency]) -> dict[str, Any]:
    step = outcome.step
    return {
        "number": number,
        "node": step.node.code,
        "name_zh": step.node.name_zh,
        "name_en": step.node.name_en,
        "from": agencies[step.sender].display_name,
        "to": agencies[step.recipient].display_name,
        "legal_basis": step.node.legal_basis,
        "exchange": outcome.exchange.name,
        "dossier_version": outcome.exchange.dossier_version,
        "position": asdict(outcome.position),
        "organs": {kind: agency.display_name for kind, agency in agencies.items()},
        "as_expected": outcome.position == step.position,
    }


def _title(outcome: FlowOutcome, output: Output) -> str:
    node = outcome.step.node
    return node.name_zh if output.language is Language.CHINESE else node.name_en
