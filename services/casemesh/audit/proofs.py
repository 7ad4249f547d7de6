"""Proofs of the log, each checked before it leaves: one that does not hold is never handed out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casemesh.audit.store import LogStore, StoredEvent
from casemesh.client.commitments import commitment_leaf, commitment_to
from casemesh.client.notes import Checkpoint, NoteError, VerifierKey, open_checkpoint
from casemesh.core.merkle import (
    MerkleError,
    complete_nodes,
    consistency_plan,
    inclusion_plan,
    verify_consistency,
    verify_inclusion,
)
from casemesh.errors import FailedPrecondition, FieldViolation, InvalidArgument


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The newest checkpoint."""

    note: str
    checkpoint: Checkpoint


class Proofs:
    """Makes proofs from what the store holds. Methods raise FailedPrecondition (LOG_CONTRADICTED) when it does not
    add up to what was signed."""

    def __init__(self, store: LogStore, key: VerifierKey) -> None:
        self._store = store
        self._key = key

    async def head(self) -> SignedHead:
        """Return the newest checkpoint."""
        _, note = await self._store.latest_checkpoint()
        try:
            return SignedHead(note, open_checkpoint(note, self._key))
        except NoteError as error:
            raise _contradicted(error) from error

    async def inclusion(self, log_index: int, tree_size: int) -> tuple[bytes, list[bytes], int]:
        """Return the leaf hash of an entry, its proof, and the size proved against: the newest when `tree_size` is 0.

        Raises InvalidArgument (LOG_POSITION_INVALID) for an entry or a size that the newest checkpoint does not cover.
        """
        size, checkpoint = await self._covered(tree_size, "tree_size")
        if log_index >= size:
            raise _invalid_position("log_index", f"must be below {size}")
        try:
            leaf = await self._store.leaf(log_index)
            proof = await self._store.prove(inclusion_plan(log_index, size))
            verify_inclusion(log_index, size, leaf, proof, await self._root(size, checkpoint))
        except MerkleError as error:
            raise _contradicted(error) from error
        return leaf, proof, size

    async def consistency(self, first_size: int, second_size: int) -> tuple[list[bytes], int]:
        """Return the proof that the log of `second_size` entries, the newest when 0, continues that of `first_size`,
        and the larger size.

        Raises InvalidArgument (LOG_POSITION_INVALID) for sizes that are not in order or not covered.
        """
        second, checkpoint = await self._covered(second_size, "second_size")
        if not 1 <= first_size <= second:
            raise _invalid_position("first_size", f"must be from 1 to {second}")
        try:
            proof = await self._store.prove(consistency_plan(first_size, second))
            old, new = await self._root(first_size, checkpoint), await self._root(second, checkpoint)
            verify_consistency(first_size, second, proof, old, new)
        except MerkleError as error:
            raise _contradicted(error) from error
        return proof, second

    async def of_events(self, events: Sequence[StoredEvent], checkpoint: Checkpoint) -> list[list[bytes]]:
        """Return the inclusion proofs of `events` under `checkpoint`, each checked with the event's own commitment, or
        with what the log keeps of one that was shredded."""
        try:
            plans = [inclusion_plan(event.log_index, checkpoint.size) for event in events]
            proofs = await self._store.prove_all(plans)
            for event, proof in zip(events, proofs, strict=True):
                committed = event.commitment
                if event.salt is not None and event.canonical_json is not None:
                    committed = commitment_to(event.salt, event.canonical_json)
                leaf = commitment_leaf(committed)
                verify_inclusion(event.log_index, checkpoint.size, leaf, proof, checkpoint.root)
        except MerkleError as error:
            raise _contradicted(error) from error
        return proofs

    async def _covered(self, size: int, field: str) -> tuple[int, Checkpoint]:
        newest = (await self.head()).checkpoint
        if size > newest.size:
            raise _invalid_position(field, f"must be at most {newest.size}")
        return size or newest.size, newest

    async def _root(self, size: int, newest: Checkpoint) -> bytes:
        if size == newest.size:
            return newest.root
        [root] = await self._store.prove([complete_nodes(0, size)])
        return root


def _contradicted(error: Exception) -> FailedPrecondition:
    return FailedPrecondition(
        "LOG_CONTRADICTED", f"the log's database contradicts the last checkpoint signed: {error}; nothing is proved"
    )


def _invalid_position(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(
        "LOG_POSITION_INVALID",
        f"{field} {description}",
        {"field": field},
        violations=[FieldViolation(field, description)],
    )
