"""A recipient's word that it holds a version whole, signed (送达确认)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from casemesh.client import delivery_confirmation, statements
from casemesh.client.delivery_confirmation import Confirmation
from casemesh.client.statements import SigningKey
from casemesh.core.clock import Clock
from casemesh.dossier.delivering.store import DeliveryStore
from casemesh.dossier.policy import VERSION_CONFIRMED
from casemesh.dossier.resources import delivery_message
from casemesh.dossier.store import StoredVersion
from casemesh.dossier.v1 import dossier_delivery_service_pb2 as pb
from casemesh.errors import FailedPrecondition
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember


@dataclass(frozen=True)
class Confirming:
    """Carries out ConfirmDownload."""

    database: Database
    store: DeliveryStore
    signing: SigningKey
    clock: Clock

    async def confirm(
        self, version: StoredVersion, request: pb.ConfirmDownloadRequest, call: Call
    ) -> pb.ConfirmDownloadResponse:
        """The agency's state with its first confirmation, however often it confirms.

        Raises FailedPrecondition (DOSSIER_ROOT_MISMATCH).
        """
        caller = call.require_caller()
        async with self.database.transaction() as transaction:
            stored = await recall(transaction, call, request, pb.ConfirmDownloadResponse)
            if stored is not None:
                return stored
            if request.root_hash != version.root_hash:
                raise FailedPrecondition(
                    "DOSSIER_ROOT_MISMATCH",
                    "root_hash is not the version's root: what is held is not what was finalised",
                    {"field": "root_hash"},
                )
            delivery = await self.store.lock(transaction, version, caller.agency)
            if delivery.confirmed_at is None:
                now = self.clock.now()
                confirmation = Confirmation(
                    version.name, version.case_name, caller.agency, caller.subject, version.root_hash, now
                )  # fmt: skip
                envelope = statements.sign(
                    delivery_confirmation.payload(confirmation), delivery_confirmation.PAYLOAD_TYPE, self.signing
                )
                encoded = json.dumps(envelope, separators=(",", ":")).encode()
                delivery = await self.store.confirm(transaction, version, caller.agency, now, encoded)
                event = event_of(
                    call, self.clock, VERSION_CONFIRMED, version.name, case=version.case_name,
                    details={"recipient": caller.agency, "root_hash": version.root_hash.hex()},
                )  # fmt: skip
                await record(transaction, call, event)
            response = pb.ConfirmDownloadResponse(delivery=delivery_message(version, delivery))
            await remember(transaction, call, request, response)
        return response
