"""PostgreSQL processes that outlived whoever started them.

They are found by the cluster's name, which stands in the command line of the server and in the titles of its
children; both are readable by every user, unlike the working directory.
"""

import hashlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_POLL_SECONDS = 0.05
_QUIT_SECONDS = 5.0


def cluster_name(data_dir: Path) -> str:
    """A name for the cluster in `data_dir` that no other data directory of this machine has."""
    return f"casemesh-{hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]}"


def stop_orphans(name: str, timeout_seconds: float) -> None:
    """Ends every process of the cluster: the server by fast shutdown, then children without a server.

    Call it only while holding the data directory's lock, so that nothing here can belong to a living owner.
    Raises OSError when one of them cannot be ended.
    """
    for number, patience in (
        (signal.SIGINT, timeout_seconds),
        (signal.SIGQUIT, _QUIT_SECONDS),
        (signal.SIGKILL, _QUIT_SECONDS),
    ):
        remaining = list(_processes(name))
        if not remaining:
            return
        servers = [pid for pid, is_server in remaining if is_server]
        # Children follow their server; only without one are they addressed themselves.
        for pid in servers or [pid for pid, _ in remaining]:
            _signal(pid, number)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not any(True for _ in _processes(name)):
                return
            time.sleep(_POLL_SECONDS)
    raise OSError(f"PostgreSQL processes of an earlier run do not end: {sorted(pid for pid, _ in _processes(name))}")


def remove_foreign_pid_file(cluster: Path) -> None:
    """Removes postmaster.pid when the process it names is alive but is another program.

    After kill -9 the file stays, and when the machine has given the number to somebody else, PostgreSQL takes that
    one for a running server and refuses to start. A number that is free PostgreSQL recognises itself. Call it after
    `stop_orphans`.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        # No file, not readable for us, or no such process: PostgreSQL judges for itself.
        return
    if os.fsencode(cluster) not in command:
        pid_file.unlink()


def _processes(name: str) -> Iterator[tuple[int, bool]]:
    server_word = f"--cluster_name={name}".encode()
    child_title = f"postgres: {name}: ".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if server_word in command.split(b"\0"):
            yield int(entry.name), True
        elif command.startswith(child_title):
            yield int(entry.name), False


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise OSError(f"process {pid} of an earlier run belongs to another user: stop it first") from error
