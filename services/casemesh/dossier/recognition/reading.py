"""Lets a process with limits read contents: their plain bytes lie in memory and never on a disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from casemesh.dossier.downloading.content import ContentReader
from casemesh.dossier.packs.stores import PackStore
from casemesh.dossier.recognition.store import DueContent


class ReadableContents:
    """Contents one after another, for one thread. Keeps the pack read last open; use it in a ``with`` statement."""

    def __init__(self, packs: PackStore) -> None:
        self._packs = packs
        self._case = ""
        self._reader: ContentReader | None = None

    def __enter__(self) -> ReadableContents:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    @contextmanager
    def readable(self, due: DueContent, case_key: bytes) -> Iterator[Path]:
        """A path under which a process of the same user can read the content, while the body runs.

        Takes as much memory as the content has bytes. Raises DataLoss where stored bytes do not verify.
        """
        descriptor = os.memfd_create("content", os.MFD_CLOEXEC)
        try:
            for data in self._of_case(due.case_name, case_key).read(due.content):
                os.write(descriptor, data)
            yield Path(f"/proc/{os.getpid()}/fd/{descriptor}")
        finally:
            os.close(descriptor)

    def head(self, due: DueContent, case_key: bytes) -> bytes:
        """The content's first bytes, at most 1 MiB. Raises DataLoss."""
        return next(self._of_case(due.case_name, case_key).read(due.content), b"")

    def _of_case(self, case: str, case_key: bytes) -> ContentReader:
        if self._reader is None or self._case != case:
            self._close()
            self._reader, self._case = ContentReader(self._packs, case, case_key), case
        return self._reader

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
