"""Putting an exchange in line for an agency: its number, and whether it is due at once.

Numbers of one case and recipient have no gaps and grow in the order of commits. A delivery is due from its release on,
and released once its recipient has the access it brings and no earlier one of the same case and recipient still waits
for that. The counter's row is locked by whoever numbers or releases, and says how many wait.
"""

from __future__ import annotations

from enum import StrEnum

from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, CASE, DELIVERY, EXCHANGE
from casemesh.routing.exchange_store import FIRST_ID
from casemesh.routing.obligation_store import OWE, Obligation, arguments_of
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Transaction, Writes


class Purpose(StrEnum):
    """Why an exchange is put before an agency."""

    HANDLE = "HANDLE"
    COPY = "COPY"
    CHANGE = "CHANGE"
    """It has changed since; its sides, and who has a copy, are told so."""


_NUMBER = """
INSERT INTO delivery_counter AS counter (case_id, recipient, last_sequence, unreleased)
VALUES ($1, $2, 1, {held})
ON CONFLICT (case_id, recipient) DO UPDATE SET
    last_sequence = counter.last_sequence + 1,
    unreleased = counter.unreleased + CASE WHEN counter.unreleased + excluded.unreleased > 0 THEN 1 ELSE 0 END
RETURNING last_sequence, unreleased
"""
_PLACE = """
INSERT INTO delivery
    (delivery_id, exchange_id, case_id, recipient, delivery_sequence, purpose, heavy, fulfilled, due_at)
SELECT $1::uuid, $2::uuid, $3::uuid, $4::uuid, last_sequence, $5, $6::boolean, {held} = 0,
    CASE WHEN unreleased = 0 THEN clock_timestamp() END
FROM {numbered}
"""
_OWED = "(SELECT count(*) FROM owed)"
_NUMBER_OWED, _NUMBER_FREE = _NUMBER.format(held=_OWED), _NUMBER.format(held="0")
_LOCK_COUNTER = "SELECT last_sequence FROM delivery_counter WHERE case_id = $1 AND recipient = $2 FOR UPDATE"
# In the order of their numbers: what an earlier one still owes holds a later one of the same case and recipient. A
# statement does not see its own changes, so the delivery in hand counts as fulfilled by its id.
_RELEASE = """
WITH released AS (
    UPDATE delivery
    SET fulfilled = fulfilled OR delivery_id = $3,
        due_at = CASE WHEN (fulfilled OR delivery_id = $3) AND NOT EXISTS (
            SELECT FROM delivery AS earlier
            WHERE earlier.case_id = $1 AND earlier.recipient = $2 AND earlier.due_at IS NULL AND NOT earlier.fulfilled
                AND earlier.delivery_id <> $3 AND earlier.delivery_sequence < delivery.delivery_sequence
        ) THEN clock_timestamp() END
    WHERE case_id = $1 AND recipient = $2 AND due_at IS NULL
    RETURNING due_at
)
UPDATE delivery_counter SET unreleased = unreleased - (SELECT count(*) FROM released WHERE due_at IS NOT NULL)
WHERE case_id = $1 AND recipient = $2
"""
# What is not released, all that comes after it is not either, so nobody has seen the numbers that move up.
_WITHHOLD = """
WITH gone AS (
    SELECT delivery_id, delivery_sequence AS number FROM delivery
    WHERE case_id = $1 AND recipient = $2 AND exchange_id = $3 AND due_at IS NULL
), withheld AS (
    UPDATE delivery SET delivery_sequence = NULL, due_at = 'infinity', reason = '', detail = '', overdue_time = NULL
    FROM gone WHERE delivery.delivery_id = gone.delivery_id
), moved_up AS (
    UPDATE delivery
    SET delivery_sequence = delivery_sequence - (SELECT count(*) FROM gone WHERE number < delivery_sequence)
    WHERE case_id = $1 AND recipient = $2 AND due_at IS NULL AND delivery_id NOT IN (SELECT delivery_id FROM gone)
)
UPDATE delivery_counter SET last_sequence = last_sequence - found.count, unreleased = unreleased - found.count
FROM (SELECT count(*) FROM gone) AS found WHERE case_id = $1 AND recipient = $2
"""
_IS_PUT = "SELECT FROM delivery WHERE exchange_id = $1 AND recipient = $2 AND delivery_sequence IS NOT NULL LIMIT 1"

OPEN_OBLIGATION = "SELECT resource FROM owed"
"""The answer to ask of writes with `place_owing`: a row where the recipient's access is still to be settled."""


def delivery_of(exchange: str) -> str:
    """Return the name of a new delivery of `exchange`."""
    return DELIVERY.format(exchange=EXCHANGE.parse(exchange)["exchange"], delivery=new_id())


def place_owing(writes: Writes, exchange: exchange_pb2.Exchange, owed: Obligation) -> None:
    """Number the delivery of an exchange to its recipient, which is the cause of `owed`, and keep what access it is
    owed first: to take part in the case, unless it does, and the dossier version. Due at once where that is nothing.
    Once in `writes`."""
    writes.add("owed", OWE, *arguments_of(owed))
    _place(writes, owed.resource, exchange, exchange.recipient, Purpose.HANDLE, owing=True)


def place(writes: Writes, exchange: exchange_pb2.Exchange, recipient: str, purpose: Purpose) -> None:
    """Number a delivery to an agency that has all the access it needs. Once per recipient in `writes`."""
    _place(writes, delivery_of(exchange.name), exchange, recipient, purpose, owing=False)


def _place(
    writes: Writes, delivery: str, exchange: exchange_pb2.Exchange, recipient: str, purpose: Purpose, *, owing: bool
) -> None:
    names = DELIVERY.parse(delivery)
    case_id, agency_id = CASE.parse(exchange.case)["case"], AGENCY.parse(recipient)["agency"]
    numbered = f"numbered_{len(writes)}"
    writes.add(numbered, _NUMBER_OWED if owing else _NUMBER_FREE, case_id, agency_id)
    heavy = bool(exchange.dossier_version) and purpose is Purpose.HANDLE
    sql = _PLACE.format(held=_OWED if owing else "0", numbered=numbered)
    writes.add(
        f"placed_{numbered}", sql, names["delivery"], names["exchange"], case_id, agency_id, purpose.value, heavy
    )


async def release(transaction: Transaction, delivery: str, case: str, recipient: str) -> None:
    """Say that the recipient has what access the delivery brings, and make due what nothing holds any more."""
    case_id, agency_id = CASE.parse(case)["case"], AGENCY.parse(recipient)["agency"]
    await transaction.execute(_LOCK_COUNTER, case_id, agency_id)
    await transaction.execute(_RELEASE, case_id, agency_id, DELIVERY.parse(delivery)["delivery"])


async def withhold(transaction: Transaction, exchange: exchange_pb2.Exchange, recipient: str) -> bool:
    """Never put before an agency what of an exchange is not released to it yet; those after it move up. Return whether
    the agency has another delivery of the exchange, and so knows or will know of it."""
    exchange_id = EXCHANGE.parse(exchange.name)["exchange"]
    case_id, agency_id = CASE.parse(exchange.case)["case"], AGENCY.parse(recipient)["agency"]
    await transaction.execute(_LOCK_COUNTER, case_id, agency_id)
    await transaction.execute(_WITHHOLD, case_id, agency_id, exchange_id)
    await transaction.execute(_RELEASE, case_id, agency_id, FIRST_ID)
    return await transaction.fetchrow(_IS_PUT, exchange_id, agency_id) is not None
