"""What a check of the log's database can find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """A kind of contradiction. The names stand in the output of `casemeshd audit fsck` and stay."""

    ROW_CHANGED = "row_changed"
    ROW_DELETED = "row_deleted"
    ROW_INSERTED = "row_inserted"
    ROWS_REORDERED = "rows_reordered"
    CHAIN_BROKEN = "chain_broken"
    TAIL_CUT = "tail_cut"
    ROLLED_BACK = "rolled_back"
    TWO_HEADS = "two_heads"
    HEAD_CHANGED = "head_changed"
    CHECKPOINT_CHANGED = "checkpoint_changed"
    CHECKPOINT_MISSING = "checkpoint_missing"
    TILE_CHANGED = "tile_changed"
    TILE_MISSING = "tile_missing"
    TILE_INSERTED = "tile_inserted"


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction."""

    fault: Fault
    detail: str
    """What was found, without anything of an event's content."""
    first: int | None = None
    """The log index of the first row concerned; None where no row is, as with a tile."""
    last: int | None = None
    """The last row concerned. Where only the signed roots on both sides of several rows are known, the fault lies in
    one of them or more."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check came to."""

    size: int
    """How many entries the database says the log has."""
    checkpoints: int
    """How many signed checkpoints were held against the rows, those held elsewhere included."""
    findings: Sequence[Finding]
    """In the order of the rows they concern, those that concern none at the end."""

    @property
    def first_bad_row(self) -> int | None:
        """The log index of the first row that does not hold, None when all do."""
        return min((finding.first for finding in self.findings if finding.first is not None), default=None)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings sorted by the rows they concern, neighbouring rows with the same fault as one."""
    merged: list[Finding] = []
    for finding in sorted(findings, key=lambda one: (one.first is None, one.first or 0, one.fault)):
        before = merged[-1] if merged else None
        if (
            before is not None
            and before.fault is finding.fault
            and before.last is not None
            and finding.first is not None
            and finding.first <= before.last + 1
        ):
            last = max(before.last, finding.last if finding.last is not None else finding.first)
            merged[-1] = Finding(before.fault, before.detail, before.first, last)
        else:
            merged.append(finding)
    return merged
