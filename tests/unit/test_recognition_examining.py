"""Files are known by their bytes, and none of them takes more than it is given."""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from casemesh.client.examining import process
from casemesh.client.examining.examiner import ExaminationFailed, Examiner
from casemesh.client.examining.findings import MAX_LINES, Findings, Format, Line, Problem
from casemesh.client.examining.formats import sniff
from casemesh.client.examining.ocr import tesseract
from casemesh.client.examining.process import examine
from tests.support.labelled_dossier import Labelled, can_draw, content, labelled, ofd, pdf, write

SHARED = Path(os.environ.get("CASEMESH_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared")).resolve()
OFD_NAMESPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def found_in(folder: Path, data: bytes) -> Findings:
    path = folder / "file"
    path.write_bytes(data)
    return examine(str(path))


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return buffer.getvalue()


def pdf_with_stream(piece: bytes, times: int) -> bytes:
    packing = zlib.compressobj(1)
    packed = b"".join(packing.compress(piece) for _ in range(times)) + packing.flush()
    return (
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 10 10]/Contents 4 0 R>>endobj\n"
        b"4 0 obj<</Length %d/Filter/FlateDecode>>stream\n"
        % len(packed)
        + packed
        + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    )


def image(kind: str, pages: int = 1) -> bytes:
    buffer = io.BytesIO()
    drawn = [Image.new("L", (40, 30), 200) for _ in range(pages)]
    drawn[0].save(buffer, kind, **({"save_all": True, "append_images": drawn[1:]} if pages > 1 else {}))
    return buffer.getvalue()


def test_every_labelled_document_is_known_for_what_it_is_with_its_pages_and_lines(tmp_path: Path) -> None:
    for document in labelled():
        found = examine(str(write(document, tmp_path)))
        readable = document.kind in ("pdf", "ofd", "txt", "gb18030")
        assert (
            document.format,
            0 if document.kind == "unknown" else document.pages,
            document.lines if readable else (),
            (),
        ) == (found.format, found.page_count, tuple(line.text for line in found.lines), found.problems), document


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.pdf", image("JPEG"), Format.JPEG),
        ("a.jpg", image("PNG"), Format.PNG),
        ("a.txt", pdf(("拘留证",), 1), Format.PDF),
        ("a.pdf", b"junk before\n" + pdf(("拘留证",), 1), Format.PDF),
        ("a.doc", "拘留证".encode("gb18030"), Format.TEXT),
        ("a.ofd", archive(word__document_xml=b"<w/>"), Format.UNRECOGNISED),
        ("a.txt", b"\x00\x01\x02", Format.UNRECOGNISED),
        ("a.txt", b"\xff\xfe\xff", Format.UNRECOGNISED),
    ],
)
def test_bytes_say_what_a_file_is_whatever_it_is_called(
    tmp_path: Path, name: str, data: bytes, expected: Format
) -> None:
    (tmp_path / name).write_bytes(data)
    assert expected == examine(str(tmp_path / name)).format


def test_a_title_line_comes_with_the_size_of_its_letters(tmp_path: Path) -> None:
    lines = found_in(tmp_path, pdf(("北湖市公安局", "拘 留 证", "北公拘字"), 1)).lines
    assert (Line("北湖市公安局", 22.0), Line("拘 留 证", 22.0), Line("北公拘字", 12.0)) == lines
    assert (8.0, 8.0, 4.0) == tuple(line.size for line in found_in(tmp_path, ofd(("甲", "乙", "丙"), 1)).lines)


def test_lines_are_bounded(tmp_path: Path) -> None:
    lines = found_in(tmp_path, "\n".join(["长" * 500] * 50).encode()).lines
    assert (MAX_LINES, {80}) == (len(lines), {len(line.text) for line in lines})


def test_text_behind_a_picture_cover_is_found(tmp_path: Path) -> None:
    cover_first = pdf((), 1)[:-1], pdf(("起诉意见书",), 1)
    assert () == found_in(tmp_path, cover_first[0]).lines
    pages = ofd(("起诉意见书",), 1)
    with zipfile.ZipFile(io.BytesIO(pages)) as made:
        members = {name: made.read(name) for name in made.namelist()}
    members["Doc_0/Document.xml"] = members["Doc_0/Document.xml"].replace(
        b"<ofd:Pages>", b'<ofd:Pages><ofd:Page ID="9" BaseLoc="/Cover.xml"/>'
    )
    members["Cover.xml"] = f"<ofd:Page {OFD_NAMESPACE}/>".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, data in members.items():
            made.writestr(name, data)
    found = found_in(tmp_path, buffer.getvalue())
    assert (2, ("起诉意见书",)) == (found.page_count, tuple(line.text for line in found.lines))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", (Format.UNRECOGNISED, Problem.EMPTY)),
        (b"%PDF-1.7\nnothing of the kind", (Format.PDF, Problem.UNREADABLE)),
        (image("JPEG")[:100], (Format.JPEG, Problem.UNREADABLE)),
        (image("JPEG")[:-2], (Format.JPEG, Problem.UNREADABLE)),
        (image("PNG")[:-12], (Format.PNG, Problem.UNREADABLE)),
        (image("TIFF")[:12], (Format.TIFF, Problem.UNREADABLE)),
        (archive(OFD_xml=b"<OFD/>"), (Format.OFD, Problem.UNREADABLE)),
        (archive(OFD_xml=b"<OFD><DocBody><DocRoot>D.xml</DocRoot></DocBody>"), (Format.OFD, Problem.UNREADABLE)),
        (
            archive(OFD_xml=b"<OFD><DocBody><DocRoot>../../etc/passwd</DocRoot></DocBody></OFD>"),
            (Format.OFD, Problem.UNREADABLE),
        ),
    ],
)
def test_what_is_torn_is_unreadable(tmp_path: Path, data: bytes, expected: tuple[Format, Problem]) -> None:
    found = found_in(tmp_path, data)
    assert expected == (found.format, *found.problems)


def test_a_pdf_with_a_password_is_told_from_a_torn_one(tmp_path: Path) -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    path = tmp_path / "locked.pdf"
    canvas = Canvas(str(path), encrypt=StandardEncryption("secret"))
    canvas.drawString(1, 1, "x")
    canvas.save()
    assert (Problem.ENCRYPTED,) == examine(str(path)).problems


def test_a_ring_of_tiff_directories_ends(tmp_path: Path) -> None:
    directory = struct.pack("<H", 1) + struct.pack("<HHII", 256, 3, 1, 10) + struct.pack("<I", 8)
    found = found_in(tmp_path, b"II*\x00" + struct.pack("<I", 8) + directory)
    assert (Format.TIFF, (Problem.UNREADABLE,)) == (found.format, found.problems)


def test_big_tiff_and_big_endian_tiff_count(tmp_path: Path) -> None:
    assert 3 == found_in(tmp_path, image("TIFF", 3)).page_count
    entry = struct.pack(">HHQQ", 256, 3, 1, 10)
    big = b"MM\x00+" + struct.pack(">HHQ", 8, 0, 16) + struct.pack(">Q", 1) + entry + struct.pack(">Q", 0)
    assert 1 == found_in(tmp_path, big).page_count


@pytest.mark.parametrize("name", ["ofdrw_1.ofd", "ofdrw_hello-integrity.ofd"])
def test_ofd_of_other_makers_is_read(name: str) -> None:
    path = SHARED / "domain" / "samples" / name
    if not path.is_file():
        pytest.skip(f"no OFD samples at {path.parent}; set CASEMESH_SHARED to where they are")
    found = examine(str(path))
    assert (Format.OFD, {"ofdrw_1.ofd": 1}.get(name, 2), ()) == (found.format, found.page_count, found.problems)
    assert found.lines


def test_entities_are_refused_in_ofd(tmp_path: Path) -> None:
    body = b"<OFD><DocBody><DocRoot>%s</DocRoot></DocBody></OFD>"
    plain = found_in(tmp_path, archive(OFD_xml=body % b"D.xml", D_xml=b"<Document/>"))
    entity = b'<!DOCTYPE OFD [<!ENTITY d "D.xml">]>' + body % b"&d;"
    assert ((), (Problem.UNREADABLE,)) == (
        plain.problems, found_in(tmp_path, archive(OFD_xml=entity, D_xml=b"<Document/>")).problems,
    )  # fmt: skip


def test_a_member_of_an_ofd_is_read_up_to_its_limit_alone(tmp_path: Path) -> None:
    root = b"<OFD><DocBody><DocRoot>D.xml</DocRoot></DocBody></OFD>"
    problems = [
        found_in(tmp_path, archive(OFD_xml=root, D_xml=b"<Document>" + b" " * (size << 20) + b"</Document>")).problems
        for size in (15, 16)
    ]
    assert [(), (Problem.UNREADABLE,)] == problems


@pytest.fixture(scope="module")
def bombs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bombs")
    blank = b" " * (32 << 20)
    made = {
        "member.ofd": archive(
            OFD_xml=b"<OFD><DocBody><DocRoot>D.xml</DocRoot></DocBody></OFD>", D_xml=b"<Document>" + blank
        ),
        "stream.pdf": pdf_with_stream(b"q Q " * (1 << 18), 700),
        "nested.pdf": pdf_with_stream(b"[" * (1 << 20), 4),
        "pages.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 2000000000/Kids[2 0 R]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
    }
    for name, data in made.items():
        (folder / name).write_bytes(data)
    return {name: folder / name for name in made}


@pytest.mark.parametrize("name", ["member.ofd", "stream.pdf", "nested.pdf", "pages.pdf"])
def test_a_bomb_ends_within_the_limits_and_the_next_file_is_read(
    bombs: dict[str, Path], tmp_path: Path, name: str
) -> None:
    good = write(Labelled("good.pdf", "pdf", 2, ("拘留证",), "A029"), tmp_path)
    with Examiner(seconds_per_file=30) as examiner:
        try:
            found = examiner.examine(bombs[name])
        except ExaminationFailed:
            found = None
        process_id = examiner._process.pid if examiner._process is not None else None
        if process_id is not None:
            peak = Path(f"/proc/{process_id}/status").read_text().partition("VmHWM:")[2].split()[0]
            assert int(peak) * 1024 < process.MEMORY_BYTES
        assert found is None or found.page_count < 100_000
        assert 2 == examiner.examine(good).page_count


def limited(examine_source: str, files: int) -> subprocess.CompletedProcess[str]:
    """The process as it is, with one or two seconds of processor time for a file and another way to examine it."""
    script = (
        "import time\nfrom casemesh.client.examining import process\n"
        f"from casemesh.client.examining.findings import Findings, Format\n{examine_source}\n"
        "process.CPU_SECONDS, process.examine = 1, examine\nprocess.main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script], input='["examine", "x"]\n' * files, text=True, capture_output=True, timeout=60
    )


def test_processor_time_is_bounded_for_a_file() -> None:
    done = limited("def examine(path):\n    while True: pass", 1)
    assert (-signal.SIGXCPU, "") == (done.returncode, done.stdout)


def test_memory_is_bounded() -> None:
    allocate = (
        "def examine(path):\n    try:\n        bytearray(process.MEMORY_BYTES)\n    except MemoryError:\n"
        "        return Findings(Format.TEXT, 1)\n    return Findings(Format.TEXT, 2)"
    )
    assert 1 == json.loads(limited(allocate, 1).stdout)["page_count"]


def test_the_time_of_one_file_does_not_count_against_the_next() -> None:
    burn = (
        "def examine(path):\n    end = time.process_time() + 0.5\n    while time.process_time() < end: pass\n"
        "    return Findings(Format.TEXT, 1)"
    )
    done = limited(burn, 5)
    assert (0, 5) == (done.returncode, len(done.stdout.splitlines()))


def test_a_reader_that_answers_nonsense_or_never_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = write(Labelled("good.pdf", "pdf", 2, ("拘留证",), "A029"), tmp_path)
    answering = tmp_path / "answering"
    answering.write_text("#!/bin/sh\nwhile read line; do echo '{\"format\": 7}'; done\n")
    answering.chmod(0o700)
    monkeypatch.setattr("casemesh.client.examining.examiner.sys.executable", str(answering))
    with Examiner() as examiner:
        with pytest.raises(ExaminationFailed):
            examiner.examine(good)
        monkeypatch.undo()
        assert 2 == examiner.examine(good).page_count
    with Examiner(seconds_per_file=0.0) as impatient, pytest.raises(ExaminationFailed):
        impatient.examine(good)


def test_a_file_that_cannot_be_opened_says_nothing_about_the_next(tmp_path: Path) -> None:
    good = write(Labelled("good.pdf", "pdf", 2, ("拘留证",), "A029"), tmp_path)
    with Examiner() as examiner:
        assert 2 == examiner.examine(good).page_count
        with pytest.raises(ExaminationFailed):
            examiner.examine(tmp_path / "missing.pdf")
        assert 2 == examiner.examine(good).page_count


def test_bytes_in_memory_are_read_by_the_path_of_their_descriptor() -> None:
    descriptor = os.memfd_create("test")
    try:
        os.write(descriptor, content(Labelled("x.pdf", "pdf", 3, ("换押证",), "I001")))
        with Examiner() as examiner:
            assert 3 == examiner.examine(Path(f"/proc/{os.getpid()}/fd/{descriptor}")).page_count
    finally:
        os.close(descriptor)


def test_a_picture_is_read_where_the_machine_can(tmp_path: Path) -> None:
    if tesseract() is None or not can_draw():
        pytest.skip(
            "no tesseract with chi_sim, or no font to draw with: apt install tesseract-ocr-chi-sim fonts-noto-cjk"
        )
    picture = write(Labelled("IMG_0004.png", "png", 1, ("送达回证", "受送达人"), "R004"), tmp_path)
    scanned = tmp_path / "scanned.pdf"
    Image.open(picture).save(scanned)
    with Examiner() as examiner:
        assert "送达回证" == examiner.read_picture(picture).lines[0].text
        assert () == examiner.examine(scanned).lines
        assert examiner.read_picture(scanned).lines
        text = write(Labelled("a.txt", "txt", 1, ("送达回证",), "R004"), tmp_path)
        assert () == examiner.read_picture(text).lines


@given(st.binary(max_size=3000))
def test_no_bytes_bring_the_readers_down(data: bytes) -> None:
    sniff(io.BytesIO(data))
    for head in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00+"):
        descriptor = os.memfd_create("test")
        try:
            os.write(descriptor, head + data)
            assert examine(f"/proc/self/fd/{descriptor}").page_count >= 0
        finally:
            os.close(descriptor)


def test_findings_survive_the_way_between_the_processes() -> None:
    found = Findings(Format.PDF, 7, (Line("拘留证", 22.0), Line("甲")), (Problem.EMPTY,))
    assert found == Findings.from_json(found.to_json())


def test_letters_that_cannot_be_shown_do_not_come_out_of_the_process() -> None:
    found = Findings(Format.PDF, 1, (Line("拘\x00留\x1b[2J证\ud800", 22.0),)).to_json()
    assert (Line("拘留[2J证", 22.0),) == Findings.from_json(found).lines
