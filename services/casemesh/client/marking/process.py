"""Marks copies in a process of its own: a file may be made to take a reader's memory or time, and takes this one's.

Started by `copies`; reads one JSON list a line (source, target, lines), and answers each with the number of pages, or
null where it cannot be marked.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Final

from casemesh.client.examining.findings import UnreadableFile

PARTIAL: Final = ".partial"
"""What the name of a copy ends with while it is written."""
MEMORY_BYTES: Final = 2 << 30
"""Address space of the process: a scan of a few hundred pages is held while it is written."""
CPU_SECONDS: Final = 60
"""Processor time for one file."""


def main() -> None:
    """Answer until stdin ends."""
    try:
        import resource
    except ImportError:
        limit = None  # not a POSIX system: the parent's time limit holds nevertheless
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + CPU_SECONDS, hard))

    from casemesh.client.marking.overlay import mark_copy

    for line in iter(sys.stdin.readline, ""):
        if limit is not None:
            limit()
        source, target, lines = json.loads(line)
        partial = f"{target}{PARTIAL}"
        try:
            pages: int | None = mark_copy(source, partial, lines)
            os.replace(partial, target)
        except (UnreadableFile, MemoryError, RecursionError, OSError):
            pages = None
        print(json.dumps(pages), flush=True)


if __name__ == "__main__":
    main()
