"""What the operator's side of the store records: the same events as calls do, by the operator or the service itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casemesh.core.clock import Clock
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.peers import Peer
from casemesh.runtime.postgres import Transaction

KEY_REWRAPPED: Final = "dossier.case_key.rewrapped"
CASE_ERASED: Final = "dossier.case.erased"
DRAFT_EXPIRED: Final = "dossier.draft.expired"
PACK_DAMAGED: Final = "dossier.pack.damaged"
PACK_REPAIRED: Final = "dossier.pack.repaired"
PACK_QUARANTINED: Final = "dossier.pack.quarantined"
STORE_CHECKED: Final = "dossier.store.checked"

BY_OPERATOR: Final = Call("casemeshd dossier", peer=Peer.OPERATOR)
BY_SERVICE: Final = Call("dossier care", peer=Peer.DOSSIER)


async def record_care(
    transaction: Transaction,
    clock: Clock,
    by: Call,
    action: str,
    resource: str,
    case: str,
    details: Mapping[str, str] | None = None,
) -> None:
    """Write the event of a change in the transaction that makes it."""
    await record(transaction, by, event_of(by, clock, action, resource, case=case, details=details))
