"""What a recipient may ask for of a version: runs that ascend, within it; what it has is left out."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.client.dossier_download import selections_of, shares
from casemesh.client.held_documents import Missing
from casemesh.client.manifest import ManifestDocument
from casemesh.dossier.downloading.selections import Part, Run, described, parts_of, require_sizes, runs_of
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.errors import InvalidArgument, OutOfRange


def asked(*selections: tuple[int, int, int, int]) -> pb.DownloadDocumentsRequest:
    names = ("first_document_index", "last_document_index", "first_offset_bytes", "end_offset_bytes")
    return pb.DownloadDocumentsRequest(
        selections=[pb.DocumentSelection(**dict(zip(names, item, strict=True))) for item in selections]
    )


def test_without_selections_everything_from_the_position_on_is_meant() -> None:
    request = pb.DownloadDocumentsRequest(first_document_index=2, first_offset_bytes=5)
    assert [Run(2, 9, 5)] == runs_of(request, 10)


def test_a_run_begins_and_ends_within_its_documents() -> None:
    runs = runs_of(asked((1, 3, 10, 20), (5, 5, 0, 0)), 10)
    assert [Part(1, 10, None), Part(2, 0, None), Part(3, 0, 20), Part(5, 0, None)] == list(parts_of(runs))
    assert described(runs) == "1:10-3:20,5:0-5:"


def test_parts_of_one_document_may_follow_each_other() -> None:
    assert 2 == len(runs_of(asked((1, 1, 0, 10), (1, 1, 10, 20)), 2))


@pytest.mark.parametrize(
    "request_",
    [
        asked((3, 2, 0, 0)),
        asked((1, 1, 20, 10)),
        asked((2, 2, 0, 0), (1, 1, 0, 0)),
        asked((1, 2, 0, 0), (2, 3, 0, 0)),
        asked((1, 1, 0, 20), (1, 1, 10, 30)),
        pb.DownloadDocumentsRequest(first_document_index=1, selections=asked((1, 1, 0, 0)).selections),
    ],
)
def test_what_descends_or_overlaps_is_refused(request_: pb.DownloadDocumentsRequest) -> None:
    with pytest.raises(InvalidArgument):
        runs_of(request_, 10)


@pytest.mark.parametrize("request_", [asked((1, 10, 0, 0)), pb.DownloadDocumentsRequest(first_document_index=10)])
def test_documents_that_are_not_there_are_out_of_range(request_: pb.DownloadDocumentsRequest) -> None:
    with pytest.raises(OutOfRange):
        runs_of(request_, 10)


@pytest.mark.parametrize("run", [Run(0, 1, 6), Run(0, 1, 0, 8)])
def test_bytes_that_are_not_there_are_out_of_range(run: Run) -> None:
    with pytest.raises(OutOfRange):
        require_sizes([run], {0: 5, 1: 7}, "selections")
    require_sizes([Run(0, 1, 5, 7)], {0: 5, 1: 7}, "selections")


def document(index: int, size: int) -> ManifestDocument:
    sha256 = hashlib.sha256(b"%d" % index).digest()
    return ManifestDocument(index, "卷", f"{index}", "text/plain", 1, size, sha256)


ROWS = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 9), st.integers(0, 9)), unique_by=lambda row: row[0])
MISSING = ROWS.map(
    lambda rows: [Missing(document(index, offset + more), offset) for index, offset, more in sorted(rows)]
)


@given(MISSING)
def test_what_is_asked_for_is_what_is_missing_and_in_its_order(missing: list[Missing]) -> None:
    selections, wanted = selections_of(missing)
    if not missing:
        assert ([], []) == (selections, wanted)
        return
    parts = parts_of(runs_of(pb.DownloadDocumentsRequest(selections=selections), 3001))
    assert [Part(item.document.document_index, item.offset, None) for item in wanted] == list(parts)
    assert len(selections) <= 1000
    assert list(wanted) == missing[: len(wanted)]


def test_a_thousand_runs_are_asked_for_at_once_and_no_more() -> None:
    missing = [Missing(document(2 * number, 1), 0) for number in range(1500)]
    selections, wanted = selections_of(missing)
    assert (1000, 1000) == (len(selections), len(wanted))


@given(MISSING, st.integers(1, 8))
def test_shares_are_the_whole_in_order_and_of_about_one_size(missing: list[Missing], count: int) -> None:
    found = shares(missing, count)
    assert missing == [item for share in found for item in share]
    sizes = [sum(item.document.size_bytes - item.offset for item in share) for share in found]
    assert all(size <= sum(sizes) / count + 2 * 9 for size in sizes) or not sum(sizes)
