"""A receipt out of the platform as one file, with the proof of its place in the audit log."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from casemesh.client import receipts, statements
from casemesh.client.retry import pauses
from casemesh.client.trail_export import export_trail
from casemesh.core import strict_base64
from casemesh.routing.v1 import receipt_service_pb2

if TYPE_CHECKING:
    from casemesh.audit.v1.audit_query_service_pb2_grpc import AuditQueryServiceAsyncStub
    from casemesh.routing.v1.receipt_service_pb2_grpc import ReceiptServiceAsyncStub


async def export_receipt(
    stub: ReceiptServiceAsyncStub, audit: AuditQueryServiceAsyncStub, name: str, *, with_log: bool = True
) -> bytes:
    """Return the file of a receipt, not yet verified.

    `with_log` adds the place of its event in the log, for which the trail of the case is read (that is itself an event,
    and needs the right to it); an event of this second may not be there yet and is waited for a little, and left out
    after that. Raises CaseMeshError.
    """
    answer = await stub.GetReceipt(receipt_service_pb2.GetReceiptRequest(name=name))
    statement = answer.receipt.statement
    if not with_log:
        return receipts.encode_file(statement, None)
    case = json.loads(strict_base64.decode(statements.parse_envelope(statement)["payload"]))["case"]
    for pause in (*pauses(), None):
        file = receipts.encode_file(statement, await export_trail(audit, case))
        if pause is None or json.loads(file)["log"] is not None:
            break
        await asyncio.sleep(pause)
    return file
