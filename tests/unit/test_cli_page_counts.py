"""Pages are counted apart from the command, and no file can stop it."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemesh.cli.page_counts import PageCounter


def pdf(pages: int) -> bytes:
    """A PDF of empty pages, without a cross-reference table: readers rebuild it."""
    kids = " ".join(f"{number + 3} 0 R" for number in range(pages))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Count {pages}/Kids[{kids}]>>"]
    objects += ["<</Type/Page/Parent 2 0 R/MediaBox[0 0 10 10]>>"] * pages
    body = "".join(f"{number} 0 obj{text}endobj\n" for number, text in enumerate(objects, start=1))
    return f"%PDF-1.4\n{body}trailer<</Root 1 0 R>>\n%%EOF".encode()


def test_a_pdf_has_its_own_number_of_pages_and_others_one(tmp_path: Path) -> None:
    (tmp_path / "讯问笔录.PDF").write_bytes(pdf(17))
    (tmp_path / "one.pdf").write_bytes(pdf(1))
    (tmp_path / "a.jpg").write_bytes(b"anything")
    with PageCounter() as counter:
        counts = [counter.count(tmp_path / name) for name in ("讯问笔录.PDF", "a.jpg", "one.pdf")]
    assert counts == [17, 1, 1]
    assert counter.unreadable == []


def test_a_file_that_is_no_pdf_counts_as_one_page_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.pdf").write_bytes(b"not a PDF")
    (tmp_path / "good.pdf").write_bytes(pdf(3))
    with PageCounter() as counter:
        assert [counter.count(tmp_path / name) for name in ("bad.pdf", "good.pdf", "missing.pdf")] == [1, 3, 1]
    assert counter.unreadable == [tmp_path / "bad.pdf", tmp_path / "missing.pdf"]


def test_a_reader_that_hangs_or_dies_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good.pdf").write_bytes(pdf(3))
    monkeypatch.setattr("casemesh.client.examining.examiner.sys.executable", "/bin/cat")
    with PageCounter() as counter:
        assert counter.count(tmp_path / "good.pdf") == 1  # /bin/cat refuses "-m" and ends
        monkeypatch.undo()
        assert counter.count(tmp_path / "good.pdf") == 3
    with PageCounter(seconds_per_file=0.0) as impatient:
        assert impatient.count(tmp_path / "good.pdf") == 1
    assert impatient.unreadable == [tmp_path / "good.pdf"]
