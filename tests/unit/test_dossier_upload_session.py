"""The rules of an upload: in whatever order frames come, only what was announced and is in place is taken."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from casemesh.core.merkle import leaf_hash, root_of
from casemesh.dossier.uploading import session as upload_session
from casemesh.dossier.uploading.session import (
    DocumentHead,
    DocumentState,
    StatedTotals,
    UploadSession,
    finished_totals,
    tree_hash,
)
from casemesh.errors import CaseMeshError

NAMES_ALIKE = ("caf\u00e9.pdf", "cafe\u0301.pdf")


def head(index: int = 0, size: int = 10, **changes: object) -> DocumentHead:
    made = DocumentHead(index, "证据卷一", f"笔录{index}.pdf", "application/pdf", 2, size)
    return replace(made, **changes)  # type: ignore[arg-type]


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def refusal(session: UploadSession, step: str, *arguments: object) -> CaseMeshError:
    with pytest.raises(CaseMeshError) as caught:
        getattr(session, step)(*arguments)
    return caught.value


def whole(session: UploadSession, index: int, data: bytes) -> None:
    session.header(head(index, len(data)), 0)
    if data:
        session.chunk(index, 0, len(data))
    session.document_finish(index, len(data), digest(data), digest(data))


def test_a_document_in_chunks_ends_with_the_last_one_marked() -> None:
    session = UploadSession()
    session.header(head(size=10), 0)
    places = [session.chunk(0, 0, 4), session.chunk(0, 4, 4), session.chunk(0, 8, 2)]
    assert [(place.chunk_index, place.last) for place in places] == [(0, False), (1, False), (2, True)]


def test_totals_are_those_of_the_documents_held() -> None:
    session = UploadSession()
    whole(session, 0, b"one")
    whole(session, 1, b"")
    root = root_of([leaf_hash(digest(b"one")), leaf_hash(digest(b""))])
    totals = finished_totals([session.document(0), session.document(1)], StatedTotals(2, 3, root))
    assert (totals.document_count, totals.page_count, totals.size_bytes, totals.tree_hash) == (2, 4, 3, root)


def test_a_resumed_upload_goes_on_where_the_bytes_held_end() -> None:
    session = UploadSession([DocumentState(head(size=10), received_bytes=6, chunks=2)])
    session.header(head(size=10), 6)
    assert session.chunk(0, 6, 4) == upload_session.ChunkPlace(2, True)


def test_resuming_elsewhere_is_refused_with_the_right_offset() -> None:
    for offset in (0, 5, 7, 10):
        session = UploadSession([DocumentState(head(size=10), received_bytes=6, chunks=2)])
        error = refusal(session, "header", head(size=10), offset)
        assert error.reason == "CHUNK_OFFSET_MISMATCH"
        assert error.metadata == {"document_index": "0", "expected_offset_bytes": "6"}


@pytest.mark.parametrize(("offset", "what"), [(3, "an overlap"), (5, "a gap"), (0, "a repeat"), (-1, "before all")])
def test_a_chunk_out_of_place_is_refused_with_the_right_offset(offset: int, what: str) -> None:
    session = UploadSession()
    session.header(head(), 0)
    session.chunk(0, 0, 4)
    error = refusal(session, "chunk", 0, offset, 2)
    assert (error.reason, error.metadata["expected_offset_bytes"]) == ("CHUNK_OFFSET_MISMATCH", "4"), what
    assert session.document(0).received_bytes == 4


@pytest.mark.parametrize("length", [0, (1 << 20) + 1])
def test_a_chunk_is_one_byte_to_one_mebibyte(length: int) -> None:
    session = UploadSession()
    session.header(head(size=1 << 30), 0)
    assert refusal(session, "chunk", 0, 0, length).reason == "CHUNK_SIZE_INVALID"


def test_bytes_beyond_the_stated_size_are_refused() -> None:
    session = UploadSession()
    session.header(head(size=10), 0)
    error = refusal(session, "chunk", 0, 0, 11)
    assert error.reason == "DOCUMENT_SIZE_MISMATCH"
    assert error.metadata == {"document_index": "0", "expected_bytes": "10", "actual_bytes": "11"}


def test_an_early_finish_is_refused() -> None:
    session = UploadSession()
    session.header(head(size=10), 0)
    session.chunk(0, 0, 9)
    error = refusal(session, "document_finish", 0, 10, digest(b"x"), digest(b"x"))
    assert (error.reason, error.metadata["actual_bytes"]) == ("DOCUMENT_SIZE_MISMATCH", "9")


def test_a_finish_with_another_size_than_announced_is_refused() -> None:
    session = UploadSession()
    session.header(head(size=3), 0)
    session.chunk(0, 0, 3)
    error = refusal(session, "document_finish", 0, 4, digest(b"abc"), digest(b"abc"))
    assert (error.reason, error.metadata["actual_bytes"]) == ("DOCUMENT_SIZE_MISMATCH", "4")


def test_a_wrong_digest_is_refused() -> None:
    session = UploadSession()
    session.header(head(size=3), 0)
    session.chunk(0, 0, 3)
    error = refusal(session, "document_finish", 0, 3, digest(b"abd"), digest(b"abc"))
    assert (error.reason, error.metadata) == ("DOCUMENT_DIGEST_MISMATCH", {"document_index": "0"})
    assert session.document(0).sha256 is None


def test_finishing_a_document_again_with_another_digest_is_refused() -> None:
    session = UploadSession([DocumentState(head(size=3), 3, 1, digest(b"abc"))])
    session.header(head(size=3), 3)
    error = refusal(session, "document_finish", 0, 3, digest(b"abd"), digest(b"abd"))
    assert error.reason == "DOCUMENT_DIGEST_MISMATCH"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("volume", {"volume": "证据卷二"}),
        ("file_name", {"file_name": "另一.pdf"}),
        ("media_type", {"media_type": "image/jpeg"}),
        ("page_count", {"page_count": 3}),
        ("size_bytes", {"size_bytes": 11}),
    ],
)
def test_a_header_that_contradicts_an_earlier_one_names_the_field(field: str, changes: dict[str, object]) -> None:
    error = refusal(UploadSession([DocumentState(head())]), "header", head(**changes), 0)
    assert (error.reason, error.metadata) == ("DOCUMENT_HEADER_CONFLICT", {"field": field, "document_index": "0"})


def test_two_documents_of_a_volume_with_one_name_are_refused_whatever_the_normalisation() -> None:
    session = UploadSession([DocumentState(head(0, file_name="caf\u00e9.pdf"))])
    error = refusal(session, "header", head(1, file_name="cafe\u0301.pdf"), 0)
    assert (error.reason, error.metadata) == ("DOCUMENT_NAME_DUPLICATE", {"document_index": "1"})


def test_one_name_in_two_volumes_is_two_documents() -> None:
    session = UploadSession([DocumentState(head(0, file_name="a"))])
    session.header(head(1, file_name="a", volume="诉讼文书卷"), 0)


@pytest.mark.parametrize("field", ["volume", "file_name"])
def test_an_unsafe_name_is_refused_naming_the_field(field: str) -> None:
    error = refusal(UploadSession(), "header", head(**{field: "../x"}), 0)
    assert (error.reason, error.metadata["field"]) == ("DOCUMENT_NAME_INVALID", field)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("document_index", {"index": 100_000}),
        ("page_count", {"page_count": 0}),
        ("size_bytes", {"size_bytes": -1}),
        ("media_type", {"media_type": "m" * 101}),
        ("media_type", {"media_type": "image/\x00"}),
    ],
)
def test_figures_out_of_range_are_refused_naming_the_field(field: str, changes: dict[str, object]) -> None:
    error = refusal(UploadSession(), "header", head(**changes), 0)
    assert (error.reason, error.metadata) == ("FIELD_INVALID", {"field": field})


def test_a_dossier_over_the_stated_limits_is_refused_before_a_byte_of_it() -> None:
    big = DocumentState(head(0, size=20 * 10**9 - 5))
    assert refusal(UploadSession([big]), "header", head(1, size=6), 0).reason == "DOSSIER_TOO_LARGE"
    UploadSession([big]).header(head(1, size=5), 0)
    many = DocumentState(head(0, page_count=99_999))
    assert refusal(UploadSession([many]), "header", head(1, page_count=2), 0).reason == "DOSSIER_TOO_LARGE"


def test_frames_for_a_document_without_a_header_on_this_stream_are_refused() -> None:
    held = [DocumentState(head(0, size=10), received_bytes=4, chunks=1)]
    assert refusal(UploadSession(held), "chunk", 0, 4, 1).reason == "DOCUMENT_NOT_OPENED"
    assert refusal(UploadSession(held), "chunk", 1, 0, 1).reason == "DOCUMENT_NOT_OPENED"
    assert refusal(UploadSession(held), "document_finish", 0, 10, b"", b"").reason == "DOCUMENT_NOT_OPENED"


def test_a_finished_document_takes_no_more_frames() -> None:
    session = UploadSession()
    whole(session, 0, b"abc")
    assert refusal(session, "chunk", 0, 3, 1).reason == "DOCUMENT_NOT_OPENED"


def test_open_documents_of_one_stream_are_bounded() -> None:
    session = UploadSession()
    for index in range(upload_session.MAX_OPEN_DOCUMENTS):
        session.header(head(index), 0)
    error = refusal(session, "header", head(99), 0)
    assert error.reason == "LIMIT_EXCEEDED"


def unfinished(states: list[DocumentState], count: int, size: int, root: bytes = b"") -> CaseMeshError:
    with pytest.raises(CaseMeshError) as caught:
        finished_totals(states, StatedTotals(count, size, root))
    return caught.value


def test_the_upload_does_not_finish_with_a_document_missing_or_broken_off() -> None:
    abc = DocumentState(head(0, size=3), 3, 1, digest(b"abc"))
    count = unfinished([abc, DocumentState(head(2, size=5))], 3, 8)
    assert (count.reason, count.metadata) == ("DOCUMENT_COUNT_MISMATCH", {"expected_count": "3", "actual_count": "2"})
    error = unfinished([DocumentState(head(1, size=0), sha256=digest(b""))], 1, 0)
    assert (error.reason, error.metadata) == ("UPLOAD_NOT_FINISHED", {"document_index": "0"})
    assert unfinished([DocumentState(head(0, size=5), received_bytes=4)], 1, 5).reason == "UPLOAD_NOT_FINISHED"


def test_the_upload_does_not_finish_with_another_size_or_tree() -> None:
    held = [DocumentState(head(0, size=3), 3, 1, digest(b"abc"))]
    size = unfinished(held, 1, 4, tree_hash([digest(b"abc")]))
    assert (size.reason, size.metadata) == ("DOSSIER_SIZE_MISMATCH", {"expected_bytes": "4", "actual_bytes": "3"})
    tree = unfinished(held, 1, 3, tree_hash([digest(b"abd")]))
    assert (tree.reason, tree.metadata) == ("DOSSIER_ROOT_MISMATCH", {"field": "tree_hash"})


def test_what_streams_side_by_side_brought_together_keeps_to_the_limits_and_names_of_a_dossier() -> None:
    states = [DocumentState(head(n, size=0, file_name=name), 0, 0, digest(b"")) for n, name in enumerate(NAMES_ALIKE)]
    duplicate = unfinished(states, 2, 0)
    assert (duplicate.reason, duplicate.metadata) == ("DOCUMENT_NAME_DUPLICATE", {"document_index": "1"})
    half = 10 * 10**9 + 1
    large = [DocumentState(head(n, size=half), half, 1, digest(b"x")) for n in range(2)]
    assert unfinished(large, 2, 2 * half).reason == "DOSSIER_TOO_LARGE"
    thick = [DocumentState(head(n, size=0, page_count=50_001), 0, 0, digest(b"")) for n in range(2)]
    assert unfinished(thick, 2, 0).metadata == {"limit": "100000 pages"}


def test_a_document_beyond_the_agencys_quota_is_refused_before_a_byte_of_it() -> None:
    session = UploadSession([DocumentState(head(0, size=1000))], room_bytes=10)
    session.header(head(1, size=6), 0)
    assert refusal(session, "header", head(2, size=5), 0).reason == "QUOTA_EXCEEDED"


def test_nothing_follows_the_upload_finish() -> None:
    session = UploadSession()
    whole(session, 0, b"")
    session.upload_finish()
    assert refusal(session, "header", head(1), 0).reason == "FIELD_INVALID"


def test_after_a_refusal_nothing_more_is_taken() -> None:
    session = UploadSession()
    session.header(head(), 0)
    refusal(session, "chunk", 0, 1, 1)
    with pytest.raises(RuntimeError, match="drain"):
        session.chunk(0, 0, 1)
    assert session.document(0).received_bytes == 0


def test_a_session_never_changes_the_states_it_was_given() -> None:
    held = DocumentState(head(size=10), received_bytes=4, chunks=1)
    session = UploadSession([held])
    session.header(head(size=10), 4)
    session.chunk(0, 4, 3)
    assert (held.received_bytes, held.chunks) == (4, 1)


class UploadAgainstModel(RuleBasedStateMachine):
    """Frames of a sender who is often wrong, against a model that keeps real bytes.

    The stream breaks at times; what the model holds is then what the next session starts with.
    """

    contents = (b"", b"a", b"bcd" * 5, b"efghij" * 9)

    @initialize()
    def start(self) -> None:
        self.stored: dict[int, bytes] = {}
        self.chunks: dict[int, int] = {}
        self.done: dict[int, bytes] = {}
        self.announced: set[int] = set()
        self.reopen()

    def reopen(self) -> None:
        self.opened: set[int] = set()
        self.live = True
        self.over = False
        self.session = UploadSession(
            DocumentState(
                head(i, len(self.contents[i])), len(self.stored.get(i, b"")), self.chunks.get(i, 0), self.done.get(i)
            )
            for i in self.announced
        )

    @rule()
    def break_stream(self) -> None:
        self.reopen()

    def expect(self, refused: str | None, step: str, *arguments: object) -> bool:
        """True when the step was taken; the session must agree with the model on whether and why not."""
        try:
            getattr(self.session, step)(*arguments)
        except CaseMeshError as error:
            self.live = False
            actual: str | None = error.reason
        else:
            actual = None
        assert refused == actual
        return actual is None

    @precondition(lambda self: self.live)
    @rule(index=st.integers(0, 3), shift=st.sampled_from([0, 0, 0, 1, -1]))
    def header(self, index: int, shift: int) -> None:
        offset = len(self.stored.get(index, b"")) + shift
        refused = "FIELD_INVALID" if self.over else "CHUNK_OFFSET_MISMATCH" if shift else None
        if self.expect(refused, "header", head(index, len(self.contents[index])), offset):
            self.opened.add(index)
            self.announced.add(index)

    @precondition(lambda self: self.live)
    @rule(index=st.integers(0, 3), shift=st.sampled_from([0, 0, 0, 0, 1, -1]), length=st.integers(0, 20))
    def chunk(self, index: int, shift: int, length: int) -> None:
        held = self.stored.get(index, b"")
        refused = (
            "FIELD_INVALID" if self.over
            else "DOCUMENT_NOT_OPENED" if index not in self.opened
            else "CHUNK_SIZE_INVALID" if length == 0
            else "CHUNK_OFFSET_MISMATCH" if shift
            else "DOCUMENT_SIZE_MISMATCH" if len(held) + length > len(self.contents[index])
            else None
        )  # fmt: skip
        if self.expect(refused, "chunk", index, len(held) + shift, length):
            self.stored[index] = held + self.contents[index][len(held) : len(held) + length]
            self.chunks[index] = self.chunks.get(index, 0) + 1

    @precondition(lambda self: self.live)
    @rule(index=st.integers(0, 3), wrong=st.sampled_from([None, None, None, "digest", "size"]))
    def document_finish(self, index: int, wrong: str | None) -> None:
        content, held = self.contents[index], self.stored.get(index, b"")
        size = len(content) + (wrong == "size")
        stated = digest(content + b"!") if wrong == "digest" else digest(content)
        refused = (
            "FIELD_INVALID" if self.over
            else "DOCUMENT_NOT_OPENED" if index not in self.opened
            else "DOCUMENT_SIZE_MISMATCH" if wrong == "size" or held != content
            else "DOCUMENT_DIGEST_MISMATCH" if wrong == "digest"
            else None
        )  # fmt: skip
        if self.expect(refused, "document_finish", index, size, stated, digest(held)):
            self.done[index] = digest(held)
            self.opened.discard(index)

    @precondition(lambda self: self.live)
    @rule()
    def upload_finish(self) -> None:
        if self.expect("FIELD_INVALID" if self.over else None, "upload_finish"):
            self.over = True
            self.the_whole_is_finished_exactly_when_everything_is_done()

    def the_whole_is_finished_exactly_when_everything_is_done(self) -> None:
        stated = StatedTotals(4, sum(map(len, self.contents)), tree_hash(map(digest, self.contents)))
        refused = (
            "DOCUMENT_COUNT_MISMATCH" if len(self.announced) < 4
            else "UPLOAD_NOT_FINISHED" if len(self.done) < 4
            else None
        )  # fmt: skip
        states = [self.session.document(index) for index in self.announced]
        if refused is not None:
            with pytest.raises(CaseMeshError) as caught:
                finished_totals(states, stated)
            assert refused == caught.value.reason
        else:
            assert stated.size_bytes == finished_totals(states, stated).size_bytes

    @invariant()
    def what_is_done_is_what_was_meant(self) -> None:
        for index, sha256 in self.done.items():
            assert digest(self.contents[index]) == sha256
        for index, held in self.stored.items():
            assert self.session.document(index).received_bytes == len(held)
            assert self.contents[index].startswith(held)


UploadAgainstModel.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestUploadAgainstModel = UploadAgainstModel.TestCase
