"""Runs a flow: a table of steps between organs about one person, each followed by where the person stands then.

A flow is written as a table that a lawyer can read:

    from | node  | to  | how             | payload         | stage         | measure  | held by | held for
    GA   | QZ001 | KSS | asks            | note=...        |               |          |         |
    KSS  | QZ002 | GA  | answers         | admitted:yes    | INVESTIGATION | DETAINED | KSS     | GA

`asks` submits an exchange, `answers` answers the newest open one that the node may answer; with `, accepted` an officer
of the recipient accepts it. A blank cell of the right four says that nothing changes, `-` that nothing is stated or
nobody holds the person. Only the SDK is used, through the gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from casemesh.cli.payload_fields import parse_field
from casemesh.client.dossier_upload import LocalDocument, finalize_dossier, upload_documents
from casemesh.client.session import Session
from casemesh.core.ids import new_id
from casemesh.data import CollaborationNode, nodes
from casemesh.dossier.v1 import dossier_service_pb2
from casemesh.identity.v1 import access_admin_service_pb2
from casemesh.routing.v1 import (
    case_pb2,
    case_progress_pb2,
    case_progress_service_pb2,
    case_service_pb2,
    collaboration_node_service_pb2,
    exchange_pb2,
    exchange_service_pb2,
)

if TYPE_CHECKING:
    from casemesh.cli.demo_agencies import EnrolledAgency

_COLUMNS = 9
_DELIVERY_SECONDS = 60.0
_WITH_DOSSIER = frozenset({"full", "partial", "supplement"})


@dataclass(frozen=True)
class Position:
    """Where a person stands: names of the contract's values without their prefix, organs by their kind; "" for none."""

    stage: str = ""
    measure: str = ""
    held_by: str = ""
    held_for: str = ""


@dataclass(frozen=True)
class FlowStep:
    """One line of a flow. `position` is where the person stands after it."""

    sender: str
    node: CollaborationNode
    recipient: str
    answers: bool
    accepted: bool
    payload: tuple[str, ...]
    position: Position


@dataclass(frozen=True)
class FlowOrgan:
    """An agency at work: its officer's session and its system's."""

    agency: EnrolledAgency
    officer: Session
    system: Session


@dataclass
class FlowOutcome:
    """What a step came to: the exchange, and where the person stands in the platform's own word."""

    step: FlowStep
    exchange: exchange_pb2.Exchange
    position: Position


def flow(table: str, start: Position = Position()) -> tuple[FlowStep, ...]:
    """Return the steps of a table; its first line is the heading. `start` is where the person stands before.

    Raises ValueError for a line that is none, KeyError for a node that does not exist.
    """
    catalogue = {node.code: node for node in nodes()}
    steps: list[FlowStep] = []
    position = start
    for line in [line for line in table.splitlines() if line.strip()][1:]:
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) != _COLUMNS:
            raise ValueError(f"a step has {_COLUMNS} cells: {line!r}")
        sender, node, recipient, how, payload, *states = cells
        verb, _, accepted = how.partition(", ")
        if verb not in ("asks", "answers") or accepted not in ("", "accepted"):
            raise ValueError(f"asks or answers, perhaps accepted: {line!r}")
        for key, state in zip(("stage", "measure", "held_by", "held_for"), states, strict=True):
            if state:
                position = replace(position, **{key: "" if state == "-" else state})
        fields = tuple(part.strip() for part in payload.split(";") if part.strip())
        steps.append(FlowStep(sender, catalogue[node], recipient, verb == "answers", bool(accepted), fields, position))
    return tuple(steps)


def organs_of(steps: Sequence[FlowStep]) -> list[str]:
    """Return the organs that take part, in the order in which they come in."""
    return list(dict.fromkeys(organ for step in steps for organ in (step.sender, step.recipient)))


async def open_organs(
    stack: AsyncExitStack, agencies: Mapping[str, EnrolledAgency], organs: Sequence[str]
) -> dict[str, FlowOrgan]:
    """Open the sessions of these organs; all of them end with `stack`."""
    opened = {}
    for organ in organs:
        agency = agencies[organ]
        officer = await stack.enter_async_context(Session(agency.officers[0]))
        system = await stack.enter_async_context(Session(agency.system, as_system=True))
        opened[organ] = FlowOrgan(agency, officer, system)
    return opened


@dataclass
class FlowRun:
    """One run of one flow. `work` is a folder for the small dossiers that go along."""

    organs: Mapping[str, FlowOrgan]
    work: Path
    case: case_pb2.Case = field(default_factory=case_pb2.Case)
    outcomes: list[FlowOutcome] = field(default_factory=list)
    _assigned: set[str] = field(default_factory=set)
    _open: list[exchange_pb2.Exchange] = field(default_factory=list)
    _versions: dict[str, str] = field(default_factory=dict)

    async def register(self, organ: str, request: case_service_pb2.RegisterCaseRequest) -> case_pb2.Case:
        """Register the case; the person of the flow is its first party."""
        self.case = (await self.organs[organ].officer.cases.RegisterCase(request)).case
        self._assigned.add(organ)
        return self.case

    async def run(
        self, steps: Sequence[FlowStep], told: Callable[[FlowOutcome], Awaitable[None]] | None = None
    ) -> list[FlowOutcome]:
        """Take the steps one after another. Raises CaseMeshError with what refuses one, TimeoutError, and
        LookupError for an answer to nothing."""
        for step in steps:
            exchange = await self._take(step)
            outcome = FlowOutcome(step, exchange, await self.position())
            self.outcomes.append(outcome)
            if told is not None:
                await told(outcome)
        return self.outcomes

    async def position(self) -> Position:
        """Return where the person stands, as the registering organ sees it."""
        by_name = {organ.agency.name: kind for kind, organ in self.organs.items()}
        person = (await self.progress(next(iter(self.organs)))).persons[0]
        stage = case_pb2.ProcedureStage.Name(person.stage).removeprefix("PROCEDURE_STAGE_")
        measure = case_pb2.CustodyState.Name(person.measure).removeprefix("CUSTODY_STATE_")
        return Position(
            stage="" if stage == "UNSPECIFIED" else stage,
            measure="" if measure == "UNSPECIFIED" else measure,
            held_by=by_name.get(person.custodian, ""),
            held_for=by_name.get(person.authority, ""),
        )

    async def progress(self, organ: str) -> case_progress_pb2.CaseProgress:
        """Return the progress of the case as an organ's officer sees it."""
        request = case_progress_service_pb2.GetProgressRequest(case=self.case.name)
        return (await self.organs[organ].officer.case_progress.GetProgress(request)).progress

    async def _take(self, step: FlowStep) -> exchange_pb2.Exchange:
        sender, recipient = self.organs[step.sender], self.organs[step.recipient]
        fields = [parse_field(text) for text in step.payload]
        version = await self._version(step) if step.node.dossier in _WITH_DOSSIER else ""
        node = f"nodes/{step.node.code}"
        if step.answers:
            asked = await self._asked(step)
            answer = exchange_service_pb2.AnswerExchangeRequest(
                request_id=new_id(), exchange=asked.name, node=node, fields=fields, dossier_version=version
            )
            exchange = (await sender.officer.exchanges.AnswerExchange(answer)).exchange
        else:
            submission = exchange_service_pb2.SubmitExchangeRequest(
                request_id=new_id(),
                case=self.case.name,
                node=node,
                recipient=recipient.agency.name,
                parties=[self.case.parties[0].name],
                fields=fields,
                dossier_version=version,
            )
            exchange = (await sender.officer.exchanges.SubmitExchange(submission)).exchange
        self._open.append(exchange)
        await self._receive(recipient, exchange.name)
        if version:
            self._versions[step.recipient] = version
        if step.recipient not in self._assigned:
            await self._assign(step.recipient)
        if step.accepted:
            accept = exchange_service_pb2.AcceptExchangeRequest(request_id=new_id(), exchange=exchange.name)
            exchange = (await recipient.officer.exchanges.AcceptExchange(accept)).exchange
        return exchange

    async def _asked(self, step: FlowStep) -> exchange_pb2.Exchange:
        """Return the newest exchange from the recipient to the sender that the node may answer by the catalogue."""
        sender, recipient = self.organs[step.sender], self.organs[step.recipient].agency.name
        for exchange in reversed(self._open):
            if (exchange.sender, exchange.recipient) == (recipient, sender.agency.name):
                request = collaboration_node_service_pb2.GetNodeRequest(name=exchange.node)
                node = (await sender.officer.nodes.GetNode(request)).node
                if f"nodes/{step.node.code}" in node.feedback_nodes:
                    return exchange
        raise LookupError(f"nothing waits for {step.node.code}")

    async def _receive(self, recipient: FlowOrgan, exchange: str) -> None:
        """Store what waits for the recipient until the exchange is among it."""
        async with asyncio.timeout(_DELIVERY_SECONDS):
            while True:
                pull = exchange_service_pb2.PullDeliveriesRequest()
                deliveries = (await recipient.system.exchanges.PullDeliveries(pull)).deliveries
                for delivery in deliveries:
                    acknowledge = exchange_service_pb2.AcknowledgeDeliveryRequest(
                        request_id=new_id(), delivery=delivery.name
                    )
                    await recipient.system.exchanges.AcknowledgeDelivery(acknowledge)
                if any(delivery.exchange.name == exchange for delivery in deliveries):
                    return
                await asyncio.sleep(0.05)

    async def _assign(self, organ: str) -> None:
        officer = self.organs[organ].agency.officers[0].officer
        request = access_admin_service_pb2.AssignOfficerRequest(
            request_id=new_id(), case=self.case.name, officer=officer, reason="承办(演示)"
        )
        await self.organs[organ].system.access_admin.AssignOfficer(request)
        self._assigned.add(organ)

    async def _version(self, step: FlowStep) -> str:
        """Return the dossier version that goes along: what the sender has, or a small one of its own."""
        held = self._versions.get(step.sender, "")
        if held and step.node.dossier != "supplement":
            return held
        session = self.organs[step.sender].officer
        path = self.work / f"{step.node.code}-{new_id()}.txt"
        await asyncio.to_thread(path.write_text, f"{step.node.name_zh}(演示)\n", encoding="utf-8")
        document = LocalDocument(path, "诉讼文书卷", f"{step.node.name_zh}.txt", "text/plain", 1)
        create = dossier_service_pb2.CreateDossierRequest(
            request_id=new_id(), case=self.case.name, title=f"{step.node.name_zh}(演示)"
        )
        dossier = (await session.dossiers.CreateDossier(create)).dossier.name
        uploaded = await upload_documents(session.dossiers, dossier, [document], upload_id=new_id())
        version = await finalize_dossier(session.dossiers, uploaded, request_id=new_id())
        self._versions[step.sender] = version.name
        return version.name
