"""Ending an exchange before it was answered: what it still owes is forgone, and who knows of it is told."""

from __future__ import annotations

from casemesh.routing.obligation_store import forgo
from casemesh.routing.placing import Purpose, place, withhold
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Transaction, Writes


async def tell(transaction: Transaction, exchange: exchange_pb2.Exchange, agency: str) -> None:
    """Put a changed exchange before an agency, in the transaction of the change."""
    writes = Writes()
    place(writes, exchange, agency, Purpose.CHANGE)
    await transaction.write(writes)


async def end(transaction: Transaction, exchange: exchange_pb2.Exchange, *, tell_sender: bool) -> list[str]:
    """Forgo the access that a locked exchange still owes, withhold what was never released, and tell those who have
    seen it or are about to; return whom.

    In the transaction that ends the exchange. Access that was given stays: it is how its recipient came into the case.
    """
    await forgo(transaction, exchange.name)
    told = []
    # In one order, so that two exchanges between the same agencies do not wait for each other.
    for agency in sorted({exchange.sender, exchange.recipient, *exchange.copies_to}):
        if agency == exchange.sender:
            concerned = tell_sender
        else:
            concerned = await withhold(transaction, exchange, agency)
        if concerned:
            await tell(transaction, exchange, agency)
            told.append(agency)
    return told
