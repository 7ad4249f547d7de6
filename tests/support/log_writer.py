"""A writer of the log as a process of its own, to be killed: appends small batches until it is, and prints each one's
events once it was told that they are durable.

    python -m tests.support.log_writer DSN KEY_HEX ORIGIN LAST_CHECKPOINT
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.audit.events import Submitted, submitted
from casemesh.audit.last_checkpoint import LastCheckpoint
from casemesh.audit.sequencer import Sequencer
from casemesh.audit.store import LogStore
from casemesh.audit.v1 import event_pb2
from casemesh.client.notes import NoteSigner
from casemesh.core.clock import SystemClock
from casemesh.core.ids import new_id
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.postgres import Database


def made_events(*cases: str) -> list[Submitted]:
    """Return an event of each case, all of one source."""
    made = []
    for case in cases:
        event = event_pb2.Event(event_id=new_id(), case=case, action="dossier.document.read")
        event.occur_time.GetCurrentTime()
        made.append(event)
    return submitted(made, "dossier")


async def _write(dsn: str, key: str, origin: str, last: str) -> None:
    database = Database(dsn, DatabaseConfig(dsn_file=Path("unused"), pool_size=1))
    await database.open()
    signer = NoteSigner(origin, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(key)))
    sequencer = Sequencer(LogStore(database), signer, LastCheckpoint(Path(last)), SystemClock())
    await sequencer.open()
    case = f"cases/{new_id()}"
    while True:
        batch = made_events(case, case, "")
        print(json.dumps({"trying": [event.event_id for event in batch]}), flush=True)
        await sequencer.append([batch])
        print(json.dumps({"durable": [event.event_id for event in batch]}), flush=True)


if __name__ == "__main__":
    asyncio.run(_write(*sys.argv[1:]))
