"""Flows of the field over the running platform: each row of a table is sent, delivered and answered by its organs."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casemesh.cli.demo_agencies import EnrolledAgency, enrol
from casemesh.cli.demo_loop import FULL_LOOP
from casemesh.cli.flow import FlowRun, open_organs, organs_of
from casemesh.cli.main import app
from casemesh.client.session import OperatorSession
from casemesh.pki.authority import Pki
from casemesh.routing.v1 import exchange_preflight_service_pb2
from tests.support.flows import FLOWS, ORGANS, Flow
from tests.support.platform import RunningPlatform

Agencies = dict[str, EnrolledAgency]


@pytest.fixture(scope="session")
def agencies(platform: RunningPlatform) -> Agencies:
    """One agency of each kind that takes part in a flow."""

    async def enrol_all() -> Agencies:
        pki = Pki(Path(platform.addresses.pki))
        async with OperatorSession(platform.addresses.services, pki.layout.root / "mesh" / "operator") as operator:
            return {
                kind: await enrol(plan, pki, operator, platform.addresses, pki.layout.signing_trust)
                for kind, plan in ORGANS.items()
            }

    return asyncio.run(enrol_all())


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
async def test_a_flow_leads_where_its_table_says(flow: Flow, agencies: Agencies, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        run = FlowRun(await open_organs(stack, agencies, organs_of(flow.steps)), tmp_path)
        await run.register(flow.steps[0].sender, flow.registration())
        assert flow.start == await run.position()
        outcomes = await run.run(flow.steps)
    assert [(step.node.code, step.position) for step in flow.steps] == [
        (outcome.step.node.code, outcome.position) for outcome in outcomes
    ]


async def test_a_third_return_for_supplementary_investigation_is_warned_of(agencies: Agencies, tmp_path: Path) -> None:
    flow = next(flow for flow in FLOWS if flow.name == "supplementary investigation twice")
    async with AsyncExitStack() as stack:
        run = FlowRun(await open_organs(stack, agencies, organs_of(flow.steps)), tmp_path)
        await run.register("GA", flow.registration())
        await run.run(flow.steps)
        found = await run.organs["JCY"].officer.preflight.PreflightExchange(
            exchange_preflight_service_pb2.PreflightExchangeRequest(
                case=run.case.name,
                node="nodes/QS013",
                recipient=run.organs["GA"].agency.name,
                parties=[run.case.parties[0].name],
                dossier_version=run.outcomes[-1].exchange.dossier_version,
            )
        )
    order = [finding for finding in found.findings if finding.reason.startswith("ORDER_")]
    assert [("ORDER_TOO_OFTEN", False)] == [(finding.reason, finding.blocking) for finding in order]


def test_the_demo_leads_one_defendant_from_filing_to_release_as_its_table_says(
    platform: RunningPlatform, tmp_path: Path
) -> None:
    figures = tmp_path / "rows.json"
    arguments = ["demo", "--full-loop", "--data", str(Path(platform.addresses.pki).parent), "--json", str(figures)]
    finished = CliRunner().invoke(app, [*arguments, "--lang", "zh"])
    assert finished.exit_code == 0, finished.stderr
    rows = json.loads(figures.read_text(encoding="utf-8"))
    assert [(step.node.code, asdict(step.position)) for step in FULL_LOOP] == [
        (row["node"], row["position"]) for row in rows
    ]
    assert (True, True) == (len({row["node"] for row in rows}) >= 25, len(organs_of(FULL_LOOP)) >= 7)
    with_dossier = {"DB001", "QS001", "YS001", "ES001", "ES016", "JX001"}
    assert with_dossier == {row["node"] for row in rows if row["dossier_version"]}
    for word in ("从立案到释放", "诉讼阶段", "逮捕", "二审", "服刑", "终结"):
        assert word in finished.stdout, word
