"""The last checkpoint this process signed, remembered outside the database.

A database put back from an older backup agrees with itself; only what is remembered elsewhere shows that it lost
events. Kept beside the process, not in PostgreSQL, and read again when it starts.
"""

from __future__ import annotations

import os
from pathlib import Path


class LastCheckpoint:
    """A file with one signed note. Without a path it is remembered in memory alone."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._note = path.read_text(encoding="utf-8") if path is not None and path.exists() else None

    @property
    def note(self) -> str | None:
        """The signed note, None when none was signed yet."""
        return self._note

    def remember(self, note: str) -> None:
        """Put `note` in place of the one before.

        The file is replaced whole and survives kill -9. It is not synced to disk: after a power failure an older one
        may be there, which only remembers less.
        """
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replacement = self._path.with_name(f".{self._path.name}.{os.getpid()}")
            replacement.write_text(note, encoding="utf-8")
            replacement.replace(self._path)
        self._note = note
