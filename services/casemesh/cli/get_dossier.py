"""Reads and verifies finalised dossiers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509

from casemesh.cli.invocation import Failure, Invocation
from casemesh.client import page_proofs
from casemesh.client.dossier_folder import DossierFolder, VerifiedDossier
from casemesh.client.manifest import MANIFEST_SIGNER, Manifest
from casemesh.client.page_proofs import ProvedPage
from casemesh.client.profile import read_roots
from casemesh.core.ids import new_id
from casemesh.dossier.v1 import dossier_delivery_service_pb2, dossier_read_service_pb2

if TYPE_CHECKING:
    from casemesh.client.dossier_download import DownloadedDossier
    from casemesh.client.session import Session
    from casemesh.dossier.v1.dossier_pb2 import DossierVersion, VersionDelivery


async def read_version(session: Session, name: str) -> DossierVersion:
    """Return a version. Raises CaseMeshError."""
    request = dossier_read_service_pb2.GetDossierVersionRequest(name=name)
    return (await session.dossier_read.GetDossierVersion(request)).version


def require_roots(roots: Sequence[x509.Certificate]) -> Sequence[x509.Certificate]:
    """Return `roots` if there are any; raises Failure (exit code 2) otherwise."""
    if not roots:
        raise Failure(2, "get.no_roots")
    return roots


def roots_of(run: Invocation, given: Path | None) -> Sequence[x509.Certificate]:
    """Return the roots of document signing in a file, or the profile's. Raises Failure (exit code 2) without any."""
    return require_roots(read_roots(given) if given is not None else run.profile().trusted_roots())


async def confirm(session: Session, downloaded: DownloadedDossier) -> VersionDelivery:
    """Say that the whole version is held here; returns the state with the signed confirmation. Raises CaseMeshError."""
    request = dossier_delivery_service_pb2.ConfirmDownloadRequest(
        request_id=new_id(), version=downloaded.manifest.facts.version, root_hash=downloaded.manifest.root_hash
    )
    return (await session.dossier_delivery.ConfirmDownload(request)).delivery


def prove_page(
    folder: Path, roots: Sequence[x509.Certificate], document_index: int | None, page: int, out: Path
) -> ProvedPage:
    """Write the proof of a page of a downloaded dossier, after it was verified. The page is the dossier's where no
    document is given.

    Raises Failure (exit code 4) for a version without a root statement, StatementError, ManifestError, OSError.
    """
    held = DossierFolder(folder)
    manifest = Manifest.verify(held.manifest_path.read_bytes(), roots, signer=MANIFEST_SIGNER)
    if document_index is None:
        document_index, page = manifest.document_at(page)
    if not held.root_statement_path.exists():
        raise Failure(4, "proof.no_root", path=folder)
    proof = page_proofs.prove_page(manifest, held.root_statement_path.read_bytes(), document_index, page)
    proved = page_proofs.verify_proof(proof, roots)
    out.write_bytes(proof)
    return proved


async def verify_pages(folder: DossierFolder, roots: Sequence[x509.Certificate]) -> VerifiedDossier:
    """Verify signature, root, each document's digest and each page's place under the root, without a connection.

    Raises what `DossierFolder.verify` raises, and FileNotFoundError when there is no manifest.
    """
    return await asyncio.to_thread(folder.verify, roots, signer=MANIFEST_SIGNER)
