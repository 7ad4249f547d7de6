"""One look at the log by a witness: is all that was seen still there, and what may be cosigned.

The order is what makes it worth something: a checkpoint is verified against everything seen before, then remembered on
stable storage, and only then cosigned. A witness killed at any point has cosigned nothing that it does not remember.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from casemesh.audit.v1 import audit_query_service_pb2 as query_pb2
from casemesh.audit.v1 import log_witness_service_pb2 as witness_pb2
from casemesh.client.cosignatures import cosign, cosignatures
from casemesh.client.log_witness.folder import WitnessFolder
from casemesh.client.notes import Checkpoint, NoteError, VerifierKey, open_checkpoint
from casemesh.core.clock import Clock
from casemesh.core.merkle import MerkleError, verify_consistency
from casemesh.errors import FailedPrecondition, InvalidArgument

if TYPE_CHECKING:
    from casemesh.client.session import Session


class Alarm(StrEnum):
    """What a log that is not what it was can be found doing. The names stand in the output and stay."""

    NOT_SIGNED = "not_signed"
    """It shows a checkpoint that its key did not sign."""
    ROLLED_BACK = "rolled_back"
    """It shows fewer entries than it has signed before."""
    TWO_HEADS = "two_heads"
    """It signed two checkpoints of which neither continues the other."""
    CONTRADICTED = "contradicted"
    """It says itself that its database contradicts what it signed."""


class LogAlarm(Exception):
    """The log is not what it was. What was remembered stays as it is, so every later look finds it again."""

    def __init__(self, alarm: Alarm, detail: str, evidence: Sequence[Path] = ()) -> None:
        super().__init__(f"{alarm}: {detail}")
        self.alarm = alarm
        self.detail = detail
        self.evidence = evidence
        """Files with the checkpoints that show it, each signed by the log."""


class LogView(Protocol):
    """What a witness asks of a log."""

    async def newest(self) -> str:
        """Return the newest checkpoint as a signed note."""

    async def to_cosign(self) -> str:
        """Return the checkpoint of the present round, with the cosignatures it has."""

    async def consistency(self, first: int, second: int) -> Sequence[bytes]:
        """Return the proof that `second` entries continue `first`."""

    async def submit(self, size: int, line: str) -> None:
        """Leave a cosignature."""


class RemoteLog:
    """The log of the platform that a session leads to. Methods raise CaseMeshError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def newest(self) -> str:
        """Return the newest checkpoint as a signed note."""
        return (await self._session.audit.GetCheckpoint(query_pb2.GetCheckpointRequest())).note

    async def to_cosign(self) -> str:
        """Return the checkpoint of the present round, with the cosignatures it has."""
        request = witness_pb2.GetCheckpointToCosignRequest()
        return (await self._session.log_witness.GetCheckpointToCosign(request)).note

    async def consistency(self, first: int, second: int) -> Sequence[bytes]:
        """Return the proof that `second` entries continue `first`."""
        request = query_pb2.GetConsistencyProofRequest(first_size=first, second_size=second)
        return (await self._session.audit.GetConsistencyProof(request)).hashes

    async def submit(self, size: int, line: str) -> None:
        """Leave a cosignature."""
        request = witness_pb2.SubmitCosignatureRequest(tree_size=size, signature_line=line)
        await self._session.log_witness.SubmitCosignature(request)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look came to."""

    seen: Checkpoint
    """The newest checkpoint, which continues all that was seen before."""
    cosigned: Checkpoint | None
    """The checkpoint that was cosigned now; None when there was nothing new to cosign."""


class LogWitness:
    """Watches one log. One at a time in a folder: see `WitnessFolder.held`."""

    def __init__(self, log: LogView, folder: WitnessFolder, log_key: VerifierKey, clock: Clock) -> None:
        self._log = log
        self._folder = folder
        self._log_key = log_key
        self._clock = clock

    async def look(self) -> Look:
        """Verify the newest checkpoint against all seen before, then cosign that of the round.

        Raises LogAlarm, with the checkpoints that show it kept as evidence; CaseMeshError when the log does not answer.
        """
        seen = await self.verify()
        return Look(seen, await self._cosign(seen))

    async def verify(self) -> Checkpoint:
        """Verify that the newest checkpoint continues the largest seen, remember and return it. Cosigns nothing.

        Raises LogAlarm, CaseMeshError.
        """
        note = await self._log.newest()
        newest = self._open(note)
        seen = self._folder.seen(self._log_key)
        if seen is not None:
            if newest.size < seen.size:
                self._alarm(Alarm.ROLLED_BACK, f"it signed {seen.size} entries, and now shows {newest.size}", note)
            await self._require_continues(seen, newest, note)
        if seen != newest:
            self._folder.remember_seen(note)
        return newest

    async def compare(self, note: str) -> None:
        """Hold a checkpoint that someone else was shown against the log as it is shown here.

        Raises LogAlarm when neither continues the other, CaseMeshError.
        """
        other, newest = self._open(note), await self.verify()
        if other.size > newest.size:
            self._alarm(Alarm.ROLLED_BACK, f"it signed {other.size} entries, and shows {newest.size} here", note)
        await self._require_continues(other, newest, note)

    async def _cosign(self, seen: Checkpoint) -> Checkpoint | None:
        note = await self._log.to_cosign()
        checkpoint = self._open(note)
        last = self._folder.cosigned(self._log_key)
        own = self._folder.verifier_key()
        if checkpoint.size == 0 or (last is not None and checkpoint.size < last.size):
            return None
        if cosignatures(note, [own]):
            return None
        if checkpoint.size > seen.size:
            # It was signed since; the next look will have verified it.
            return None
        await self._require_continues(checkpoint, seen, note)
        self._folder.remember_cosigned(note)
        line = cosign(note, own.name, self._folder.private_key(), int(self._clock.now().timestamp()))
        await self._log.submit(checkpoint.size, line)
        return checkpoint

    async def _require_continues(self, old: Checkpoint, new: Checkpoint, note: str) -> None:
        if old.size == 0:
            return
        if old.size == new.size:
            if old.root != new.root:
                self._alarm(Alarm.TWO_HEADS, f"it signed two trees of {old.size} entries", note)
            return
        try:
            verify_consistency(
                old.size, new.size, list(await self._log.consistency(old.size, new.size)), old.root, new.root
            )
        except MerkleError as error:
            self._alarm(Alarm.TWO_HEADS, f"{new.size} entries do not continue {old.size}: {error}", note)
        except FailedPrecondition as error:
            self._alarm(Alarm.CONTRADICTED, error.message, note)
        except InvalidArgument as error:
            self._alarm(Alarm.ROLLED_BACK, f"it proves nothing for {new.size} entries: {error.message}", note)

    def _open(self, note: str) -> Checkpoint:
        try:
            return open_checkpoint(note, self._log_key)
        except NoteError as error:
            raise LogAlarm(Alarm.NOT_SIGNED, f"it shows a checkpoint that does not open: {error}") from error

    def _alarm(self, alarm: Alarm, detail: str, note: str) -> None:
        evidence = [self._folder.keep_evidence(note)]
        if self._folder.seen(self._log_key) is not None:
            evidence.insert(0, self._folder.keep_evidence(self._folder.note_seen()))
        raise LogAlarm(alarm, detail, evidence)
