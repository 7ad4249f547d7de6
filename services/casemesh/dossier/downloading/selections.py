"""Which parts of a version a recipient asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.errors import FieldViolation, InvalidArgument, OutOfRange

# Of the text for the log: runs beyond it are counted, not written out.
_RUNS_TOLD = 50


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of one document: from ``start``, up to ``end`` or to the document's end where that is None."""

    index: int
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """Documents ``first`` to ``last``, from byte ``start`` of the first to byte ``end`` of the last, or to its end."""

    first: int
    last: int
    start: int = 0
    end: int | None = None

    def parts(self) -> Iterator[Part]:
        """The run document by document."""
        for index in range(self.first, self.last + 1):
            yield Part(index, self.start if index == self.first else 0, self.end if index == self.last else None)

    def __str__(self) -> str:
        return f"{self.first}:{self.start}-{self.last}:{'' if self.end is None else self.end}"


def runs_of(request: pb.DownloadDocumentsRequest, document_count: int) -> list[Run]:
    """The runs asked for, which ascend and do not overlap.

    Raises InvalidArgument (FIELD_INVALID), OutOfRange where the version has no such document. Sizes are not checked.
    """
    if not request.selections:
        if request.first_document_index >= document_count:
            raise _out_of_range("first_document_index", "the version has no such document")
        return [Run(request.first_document_index, document_count - 1, request.first_offset_bytes)]
    if request.first_document_index or request.first_offset_bytes:
        raise _invalid("must be empty where first_document_index or first_offset_bytes is set")
    runs = [
        Run(item.first_document_index, item.last_document_index, item.first_offset_bytes, item.end_offset_bytes or None)
        for item in request.selections
    ]
    reached = (0, 0)
    for run in runs:
        if run.last < run.first or (run.first == run.last and run.end is not None and run.end < run.start):
            raise _invalid("must not end before they begin")
        if (run.first, run.start) < reached:
            raise _invalid("must ascend and not overlap")
        reached = (run.last + 1, 0) if run.end is None else (run.last, run.end)
    if runs[-1].last >= document_count:
        raise _out_of_range("selections", "the version has no such document")
    return runs


def require_sizes(runs: Sequence[Run], sizes: dict[int, int], field: str) -> None:
    """Return if no run begins or ends beyond its document; ``sizes`` are those of each run's first and last.

    Raises OutOfRange.
    """
    for run in runs:
        if run.start > sizes[run.first] or (run.end or 0) > sizes[run.last]:
            raise _out_of_range(field, "the document ends before this byte")


def described(runs: Sequence[Run]) -> str:
    """The runs for the log, at most some hundred characters."""
    told = ",".join(map(str, runs[:_RUNS_TOLD]))
    return told if len(runs) <= _RUNS_TOLD else f"{told} and {len(runs) - _RUNS_TOLD} more"


def parts_of(runs: Iterable[Run]) -> Iterator[Part]:
    """All runs, document by document."""
    for run in runs:
        yield from run.parts()


def _invalid(rule: str) -> InvalidArgument:
    return InvalidArgument(
        "FIELD_INVALID", f"selections {rule}", {"field": "selections"}, [FieldViolation("selections", rule)]
    )


def _out_of_range(field: str, why: str) -> OutOfRange:
    return OutOfRange("POSITION_OUT_OF_RANGE", why, {"field": field})
