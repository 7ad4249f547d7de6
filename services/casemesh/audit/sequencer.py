"""Appending a batch: lock the head, order the events, move the tree on, sign, commit.

The checkpoint is signed inside the transaction that stores what it covers, so none exists that the database does not
hold. The tree's edge is kept in memory between batches and checked against the locked head each time; if another
replica was there first, it is read again under the lock. Only a head that cannot follow from the last checkpoint
signed here stops the service.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from casemesh.audit.events import Submitted
from casemesh.audit.last_checkpoint import LastCheckpoint
from casemesh.audit.sequencing import Outcome, sequence_batch
from casemesh.audit.store import LockedLog, LogStore
from casemesh.audit.tiles import RightEdge
from casemesh.client.commitments import SALT_SIZE
from casemesh.client.notes import Checkpoint, NoteError, NoteSigner, VerifierKey, open_checkpoint, sign_checkpoint
from casemesh.core.clock import Clock
from casemesh.core.merkle import MerkleError, consistency_plan, verify_consistency
from casemesh.errors import FailedPrecondition

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Tree:
    """The tree as far as appending needs it, with its root kept beside: rebuilding it costs hundreds of hashes."""

    edge: RightEdge
    root: bytes


class Sequencer:
    """The writer of the log in this process. Not for concurrent use: one batch at a time."""

    def __init__(self, store: LogStore, signer: NoteSigner, last: LastCheckpoint, clock: Clock) -> None:
        self._store = store
        self._signer = signer
        self._last = last
        self._clock = clock
        self._tree: _Tree | None = None

    @property
    def verifier_key(self) -> VerifierKey:
        """The log's public key."""
        return self._signer.verifier_key

    async def open(self) -> None:
        """Check the log against the last checkpoint signed, and sign the first one of a new log.

        Raises FailedPrecondition (LOG_CONTRADICTED) when the database contradicts it or bears another log's name.
        """
        async with self._store.locked() as locked:
            if locked.head.origin is None:
                await locked.name(self._signer.name)
            elif locked.head.origin != self._signer.name:
                raise _contradicted(f"the database holds the log {locked.head.origin}, not {self._signer.name}")
            note = None
            if locked.head.size == 0 and await locked.latest_checkpoint() is None:
                note = self._sign(0, locked.head.root)
                await locked.advance(0, locked.head.root, note)
            tree = await self._check(locked)
        self._accept(tree, note)

    async def append(self, requests: Sequence[Sequence[Submitted]]) -> list[Outcome]:
        """Append the events of `requests` and return an outcome for each, once all are durable and under a signed
        checkpoint.

        Raises Unavailable when the database does not answer; the events may then be in the log, and appending them
        again gives the same places. Raises FailedPrecondition (LOG_CONTRADICTED) when the database contradicts the
        last checkpoint signed here; nothing is appended then.
        """
        now = self._clock.now()
        async with self._store.locked() as locked:
            tree = await self._current_tree(locked)
            submitted = [event for request in requests for event in request]
            entries, outcomes = sequence_batch(
                requests,
                logged=await locked.logged({event.event_id for event in submitted}),
                heads=await locked.case_heads({event.case for event in submitted if event.case}),
                size=locked.head.size,
                log_time=_timestamp(now),
                new_salt=lambda: secrets.token_bytes(SALT_SIZE),
            )
            if not entries:
                return outcomes
            edge, full_tiles = tree.edge.extend(entry.leaf for entry in entries)
            tree = _Tree(edge, edge.root)
            note = self._sign(edge.size, tree.root)
            await locked.insert(entries, full_tiles)
            new = {entry.place.event_id for entry in entries}
            await locked.follow_sources([event for event in submitted if event.event_id in new], now)
            if not await locked.advance(edge.size, tree.root, note):
                raise _contradicted("the head moved although it was locked")
        self._accept(tree, note)
        return outcomes

    def _accept(self, tree: _Tree, note: str | None) -> None:
        self._tree = tree
        if note is not None:
            self._last.remember(note)

    async def _current_tree(self, locked: LockedLog) -> _Tree:
        """The tree at the locked head: the one in memory unless another writer moved on since."""
        tree = self._tree
        if tree is not None and (tree.edge.size, tree.root) == (locked.head.size, locked.head.root):
            return tree
        return await self._check(locked)

    async def _check(self, locked: LockedLog) -> _Tree:
        """Rebuild the tree from the database and hold head, newest checkpoint and last checkpoint against it."""
        head = locked.head
        latest = await locked.latest_checkpoint()
        try:
            edge = await locked.right_edge()
            if edge.root != head.root:
                raise MerkleError("the entries do not add up to the root at the head")
            if latest is None:
                raise MerkleError(f"no checkpoint covers its {head.size} entries")
            checkpoint = self._open(latest[1])
            if (checkpoint.size, checkpoint.root) != (head.size, head.root):
                raise MerkleError(f"the newest checkpoint covers {checkpoint.size} entries, the head {head.size}")
            if self._last.note is not None:
                await self._check_continues(locked, self._open(self._last.note))
        except (MerkleError, NoteError) as error:
            raise _contradicted(str(error)) from error
        return _Tree(edge, head.root)

    async def _check_continues(self, locked: LockedLog, last: Checkpoint) -> None:
        head = locked.head
        if last.size > head.size:
            raise MerkleError(f"a checkpoint over {last.size} entries was signed; the database holds {head.size}")
        if last.size:
            proof = await locked.prove(consistency_plan(last.size, head.size))
            verify_consistency(last.size, head.size, proof, last.root, head.root)

    def _sign(self, size: int, root: bytes) -> str:
        return sign_checkpoint(Checkpoint(self._signer.name, size, root), self._signer)

    def _open(self, note: str) -> Checkpoint:
        try:
            return open_checkpoint(note, self.verifier_key)
        except NoteError as error:
            raise NoteError(f"a checkpoint does not open with the key {self.verifier_key}: {error}") from error


def _contradicted(why: str) -> FailedPrecondition:
    log.error("log.contradicted", why=why)
    return FailedPrecondition(
        "LOG_CONTRADICTED", f"the log's database contradicts the last checkpoint signed: {why}; nothing is appended"
    )


def _timestamp(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
