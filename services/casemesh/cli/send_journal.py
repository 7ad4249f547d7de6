"""What a `dossier send` has begun, so that the same command goes on after it was killed.

One small file per profile, case and folder in the state folder: `$CASEMESH_STATE`, or `~/.local/state/casemesh`. It
holds request ids and names, never content; what was received, the platform knows best and is asked.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from casemesh.cli.invocation import Failure
from casemesh.core.ids import new_id


@dataclass
class SendJournal:
    """One sending. Ids are chosen at its begin and kept, so that each step has one effect however often it is tried."""

    folder: str
    case: str
    title: str
    fingerprint: str
    """Of the folder when the sending began."""
    create_request_id: str = field(default_factory=new_id)
    upload_id: str = field(default_factory=new_id)
    finalize_request_id: str = field(default_factory=new_id)
    dossier: str = ""
    version: str = ""
    """Set when all is done."""


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for what commands remember between runs."""
    if chosen := environ.get("CASEMESH_STATE"):
        return Path(chosen)
    return Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "casemesh"


def journal_path(state: Path, gateway: str, case: str, folder: Path) -> Path:
    """Return where the sending of `folder` into `case` is kept."""
    name = hashlib.sha256("\n".join([gateway, case, str(folder.resolve())]).encode()).hexdigest()[:32]
    return state / "sends" / f"{name}.json"


def load(path: Path) -> SendJournal | None:
    """Return the journal, or None when there is none or it is not one: losing it costs a new upload, no more."""
    try:
        return SendJournal(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def save(path: Path, journal: SendJournal) -> None:
    """Write the journal so that it survives a crash whole: either the old one or the new."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(asdict(journal), file, ensure_ascii=False, indent=2)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@contextmanager
def only_sender(path: Path) -> Iterator[None]:
    """Hold the journal for one process: two with one upload id would take it from each other again and again.

    Raises Failure (exit code 5) when another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_suffix(".lock").open("w") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass  # not a POSIX system
        except OSError:
            raise Failure(5, "send.another") from None
        yield
