"""What each row of the log says of itself: entry, event, and the link to the event before it in its case.

Pure. Whether a row is the one that was signed is decided by the tree; here it is only held against itself and its case.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from casemesh.audit.fsck.findings import Fault, Finding
from casemesh.client import canonical_json
from casemesh.client.commitments import SALT_SIZE, commitment_to
from casemesh.client.trail import SHREDDED, SHREDDED_NUMBERS, TrailError, decode_numbers

ADDED_BY_LOG = ("log_time", "case_sequence", "previous")
"""The fields of an event that its source did not send."""


@dataclass(frozen=True, slots=True)
class Row:
    """An entry and its event as they lie in the database."""

    log_index: int
    event_id: str
    case_name: str | None
    case_sequence: int | None
    commitment: bytes
    salt: bytes | None
    """This and what follows are None where the event is not there."""
    digest: bytes | None
    canonical_json: bytes | None


class RowCheck:
    """Checks rows in the order of the log. Keeps the last event of each case in memory."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, bytes]] = {}
        self._without_text: dict[tuple[str, int], int] = {}
        """Rows whose event is gone, by case and number, until an event of the log tells that it was shredded."""

    def unexplained(self) -> Iterator[Finding]:
        """Yield, once all rows were checked, those whose event is gone though nothing in the log tells of it."""
        for index in self._without_text.values():
            yield Finding(Fault.ROW_CHANGED, "its event is gone, and none tells that it was shredded", index, index)

    def check(self, row: Row) -> Iterator[Finding]:
        """Yield what is wrong with `row` by itself, the first fault only, and with its place in its case."""
        if row.canonical_json is None and row.case_name is not None and row.case_sequence is not None:
            self._without_text[row.case_name, row.case_sequence] = row.log_index
            why = None
        else:
            why = _own_fault(row)
        if why is not None:
            yield Finding(Fault.ROW_CHANGED, why, row.log_index, row.log_index)
        if row.case_name is None or row.case_sequence is None:
            return
        for number in _told_shredded(row) if why is None else ():
            self._without_text.pop((row.case_name, number), None)
        sequence, committed = self._last.get(row.case_name, (0, None))
        self._last[row.case_name] = (row.case_sequence, row.commitment)
        if why is not None:
            return
        if row.case_sequence != sequence + 1:
            detail = f"it is number {row.case_sequence} of its case, and comes after number {sequence}"
            yield Finding(Fault.CHAIN_BROKEN, detail, row.log_index, row.log_index)
        elif row.canonical_json is not None and _previous(row.canonical_json) != committed:
            detail = "it does not follow from the event before it in its case"
            yield Finding(Fault.CHAIN_BROKEN, detail, row.log_index, row.log_index)


def log_time_of(row: Row) -> str | None:
    """Return when the row was logged, None where that cannot be read. The rows of a batch have the same."""
    if row.canonical_json is None:
        return None
    try:
        return str(json.loads(row.canonical_json)["log_time"])
    except (ValueError, KeyError, TypeError):
        return None


def _told_shredded(row: Row) -> set[int]:
    """The numbers in its case of the events that this one tells were shredded before."""
    if row.canonical_json is None or SHREDDED.encode() not in row.canonical_json:
        return set()
    try:
        event = json.loads(row.canonical_json)
        if event["action"] != SHREDDED or event["source"] != "audit":
            return set()
        told = decode_numbers(event["details"][SHREDDED_NUMBERS])
        return {number for number in told if number < event["case_sequence"]}
    except (TrailError, ValueError, KeyError, TypeError):
        return set()


def _previous(canonical: bytes) -> bytes | None:
    previous = json.loads(canonical)["previous"]
    return bytes.fromhex(previous) if previous is not None else None


def _own_fault(row: Row) -> str | None:
    """Why the row cannot be as it was written, None when it can."""
    if row.salt is None or row.canonical_json is None:
        return "its event is not there"
    if len(row.salt) != SALT_SIZE or commitment_to(row.salt, row.canonical_json) != row.commitment:
        return "its event and salt are not those committed to"
    try:
        fields = json.loads(row.canonical_json)
        if fields["event_id"] != row.event_id:
            return "its event has another id"
        if fields.get("case") != row.case_name or fields.get("case_sequence") != row.case_sequence:
            return "its event has another case or place in it"
        if row.case_name is not None:
            bytes.fromhex(fields["previous"] or "")
        sent = {name: value for name, value in fields.items() if name not in ADDED_BY_LOG}
        if sha256(canonical_json.dumps(sent)).digest() != row.digest:
            return "its digest is not that of its event"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "its event is none that the log writes"
    return None
