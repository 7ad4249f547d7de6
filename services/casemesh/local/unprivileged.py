"""Running a child process that refuses to be root, and that must not outlive its parent.

PostgreSQL refuses to run as root, and on a fresh machine root is often all there is: the checkout and the data lie
under a directory of mode 0700. The child then runs under another uid with, if the paths need it, one capability:
CAP_DAC_READ_SEARCH (pass through and read directories and files of others), or where a container lacks it
CAP_DAC_OVERRIDE. When every path is open to the uid, it gets no capability at all.

Source: capabilities(7), prctl(2) PR_SET_PDEATHSIG, setpriv(1) of util-linux.
"""

import os
import shutil
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
_READ, _SEARCH, _READ_AND_SEARCH = 0o4, 0o1, 0o5
# In order of preference: (name for setpriv, bit in the kernel's capability sets).
_CAPABILITIES = (("dac_read_search", 2), ("dac_override", 1))


class UnreachableError(OSError):
    """The uid that the child would run as cannot reach a path, and this process has no capability to pass on."""


@dataclass(frozen=True)
class Identity:
    """The user and group that a child runs as."""

    uid: int
    gid: int


def child_identity(owned: Path | None = None) -> Identity:
    """Who a child runs as: this process's own user, or, under root, the owner of `owned`, or nobody."""
    if os.geteuid() != 0:
        return Identity(os.geteuid(), os.getegid())
    if owned is not None and owned.exists() and owned.stat().st_uid != 0:
        return Identity(owned.stat().st_uid, owned.stat().st_gid)
    return Identity(NOBODY, NOBODY)


def launch_prefix(identity: Identity, paths: Iterable[Path], *, death_signal: str | None = None) -> list[str]:
    """The words to put before a command so that it runs as `identity` and can reach `paths`.

    With `death_signal` ("INT", "TERM") the kernel sends that signal when the thread that started the child ends,
    so start it from a thread that lives as long as the child may. Without setpriv and without root the command runs
    as it is. Raises UnreachableError, naming the path.
    """
    setpriv = shutil.which("setpriv", path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", death_signal] if setpriv and death_signal else []
    if setpriv is None:
        raise UnreachableError("setpriv (package util-linux) is needed to start PostgreSQL as root: install it")
    prefix = [setpriv, f"--reuid={identity.uid}", f"--regid={identity.gid}", "--clear-groups", "--no-new-privs"]
    if death_signal:
        prefix += ["--pdeathsig", death_signal]
    closed = next((place for path in paths if (place := closed_place(path, identity))), None)
    if closed is None:
        return [*prefix, "--inh-caps=-all"]
    capability = _capability()
    if capability is None:
        raise UnreachableError(
            f"{closed} (mode {stat.filemode(closed.stat().st_mode)}) is closed to uid {identity.uid}, as which "
            "PostgreSQL must run, and this process has no capability to open it: choose a data directory and a "
            "checkout that others may pass through, or run as a user other than root"
        )
    return [*prefix, f"--inh-caps=-all,+{capability}", f"--ambient-caps=-all,+{capability}"]


def closed_place(path: Path, identity: Identity) -> Path | None:
    """The first directory above `path`, or `path` itself, that `identity` cannot pass through or read; else None.

    Looks at modes only; an access control list that opens more costs no more than a capability too many.
    """
    absolute = path.resolve()
    for place in [*reversed(absolute.parents), absolute]:
        if not place.exists():
            return None
        wanted = _READ_AND_SEARCH if place == absolute else _SEARCH
        if place.is_file() and not place.stat().st_mode & 0o111:
            wanted = _READ
        if _granted(place.stat(), identity) & wanted != wanted:
            return place
    return None


def _granted(status: os.stat_result, identity: Identity) -> int:
    if status.st_uid == identity.uid:
        return status.st_mode >> 6 & 0o7
    if status.st_gid == identity.gid:
        return status.st_mode >> 3 & 0o7
    return status.st_mode & 0o7


def _capability() -> str | None:
    held = _held_capabilities()
    return next((name for name, bit in _CAPABILITIES if held >> bit & 1), None)


def _held_capabilities() -> int:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["CapPrm"], 16) & int(fields["CapBnd"], 16)
