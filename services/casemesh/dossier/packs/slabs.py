"""Page-aligned memory for direct input and output, files opened for it, and names made durable.

Dossiers are larger than what a page cache is for, and copying through it costs more than encrypting does.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from pathlib import Path


class Slab:
    """A buffer that begins at a page. ``base`` is the file offset of its first byte; ``filled`` is in bytes."""

    def __init__(self, size: int) -> None:
        self._memory = mmap.mmap(-1, size)
        self.view = memoryview(self._memory)
        self.base = 0
        self.filled = 0


def open_direct(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open a file so that reads and writes bypass the page cache, where the file system can. Raises OSError."""
    flags |= os.O_CLOEXEC
    try:
        return os.open(path, flags | os.O_DIRECT, mode)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # The first attempt has created the file before it was refused, so it is ours even where O_EXCL was asked for.
        return os.open(path, flags & ~os.O_EXCL, mode)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable: a new file's name is not, until its directory is synced too."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_at(descriptor: int, data: memoryview, position: int) -> None:
    """Write all of ``data``, which begins at a page. Raises OSError; what was written then is unknown."""
    while data:
        try:
            written = os.pwrite(descriptor, data, position)
        except OSError as error:
            if not _go_on_through_the_cache(descriptor, error):
                raise
            continue
        data, position = data[written:], position + written


def read_at(descriptor: int, slab: Slab, position: int, length: int) -> None:
    """Fill the slab from ``position``, which is a page's, with up to ``length`` bytes, fewer at the file's end."""
    slab.base, slab.filled = position, 0
    while slab.filled < length:
        try:
            read = os.preadv(descriptor, [slab.view[slab.filled : length]], position + slab.filled)
        except OSError as error:
            if not _go_on_through_the_cache(descriptor, error):
                raise
            continue
        if read == 0:
            return
        slab.filled += read


def _go_on_through_the_cache(descriptor: int, error: OSError) -> bool:
    """Turn direct access off where it is what the file system refuses: some take the flag and then no request.

    A short read or write leaves the next one unaligned; that one too is refused and goes through the cache.
    """
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    if error.errno != errno.EINVAL or not flags & os.O_DIRECT:
        return False
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags & ~os.O_DIRECT)
    return True
