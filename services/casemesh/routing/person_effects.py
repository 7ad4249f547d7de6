"""What an exchange states of the persons it is about, once it is submitted or accepted.

It is written with the exchange, in the same statement. Most nodes state nothing, and cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from casemesh.core.names import NODE, PARTY
from casemesh.data.procedure import Moment
from casemesh.routing.case_store import day_begins
from casemesh.routing.person_store import Source, Statement, state_persons, take_back
from casemesh.routing.procedure import shipped_procedure
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Transaction, Writes


def state_effects(writes: Writes, exchange: exchange_pb2.Exchange, moment: Moment, at: datetime) -> None:
    """Add to `writes` what becomes of the exchange's parties at this moment.

    It holds from the day on that the exchange gives for it, or that its paper was handed over on, else from `at` on;
    never from a time ahead. The word is the sender's when it is submitted, the recipient's when it is accepted.
    """
    node = NODE.parse(exchange.node)["node"]
    procedure = shipped_procedure()
    statements = []
    for party in exchange.parties:
        # What is said of the party itself comes after what is said of all, and so stands.
        about = [field for field in exchange.fields if field.party in ("", party)]
        said = {field.key: field for field in sorted(about, key=lambda field: bool(field.party))}
        flags = {key: field.flag for key, field in said.items() if field.WhichOneof("value") == "flag"}
        changes = procedure.changes(node, moment, sender=exchange.sender, recipient=exchange.recipient, flags=flags)
        party_id = PARTY.parse(party)["party"]
        for change in changes:
            since = _since(exchange, said.get(change.dated_by), at)
            statements.append(Statement(party_id, change.aspect, change.value, since, change.only_from))
    agency = exchange.sender if moment is Moment.SUBMITTED else exchange.recipient
    state_persons(writes, statements, Source(exchange.name, agency, at, node))


def _since(exchange: exchange_pb2.Exchange, dated: exchange_pb2.PayloadField | None, at: datetime) -> datetime:
    if dated is not None and dated.WhichOneof("value") == "date":
        return min(at, day_begins(dated.date, at))
    if exchange.HasField("paper"):
        return min(at, day_begins(exchange.paper.handed_over_on, at))
    return at


async def apply_effects(
    transaction: Transaction, exchange: exchange_pb2.Exchange, moment: Moment, at: datetime
) -> None:
    """As `state_effects`, at once: one round trip, and none where the node states nothing."""
    writes = Writes()
    state_effects(writes, exchange, moment, at)
    if len(writes):
        await transaction.write(writes)


async def take_back_effects(
    transaction: Transaction, exchange: exchange_pb2.Exchange, parties: Sequence[str], at: datetime, *, reason: str
) -> None:
    """Let what an exchange stated of these parties no longer hold."""
    writes = Writes()
    named = [PARTY.parse(party)["party"] for party in parties]
    take_back(writes, named, Source(exchange.name, exchange.sender, at, NODE.parse(exchange.node)["node"], reason))
    await transaction.write(writes)
