"""Reads the bytes of documents out of packs, for one thread."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from types import TracebackType

from casemesh.core.names import CASE
from casemesh.dossier.packs.format import PackDamaged
from casemesh.dossier.packs.reader import PackReader
from casemesh.dossier.packs.stores import PackKey, PackStore
from casemesh.dossier.version_store import Content
from casemesh.errors import DataLoss


class ContentReader:
    """Contents of one case. Keeps the pack read last open; close it or use it as a context manager."""

    def __init__(self, packs: PackStore, case: str, case_key: bytes) -> None:
        self._packs = packs
        self._case_id = uuid.UUID(CASE.parse(case)["case"]).bytes
        self._case_key = case_key
        self._pack: PackReader | None = None

    def __enter__(self) -> ContentReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        if self._pack is not None:
            self._pack.close()
            self._pack = None

    def read(self, content: Content, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The content's bytes from ``start``, up to ``end`` where it is given, at most 1 MiB at a time.

        Raises DataLoss where stored bytes do not verify in any copy, with nothing of that chunk returned.
        """
        stop = content.size_bytes if end is None else end
        for extent in content.extents:
            if extent.offset + extent.length <= start or extent.offset >= stop:
                continue
            try:
                for found in self._open(extent.pack_id).read_extent(content.blob_id, extent, start):
                    offset, plain = found.header.offset, found.plain
                    if offset >= stop:
                        break
                    if offset < start or offset + len(plain) > stop:
                        plain = plain[max(0, start - offset) : stop - offset]
                    yield plain
            except (PackDamaged, OSError) as damage:
                raise DataLoss(
                    "CONTENT_CORRUPT",
                    f"stored bytes of document {content.index} do not verify; none of them were sent",
                    {"document_index": content.index},
                ) from damage

    def _open(self, pack_id: bytes) -> PackReader:
        if self._pack is None or self._pack.pack_id != pack_id:
            self.close()
            self._pack = PackReader.open(self._packs, PackKey(self._case_id, pack_id), self._case_key)
        return self._pack
