"""Recognition of documents: by name alone, and by name and text layer through the process that reads the files.

5,253 pages in some 1,800 PDFs with a text layer, names of many styles. A file is opened, counted, its first lines are
read and it is classified, one after the other, as the worker of the dossier service does it: what reads and what
classifies take turns, so that it is the work of one core. The process that reads has a low priority, so whatever else
runs shows; figures are the best of five rounds.

CASEMESH_BENCH_PAGES makes it smaller.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from bench.figures import Report
from casemesh.client.examining.examiner import Examiner
from casemesh.data.dossier_catalogue import DocumentType, load
from casemesh.dossier.recognition.classify import Classifier

PAGES = int(os.environ.get("CASEMESH_BENCH_PAGES", "5253"))
NAMES = 50_000
ROUNDS = 5
FONT = "STSong-Light"


async def measure(report: Report) -> None:
    """Measure everything of this module."""
    source = random.Random(1)
    kinds = list(load().types.values())
    classifier = Classifier(load())
    names = [name_of(source.choice(kinds), number, source) for number in range(NAMES)]

    def by_name() -> None:
        for name in names:
            classifier.classify(name)

    report.add("dossier.catalogue.names_per_s", NAMES / best(by_name), "names/s", n=NAMES, conditions="by name alone")
    with tempfile.TemporaryDirectory(prefix="casemesh-bench-") as folder, Examiner() as examiner:
        documents = make_documents(Path(folder), kinds, source)
        pages = 0

        def by_text() -> None:
            nonlocal pages
            pages = 0
            for path in documents:
                found = examiner.examine(path)
                classifier.classify(path.name, found.lines)
                pages += found.page_count

        seconds = best(by_text)
        report.add(
            "dossier.catalogue.pages_per_s", pages / seconds, "pages/s", n=pages,
            conditions=f"by name and text layer, {len(documents)} PDFs, {len(documents) / seconds:.0f} documents/s",
        )  # fmt: skip


def best(work: Callable[[], None]) -> float:
    """Seconds of the fastest of some rounds."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def name_of(kind: DocumentType, number: int, source: random.Random) -> str:
    """A file name as offices write them: numbered, dated, with a person, or saying nothing."""
    name = source.choice((kind.name, *kind.aliases))
    forms = (
        f"{number:05}_{name}",
        f"{name}（何青山）",
        f"{name}-林小舟20260105",
        f"scan_{number:06}",
        name + str(number),
    )
    return f"{source.choice(forms)}.pdf"


def make_documents(folder: Path, kinds: list[DocumentType], source: random.Random) -> list[Path]:
    """PDFs with a text layer, PAGES pages in all: an organ, a title, and lines of text on every page."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    text = (
        "经依法审查查明被告人于案发当日进入现场以自带工具撬开门锁窃取财物后离开上述事实有证人证言书证等证据证实足以认定"
    )
    paths = []
    left = PAGES
    while left > 0:
        pages = min(left, source.choice((1, 1, 1, 2, 2, 3, 5, 9)))
        kind = source.choice(kinds)
        path = folder / f"{len(paths):05}_{name_of(kind, len(paths), source).replace('/', '_')}"
        canvas = Canvas(str(path), pagesize=A4)
        for page in range(pages):
            canvas.setFont(FONT, 20)
            if page == 0:
                canvas.drawCentredString(A4[0] / 2, 760, "北湖市公安局")
                canvas.drawCentredString(A4[0] / 2, 725, " ".join(kind.name) if len(kind.name) < 8 else kind.name)
            canvas.setFont(FONT, 11)
            # A certificate says little, a record fills its page.
            for line in range(source.randint(6, 25)):
                start = source.randrange(20)
                canvas.drawString(70, 680 - 22 * line, text[start : start + 36])
            canvas.showPage()
        canvas.save()
        paths.append(path)
        left -= pages
    return paths
