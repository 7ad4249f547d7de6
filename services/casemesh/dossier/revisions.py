"""What a resource name stands for where both a dossier and a version may be named."""

from __future__ import annotations

from casemesh.core.names import DOSSIER, DOSSIER_VERSION
from casemesh.dossier.store import DossierStore
from casemesh.errors import not_found


async def revision_of(store: DossierStore, parent: str, agency: str) -> tuple[str, int]:
    """The dossier's id and the revision meant: its draft, or the latest version the agency may read, or that version.

    Raises NotFound for what the agency may not read, and for what is neither's name.
    """
    try:
        dossier_id = DOSSIER.parse(parent)["dossier"]
    except ValueError:
        pass
    else:
        dossier = await store.dossier(dossier_id, agency)
        if dossier is None:
            raise not_found()
        return dossier_id, dossier.revision
    try:
        DOSSIER_VERSION.parse(parent)
    except ValueError:
        raise not_found() from None
    version = await store.version(parent, agency)
    if version is None:
        raise not_found()
    return version.dossier_id, version.revision
