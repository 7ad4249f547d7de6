"""Which event gets which place: the order of the log, the number within each case, and the link to the one before.

Pure: what is stored already comes in, what is to be stored goes out. A request is taken whole or not at all; one that
fails leaves no gap for the others of its batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from casemesh.audit.events import Submitted
from casemesh.client import canonical_json
from casemesh.client.commitments import commitment_leaf, commitment_to
from casemesh.errors import AlreadyExists, CaseMeshError


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands."""

    event_id: str
    log_index: int
    case_sequence: int
    """From 1; 0 when it belongs to no case."""


@dataclass(frozen=True, slots=True)
class Logged:
    """An event that has its place already."""

    place: Place
    digest: bytes | None
    """None once the event was shredded: its id is then all that can be compared."""


@dataclass(frozen=True, slots=True)
class CaseHead:
    """The last event of a case."""

    sequence: int
    commitment: bytes


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An event with all that is stored of it."""

    place: Place
    case: str
    commitment: bytes
    leaf: bytes
    salt: bytes
    canonical_json: bytes
    digest: bytes


Outcome = list[Place] | CaseMeshError
"""The places of a request's events, in their order, or why it was refused."""


def sequence_batch(
    requests: Sequence[Sequence[Submitted]],
    *,
    logged: Mapping[str, Logged],
    heads: Mapping[str, CaseHead],
    size: int,
    log_time: str,
    new_salt: Callable[[], bytes],
) -> tuple[list[NewEntry], list[Outcome]]:
    """Return the entries to store, from index `size` on, and an outcome for each request.

    `logged` holds the events of the batch that are in the log already, by id; `heads` the cases of the batch that
    have events. An event appended again, in an earlier batch or in this one, gets the place it has; with another
    content its request is refused with AlreadyExists (EVENT_CONFLICT).
    """
    known, last = dict(logged), dict(heads)
    entries: list[NewEntry] = []
    outcomes: list[Outcome] = []
    for request in requests:
        conflict = _conflict(request, known)
        if conflict is not None:
            outcomes.append(conflict)
            continue
        places = []
        for event in request:
            if event.event_id not in known:
                entry = _entry(event, last.get(event.case), size + len(entries), log_time, new_salt())
                entries.append(entry)
                known[event.event_id] = Logged(entry.place, entry.digest)
                if event.case:
                    last[event.case] = CaseHead(entry.place.case_sequence, entry.commitment)
            places.append(known[event.event_id].place)
        outcomes.append(places)
    return entries, outcomes


def _conflict(request: Sequence[Submitted], known: Mapping[str, Logged]) -> AlreadyExists | None:
    digests: dict[str, bytes | None] = {}
    for event in request:
        earlier = known.get(event.event_id)
        expected = earlier.digest if earlier is not None else digests.setdefault(event.event_id, event.digest)
        if expected is not None and expected != event.digest:
            return AlreadyExists(
                "EVENT_CONFLICT",
                "an event of this id was appended with another content; nothing of the request was appended",
                {"event_id": event.event_id},
            )
    return None


def _entry(event: Submitted, head: CaseHead | None, index: int, log_time: str, salt: bytes) -> NewEntry:
    fields = {**event.fields, "log_time": log_time}
    sequence = 0
    if event.case:
        sequence = head.sequence + 1 if head is not None else 1
        fields["case_sequence"] = sequence
        fields["previous"] = head.commitment.hex() if head is not None else None
    canonical = canonical_json.dumps(fields)
    committed = commitment_to(salt, canonical)
    return NewEntry(
        place=Place(event.event_id, index, sequence),
        case=event.case,
        commitment=committed,
        leaf=commitment_leaf(committed),
        salt=salt,
        canonical_json=canonical,
        digest=event.digest,
    )
