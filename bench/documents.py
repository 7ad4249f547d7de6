"""Files to send: the same in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from casemesh.client.dossier_upload import LocalDocument

MESSAGE_BYTES = 1 << 20


def make_documents(folder: Path, total_bytes: int, files: int) -> list[LocalDocument]:
    """Files of varied size and incompressible content, the same in every run, in ten volumes."""
    source = random.Random(20_260_301)
    folder.mkdir(parents=True)
    weights = [source.uniform(0.3, 1.7) for _ in range(files)]
    scale = total_bytes / sum(weights)
    block = source.randbytes(4 << 20)
    documents = []
    written = 0
    for number, weight in enumerate(weights):
        size = total_bytes - written if number == files - 1 else int(weight * scale)
        written += size
        path = folder / f"{number}.jpg"
        with path.open("wb") as file:
            # A block cut anew for each file: content differs, and random numbers for 1.2 GB would take a minute.
            while size:
                start = source.randrange(len(block) // 2)
                size -= file.write(block[start : start + size])
        documents.append(LocalDocument(path, f"证据卷{number % 10}", f"第{number}页.jpg", "image/jpeg", 1))
    return documents


def pieces(documents: list[LocalDocument]) -> Iterator[bytes]:
    """The documents' bytes in pieces of 1 MiB."""
    waiting = bytearray()
    for document in documents:
        waiting += document.path.read_bytes()
        while len(waiting) >= MESSAGE_BYTES:
            yield bytes(waiting[:MESSAGE_BYTES])
            del waiting[:MESSAGE_BYTES]
    if waiting:
        yield bytes(waiting)
