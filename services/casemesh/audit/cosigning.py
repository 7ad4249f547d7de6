"""Cosignatures of log witnesses: what they are asked to cosign, what they left, and whether enough of them watch.

Checkpoints come many times a second, so witnesses that each took the newest would hardly meet on one. Time is cut into
rounds; the checkpoint of a round is the newest that was there when it began, the same on all replicas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from casemesh.audit.cosignature_store import CosignatureStore
from casemesh.client.cosignatures import WitnessKey, cosignatures, with_lines
from casemesh.client.notes import SIGNATURE_START, NoteError
from casemesh.core.clock import Clock
from casemesh.errors import FailedPrecondition, FieldViolation, InvalidArgument

MAX_CLOCK_AHEAD_SECONDS = 300

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class WitnessPolicy:
    """Whose cosignatures count, and how many make a quorum."""

    witnesses: tuple[WitnessKey, ...] = ()
    quorum: int = 0
    """Zero asks for none."""
    round: timedelta = timedelta(seconds=30)
    within: timedelta = timedelta(minutes=5)
    """How long an entry may wait for a checkpoint with a quorum before that is said to be lacking."""


@dataclass(frozen=True, slots=True)
class QuorumState:
    """How far the witnesses have come."""

    note: str | None
    """The newest checkpoint with a quorum, all its cosignatures below it."""
    waiting_since: datetime | None
    """When the oldest entry was signed that no such checkpoint covers."""
    lacking: bool


class Cosigning:
    """Takes cosignatures and says how many there are. Methods raise Unavailable."""

    def __init__(self, store: CosignatureStore, policy: WitnessPolicy, clock: Clock) -> None:
        self._store = store
        self._policy = policy
        self._clock = clock
        self._said_lacking = False

    @property
    def policy(self) -> WitnessPolicy:
        """Whose cosignatures count."""
        return self._policy

    async def to_cosign(self) -> str:
        """Return the checkpoint of this round with the cosignatures it has."""
        seconds = self._policy.round.total_seconds()
        began = self._clock.now().timestamp() // seconds * seconds
        size, note = await self._store.checkpoint_at(datetime.fromtimestamp(began, UTC))
        return with_lines(note, await self._store.lines(size))

    async def submit(self, size: int, line: str) -> int:
        """Keep a witness's cosignature under the checkpoint over `size` entries and return how many that has.

        Raises InvalidArgument (LOG_POSITION_INVALID for a size no checkpoint has, COSIGNATURE_INVALID),
        FailedPrecondition (LOG_WITNESS_UNKNOWN).
        """
        note = await self._store.checkpoint_of(size)
        if note is None:
            raise _invalid(
                "LOG_POSITION_INVALID", "tree_size", "must be the size of a checkpoint", {"field": "tree_size"}
            )
        line = line.removesuffix("\n") + "\n"
        try:
            if line.count("\n") != 1:
                raise NoteError("it is more than one line")
            found = cosignatures(with_lines(note, [line]), self._policy.witnesses)
        except NoteError as error:
            raise _invalid("COSIGNATURE_INVALID", "signature_line", f"does not hold: {error}") from error
        if len(found) != 1:
            name = line.removeprefix(SIGNATURE_START).partition(" ")[0]
            raise FailedPrecondition("LOG_WITNESS_UNKNOWN", "the log does not know this witness", {"witness": name})
        if not 0 < found[0].time <= self._clock.now().timestamp() + MAX_CLOCK_AHEAD_SECONDS:
            raise _invalid("COSIGNATURE_INVALID", "signature_line", "must have a time that is not ahead")
        return await self._store.keep(size, found[0].key.name, line, self._names)

    async def state(self) -> QuorumState:
        """Return how far the witnesses have come; logs when a quorum is lacking, and when it is there again."""
        if not self._policy.quorum:
            return QuorumState(None, None, lacking=False)
        size = await self._store.newest_with_quorum(self._names, self._policy.quorum)
        note = None
        if size is not None:
            note = with_lines(await self._store.checkpoint_of(size) or "", await self._store.lines(size))
        since = await self._store.oldest_above(size if size is not None else 0)
        lacking = since is not None and self._clock.now() - since > self._policy.within
        if lacking != self._said_lacking:
            self._said_lacking = lacking
            if lacking:
                log.error("log.quorum_lacking", covered=size or 0, quorum=self._policy.quorum)
            else:
                log.info("log.quorum_back", covered=size)
        return QuorumState(note, since, lacking)

    async def gauges(self) -> Mapping[str, float]:
        """Return the gauges of the witnesses."""
        state = await self.state()
        waiting = (self._clock.now() - state.waiting_since).total_seconds() if state.waiting_since else 0.0
        return {"casemesh.log.quorum.lacking": float(state.lacking), "casemesh.log.uncosigned.age": max(0.0, waiting)}

    @property
    def _names(self) -> list[str]:
        return [key.name for key in self._policy.witnesses]


def _invalid(reason: str, field: str, rule: str, metadata: dict[str, str] | None = None) -> InvalidArgument:
    return InvalidArgument(reason, f"{field} {rule}", metadata, violations=[FieldViolation(field, rule)])
