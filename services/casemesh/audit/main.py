"""The audit service, put together."""

from __future__ import annotations

from functools import partial

from casemesh.audit.batching import Batcher
from casemesh.audit.config import Config
from casemesh.audit.last_checkpoint import LastCheckpoint
from casemesh.audit.policy import APPEND_SERVICE, POLICIES, QUERY_SERVICE
from casemesh.audit.proofs import Proofs
from casemesh.audit.sequencer import Sequencer
from casemesh.audit.servicer import AppendServicer, QueryServicer
from casemesh.audit.store import LogStore
from casemesh.audit.trails import Trails
from casemesh.audit.v1.audit_append_service_pb2_grpc import add_AuditAppendServiceServicer_to_server
from casemesh.audit.v1.audit_query_service_pb2_grpc import add_AuditQueryServiceServicer_to_server
from casemesh.client.notes import NoteSigner
from casemesh.client.statements import SigningKey
from casemesh.runtime.host import Assembly, Host


async def assemble(host: Host) -> Assembly:
    """Build the service; refuses to start on a log that contradicts its last checkpoint."""
    config = host.config
    assert isinstance(config, Config)
    signing = SigningKey.load(config.signing / "signing.pem", config.signing / "signing.key")
    signer = NoteSigner(config.origin, signing.key)
    store = LogStore(host.database)
    sequencer = Sequencer(store, signer, LastCheckpoint(config.last_checkpoint), host.clock)
    await sequencer.open()
    batcher = Batcher(sequencer.append)
    proofs = Proofs(store, signer.verifier_key)
    trails = Trails(store, proofs, signer.verifier_key, signing.certificates)
    append = AppendServicer(batcher)
    query = QueryServicer(batcher, trails, proofs, signer.verifier_key, host.clock)
    return Assembly(
        register=[
            partial(add_AuditAppendServiceServicer_to_server, append),
            partial(add_AuditQueryServiceServicer_to_server, query),
        ],
        service_names=[APPEND_SERVICE, QUERY_SERVICE],
        policies=POLICIES,
        background=[batcher.run],
    )
