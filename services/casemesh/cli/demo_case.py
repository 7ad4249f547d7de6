"""One case from the police to the procuratorate and on to the court, step by step as agencies would do it.

Only the SDK is used, through the gateway, with the certificates and tokens of three agencies. Persons, agencies and
facts are invented.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from google.type.date_pb2 import Date

from casemesh import data
from casemesh.cli.demo_agencies import EnrolledAgency
from casemesh.cli.demo_inbox import Inbox
from casemesh.client.session import Session
from casemesh.client.trail import VerifiedTrail
from casemesh.client.trail_export import export_trail, verify_trail
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.clock import CHINA
from casemesh.core.ids import new_id
from casemesh.errors import Unavailable
from casemesh.identity.v1 import access_admin_service_pb2
from casemesh.routing.v1 import case_pb2, case_service_pb2, exchange_pb2, exchange_service_pb2
from casemesh.routing.v1.collaboration_node_service_pb2 import ListNodesRequest
from casemesh.routing.v1.exchange_pb2 import PayloadField

if TYPE_CHECKING:
    from cryptography import x509

    from casemesh.client.profile import Profile

TRANSFER = "移送审查起诉"
PROSECUTION = "提起公诉"
JUDGMENT = "判决书、裁定书送达检察院"
_POLICE_TABLE = "police-case-categories"
_THEFT, _CONCEALMENT = "盗窃案", "掩饰、隐瞒犯罪所得、犯罪所得收益案"
_LOG_SECONDS = 20.0
_LET_IN_ATTEMPTS = 60


@dataclass(frozen=True)
class Organ:
    """An agency at work: its officer's session, its system's, and what it receives."""

    agency: EnrolledAgency
    officer: Session
    system: Session
    inbox: Inbox


async def open_organ(stack: AsyncExitStack, agency: EnrolledAgency, work: Path) -> Organ:
    """Open an agency's sessions and start receiving; all of it ends with `stack`."""
    officer = await stack.enter_async_context(Session(agency.officers[0]))
    system = await stack.enter_async_context(Session(agency.system, as_system=True))
    inbox = await stack.enter_async_context(Inbox(system, work / "inbox" / agency.code))
    return Organ(agency, officer, system, inbox)


async def let_in(session: Session) -> None:
    """Return once the gateway knows the agency: at once on one machine, within two minutes in a cluster, where a trust
    bundle takes its way through the API server and kubelet. Raises Unavailable when it goes on refusing."""
    for _ in range(_LET_IN_ATTEMPTS):
        with suppress(Unavailable):
            await session.nodes.ListNodes(ListNodesRequest(page_size=1))
            return
        await asyncio.sleep(2)
    await session.nodes.ListNodes(ListNodesRequest(page_size=1))


async def open_session(stack: AsyncExitStack, profile: Profile) -> Session:
    """Open one more session that ends with `stack`."""
    return await stack.enter_async_context(Session(profile))


def node_titled(title: str) -> str:
    """Return the collaboration node of that Chinese name in the shipped catalogue."""
    return f"nodes/{next(node.code for node in data.nodes() if node.name_zh == title)}"


async def register(police: Organ) -> case_pb2.Case:
    """Register a case with two suspects, their charges in the police's own table, and their custody."""
    request = case_service_pb2.RegisterCaseRequest(
        request_id=new_id(),
        title="犯罪嫌疑人甲、乙盗窃、掩饰隐瞒犯罪所得案(演示)",
        local_number=f"演示公侦{dt.datetime.now(dt.UTC):%Y%m%d%H%M%S}",
        parties=[
            case_service_pb2.PartyDraft(
                kind=case_pb2.PARTY_KIND_PERSON,
                display_name="犯罪嫌疑人甲",
                charges=[police_code(_THEFT)],
                custody=case_pb2.Custody(
                    state=case_pb2.CUSTODY_STATE_ARRESTED, since=_today(), place="北湖市看守所(演示)"
                ),
            ),
            case_service_pb2.PartyDraft(
                kind=case_pb2.PARTY_KIND_PERSON,
                display_name="犯罪嫌疑人乙",
                charges=[police_code(_THEFT), police_code(_CONCEALMENT)],
                custody=case_pb2.Custody(state=case_pb2.CUSTODY_STATE_BAIL, since=_today()),
            ),
        ],
    )
    return (await police.officer.cases.RegisterCase(request)).case


async def submit(
    sender: Organ, recipient: Organ, case: case_pb2.Case, title: str, version: str, fields: Sequence[PayloadField]
) -> exchange_pb2.Exchange:
    """Submit all parties of the case, with a dossier version, by the node of that name."""
    request = exchange_service_pb2.SubmitExchangeRequest(
        request_id=new_id(),
        case=case.name,
        node=node_titled(title),
        recipient=recipient.agency.name,
        parties=[party.name for party in case.parties],
        fields=fields,
        dossier_version=version,
    )
    return (await sender.officer.exchanges.SubmitExchange(request)).exchange


async def take_on(recipient: Organ, exchange: exchange_pb2.Exchange, local_number: str) -> exchange_pb2.Exchange:
    """Assign the recipient's officer to the case, and have the officer accept."""
    assignment = access_admin_service_pb2.AssignOfficerRequest(
        request_id=new_id(), case=exchange.case, officer=recipient.agency.officers[0].officer, reason="承办(演示)"
    )
    await recipient.system.access_admin.AssignOfficer(assignment)
    request = exchange_service_pb2.AcceptExchangeRequest(
        request_id=new_id(), exchange=exchange.name, local_number=local_number
    )
    return (await recipient.officer.exchanges.AcceptExchange(request)).exchange


async def give_judgment(court: Organ, exchange: exchange_pb2.Exchange) -> exchange_pb2.Exchange:
    """Answer the prosecution with the notice of judgment."""
    request = exchange_service_pb2.AnswerExchangeRequest(
        request_id=new_id(),
        exchange=exchange.name,
        node=node_titled(JUDGMENT),
        fields=[
            PayloadField(key="judgment_number", text="(演示)刑初1号"),
            PayloadField(key="judgment_date", date=_today()),
            PayloadField(key="outcome", text="有罪判决(演示)"),
        ],
    )
    return (await court.officer.exchanges.AnswerExchange(request)).exchange


def transfer_fields() -> list[PayloadField]:
    """Return the business data of the transfer: the opinion, the day, and the main charge in the police's table."""
    return [
        PayloadField(key="opinion", text="犯罪事实清楚, 证据确实充分, 移送审查起诉(演示)"),
        PayloadField(key="transfer_date", date=_today()),
        PayloadField(key="main_charge", coded=police_code(_THEFT)),
    ]


def prosecution_fields(charge: CodedValue) -> list[PayloadField]:
    """Return the business data of the indictment, with the charge as it was translated for the procuratorate."""
    return [
        PayloadField(key="document_number", text="演示检刑诉1号"),
        PayloadField(key="main_charge", coded=charge),
    ]


def translated(exchange: exchange_pb2.Exchange, field: str) -> CodedValue:
    """Return what the recipient reads for a coded field. Raises LookupError when it did not translate."""
    for item in exchange.translations:
        if item.field == field and item.translation.targets:
            return item.translation.targets[0].value
    raise LookupError(f"{field} was not translated")


async def prove_trail(reader: Session, case: str, roots: Sequence[x509.Certificate], *, last: str) -> VerifiedTrail:
    """Export the case's trail and verify it offline, once it holds the event `last`.

    Events reach the log through the services' outboxes, a moment after what they tell of. Raises TrailError for a trail
    that does not verify, TimeoutError when the event does not come.
    """
    async with asyncio.timeout(_LOG_SECONDS):
        while True:
            bundle = await export_trail(reader.audit, case)
            verified = await asyncio.to_thread(verify_trail, bundle, log_key=None, signing_roots=roots, case=case)
            if any(event.get("action") == last for event in verified.events):
                return verified
            await asyncio.sleep(0.3)


def police_code(title: str) -> CodedValue:
    """Return the police's code of that name from the shipped table."""
    table = next(pack for pack in data.code_system_packs() if pack.code_system == _POLICE_TABLE)
    for line in table.csv.decode().splitlines()[1:]:
        code, name, *_ = line.split(",")
        if name.strip('"') == title:
            return CodedValue(code_system=_POLICE_TABLE, code=code)
    raise LookupError(f"{_POLICE_TABLE} has no {title}")


def _today() -> Date:
    day = dt.datetime.now(CHINA).date()
    return Date(year=day.year, month=day.month, day=day.day)
