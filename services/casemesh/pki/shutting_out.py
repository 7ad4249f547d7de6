"""Shutting an agency out at the gateway, at once and for as long as its file lies there.

Nothing but files is needed: not identity, not its database, no restart. What the gateway does with them stands in
`gateway/envoy.yaml`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from casemesh.pki.bundles import write_bundle_map
from casemesh.pki.errors import PkiError
from casemesh.pki.files import directory_lock, replace_file
from casemesh.pki.layout import PkiLayout
from casemesh.pki.names import agency_trust_domain


@dataclass(frozen=True)
class ShutOut:
    """An agency that is shut out, and since when."""

    agency: str
    since: datetime


def shut_out(layout: PkiLayout, agency: str, *, now: datetime) -> ShutOut:
    """Shuts an agency out: no new connection, and those that exist end with the next thing they send, at the latest
    with the answer to the gateway's next ping, 5 s later.

    Doing it again changes nothing. Raises PkiError when no agency of this name may come in anyway, since a slip of the
    pen must not look like success. Its rights and registrations stay as they are; `lift` restores all.
    """
    if not layout.bundle(agency).exists():
        raise PkiError(f"no agency {agency!r} here: {layout.bundles} holds a file for each")
    path = _mark(layout, agency)
    with directory_lock(layout.root):
        if not path.exists():
            replace_file(path, f"{now.astimezone(UTC).isoformat(timespec='seconds')}\n".encode())
        # The file ends connections; that no new one comes so far as to be one is the map's doing.
        write_bundle_map(layout)
        return _read(path)


def lift(layout: PkiLayout, agency: str) -> bool:
    """Lets an agency in again; returns whether it was shut out."""
    path = _mark(layout, agency)
    with directory_lock(layout.root):
        was = path.exists()
        path.unlink(missing_ok=True)
        write_bundle_map(layout)
        return was


def shut_out_agencies(layout: PkiLayout) -> list[ShutOut]:
    """Returns who is shut out, in the order of their names."""
    return [_read(path) for path in sorted(layout.shut_out.glob("*.agency.casemesh"))]


def _mark(layout: PkiLayout, agency: str) -> Path:
    return layout.shut_out / agency_trust_domain(agency)


def _read(path: Path) -> ShutOut:
    try:
        since = datetime.fromisoformat(path.read_text().strip())
    except ValueError:
        # A file of any content shuts out, also one that somebody made by hand.
        since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return ShutOut(path.name.partition(".")[0], since)
