"""The audit service, put together."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from casemesh.audit.batching import Batcher
from casemesh.audit.config import Config
from casemesh.audit.cosignature_store import CosignatureStore
from casemesh.audit.cosigning import Cosigning
from casemesh.audit.feed_store import FeedStore
from casemesh.audit.last_checkpoint import LastCheckpoint
from casemesh.audit.log_gauges import log_gauges
from casemesh.audit.policy import ADMIN_SERVICE, APPEND_SERVICE, FEED_SERVICE, POLICIES, QUERY_SERVICE, WITNESS_SERVICE
from casemesh.audit.proofs import Proofs
from casemesh.audit.sequencer import Sequencer
from casemesh.audit.servicer import AppendServicer, QueryServicer
from casemesh.audit.servicer_admin import AdminServicer
from casemesh.audit.servicer_feed import FeedServicer
from casemesh.audit.servicer_witness import WitnessServicer
from casemesh.audit.shredding import OwnLog, Shredding
from casemesh.audit.shredding_store import ShreddingStore
from casemesh.audit.signing import signing_key_of
from casemesh.audit.store import LogStore
from casemesh.audit.trails import Trails
from casemesh.audit.v1.audit_admin_service_pb2_grpc import add_AuditAdminServiceServicer_to_server
from casemesh.audit.v1.audit_append_service_pb2_grpc import add_AuditAppendServiceServicer_to_server
from casemesh.audit.v1.audit_feed_service_pb2_grpc import add_AuditFeedServiceServicer_to_server
from casemesh.audit.v1.audit_query_service_pb2_grpc import add_AuditQueryServiceServicer_to_server
from casemesh.audit.v1.log_witness_service_pb2_grpc import add_LogWitnessServiceServicer_to_server
from casemesh.client.notes import NoteSigner
from casemesh.runtime.host import Assembly, Host
from casemesh.runtime.outbox import OutboxRelay


async def assemble(host: Host) -> Assembly:
    """Build the service; refuses to start on a log that contradicts its last checkpoint."""
    config = host.config
    assert isinstance(config, Config)
    signing = signing_key_of(config)
    signer = NoteSigner(config.origin, signing.key)
    store = LogStore(host.database)
    sequencer = Sequencer(store, signer, LastCheckpoint(config.last_checkpoint), host.clock)
    await sequencer.open()
    batcher = Batcher(sequencer.append)
    proofs = Proofs(store, signer.verifier_key)
    cosigning = Cosigning(CosignatureStore(host.database), config.witness_policy, host.clock)

    async def cosigned() -> str | None:
        return (await cosigning.state()).note

    trails = Trails(store, proofs, signer.verifier_key, signing.certificates, cosigned)
    # Its own events take the same way as everyone's: an outbox, numbered, in the transaction of the change.
    own = OutboxRelay(host.database, OwnLog(batcher, "audit"))
    shreddings = ShreddingStore(host.database)
    keep = timedelta(seconds=config.keep_readings)
    shredding = Shredding(host.database, shreddings, host.clock, own, keep)
    append = AppendServicer(batcher)
    query = QueryServicer(batcher, trails, proofs, cosigning, signer.verifier_key, host.clock)
    return Assembly(
        register=[
            partial(add_AuditAppendServiceServicer_to_server, append),
            partial(add_AuditQueryServiceServicer_to_server, query),
            partial(add_AuditAdminServiceServicer_to_server, AdminServicer(host.database, shreddings, shredding)),
            partial(add_LogWitnessServiceServicer_to_server, WitnessServicer(cosigning)),
            partial(add_AuditFeedServiceServicer_to_server, FeedServicer(FeedStore(host.database))),
        ],
        service_names=[APPEND_SERVICE, QUERY_SERVICE, ADMIN_SERVICE, FEED_SERVICE, WITNESS_SERVICE],
        policies=POLICIES,
        background=[batcher.run, own.run, shredding.run],
        fit=lambda: not batcher.contradicted,
        gauges=partial(log_gauges, host.database, cosigning),
    )
