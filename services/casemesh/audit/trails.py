"""The trail of a case: pages for people, and the bundle that verifies offline.

Whoever reads a trail is in it: the event of the reading is appended first, and what is then shown includes it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from casemesh.audit.proofs import Proofs
from casemesh.audit.store import EVERY_EVENT, EventFilter, LogStore, StoredEvent
from casemesh.client import trail
from casemesh.client.notes import Checkpoint, VerifierKey, open_checkpoint
from casemesh.core.units import MIB
from casemesh.errors import FailedPrecondition
from casemesh.runtime.paging import invalid_token

DEFAULT_PAGE_EVENTS = 100
MAX_PAGE_BYTES = 3 * MIB
"""Below the message limit of 4 MiB with room for what surrounds the events."""
MAX_PIECE_BYTES = MIB
_EXPORT_EVENTS = 256

_PAGE_TOKEN = re.compile(r"([1-9][0-9]{0,17})-([1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Page:
    """Some events of a trail."""

    events: Sequence[StoredEvent]
    next_page_token: str
    """Empty on the last page."""


class Trails:
    """Reads trails. Asks no one for rights: that was done before."""

    def __init__(
        self,
        store: LogStore,
        proofs: Proofs,
        log_key: VerifierKey,
        certificates: Sequence[x509.Certificate],
        cosigned: Callable[[], Awaitable[str | None]] | None = None,
    ) -> None:
        """`cosigned` gives the newest checkpoint that a quorum of log witnesses cosigned, None when there is none."""
        self._store = store
        self._proofs = proofs
        self._cosigned = cosigned
        self._log_key = log_key
        self._certificates = [certificate.public_bytes(Encoding.DER) for certificate in certificates]

    async def page(self, case: str, page_size: int, page_token: str, only: EventFilter = EVERY_EVENT) -> Page:
        """Return at most `page_size` matching events (100 when 0), fewer where they are large, from where `page_token`
        says.

        The first page fixes the end of the trail for all that follow, so that reading it, which adds to it, ends.
        Raises InvalidArgument for a token that no page gave, FailedPrecondition (LOG_CONTRADICTED) where an event is
        missing that was not shredded.
        """
        if page_token:
            after, until = _parse_token(page_token)
        else:
            after, until = 0, await self._store.case_length(case)
        limit = page_size or DEFAULT_PAGE_EVENTS
        found = await self._store.case_events(case, after=after, until=until, limit=limit, only=only)
        _require_texts(found)
        events = _within_bytes(found, MAX_PAGE_BYTES)
        last = events[-1].case_sequence if len(events) < len(found) or len(found) == limit else until
        return Page(events, f"{last}-{until}" if last < until else "")

    async def bundle(self, case: str) -> AsyncIterator[bytes]:
        """Yield the whole trail of `case` as a bundle (see `casemesh.client.trail`) in pieces of at most 1 MiB.

        Raises FailedPrecondition (LOG_CONTRADICTED) where an event is missing or does not prove to be in the log; what
        was yielded until then is no bundle.
        """
        until = await self._store.case_length(case)
        cosigned = await self._cosigned() if self._cosigned is not None else None
        head = await self._proofs.head()
        piece = bytearray(
            trail.encode_head(
                case,
                checkpoint=head.note,
                log_key=self._log_key,
                certificates=self._certificates,
                cosigned=await self._continued(cosigned, head.checkpoint) if cosigned is not None else None,
            )
        )
        after = 0
        while after < until:
            events = await self._store.case_events(case, after=after, until=until, limit=_EXPORT_EVENTS)
            if not events:
                raise FailedPrecondition("LOG_CONTRADICTED", f"events {after + 1} to {until} of the case are not there")
            _require_texts(events)
            for event, proof in zip(events, await self._proofs.of_events(events, head.checkpoint), strict=True):
                encoded = _encoded(event, proof)
                if event.case_sequence > 1:
                    encoded = trail.SEPARATOR + encoded
                if len(piece) + len(encoded) > MAX_PIECE_BYTES:
                    yield bytes(piece)
                    piece.clear()
                piece += encoded
            after = events[-1].case_sequence
        yield bytes(piece + trail.TAIL)

    async def _continued(self, note: str, newest: Checkpoint) -> tuple[str, Sequence[bytes]] | None:
        older = open_checkpoint(note, self._log_key)
        if not older.size:
            return None
        proof, _ = await self._proofs.consistency(older.size, newest.size)
        return note, proof


def _require_texts(events: Sequence[StoredEvent]) -> None:
    lost = [event.case_sequence for event in events if event.canonical_json is None and not event.shredded]
    if lost:
        raise FailedPrecondition(
            "LOG_CONTRADICTED",
            f"events {trail.encode_numbers(lost)} of the case are not there, and nobody shredded them",
        )


def _encoded(event: StoredEvent, proof: Sequence[bytes]) -> bytes:
    if event.salt is None or event.canonical_json is None:
        return trail.encode_shredded(event.log_index, event.commitment, proof)
    return trail.encode_entry(event.log_index, event.salt, event.canonical_json, proof)


def _within_bytes(events: list[StoredEvent], limit: int) -> list[StoredEvent]:
    """As many of `events` as fit, at least one."""
    total = 0
    for count, event in enumerate(events):
        total += len(event.canonical_json or b"")
        if total > limit and count:
            return events[:count]
    return events


def _parse_token(token: str) -> tuple[int, int]:
    match = _PAGE_TOKEN.fullmatch(token)
    if match is None:
        raise invalid_token()
    return int(match[1]), int(match[2])
