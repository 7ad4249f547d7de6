"""How many pages a file has, as its sender states it: the count of the file itself, one where there is none.

A file that cannot be read still goes into the dossier, as one page.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from casemesh.client.examining.examiner import SECONDS_PER_FILE, ExaminationFailed, Examiner
from casemesh.client.examining.findings import Format, Problem


class PageCounter:
    """Counts pages. To be used in a `with` statement, which ends the process that reads."""

    def __init__(self, *, seconds_per_file: float = SECONDS_PER_FILE) -> None:
        self._examiner = Examiner(seconds_per_file=seconds_per_file)
        self.unreadable: list[Path] = []
        """Files that could not be read as what they are or are called; the count of one page is only an assumption."""

    def count(self, path: Path) -> int:
        """Return the number of pages of the file, at least 1."""
        try:
            found = self._examiner.examine(path)
        except ExaminationFailed:
            self.unreadable.append(path)
            return 1
        misnamed = path.suffix.lower() == ".pdf" and found.format is not Format.PDF
        if misnamed or not {Problem.UNREADABLE, Problem.ENCRYPTED}.isdisjoint(found.problems):
            self.unreadable.append(path)
        return max(found.page_count, 1)

    def __enter__(self) -> PageCounter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._examiner.close()
