"""Reads and verifies finalised dossiers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cryptography import x509

from casemesh.cli.invocation import Failure
from casemesh.client.dossier_folder import DossierFolder, VerifiedDossier
from casemesh.client.manifest import MANIFEST_SIGNER
from casemesh.dossier.v1 import dossier_read_service_pb2

if TYPE_CHECKING:
    from casemesh.client.session import Session
    from casemesh.dossier.v1.dossier_pb2 import DossierVersion


async def read_version(session: Session, name: str) -> DossierVersion:
    """Return a version. Raises CaseMeshError."""
    request = dossier_read_service_pb2.GetDossierVersionRequest(name=name)
    return (await session.dossier_read.GetDossierVersion(request)).version


def require_roots(roots: Sequence[x509.Certificate]) -> Sequence[x509.Certificate]:
    """Return `roots` if there are any; raises Failure (exit code 2) otherwise."""
    if not roots:
        raise Failure(2, "get.no_roots")
    return roots


async def verify_pages(folder: DossierFolder, roots: Sequence[x509.Certificate]) -> VerifiedDossier:
    """Verify signature, root, each document's digest and each page's place under the root, without a connection.

    Raises what `DossierFolder.verify` raises, and FileNotFoundError when there is no manifest.
    """
    return await asyncio.to_thread(folder.verify, roots, signer=MANIFEST_SIGNER)
