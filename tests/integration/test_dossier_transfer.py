"""Dossiers over real mTLS, with real PostgreSQL and real files: what is confirmed is there, whole and readable."""

from __future__ import annotations

from pathlib import Path

from casemesh.client.dossier_download import download_dossier
from tests.support.dossiers import DossierDesk, documents_of


async def test_a_dossier_sent_is_the_dossier_received(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    documents = documents_of(tmp_path / "sent", [0, 1, 300_000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_000])
    version = await dossier_desk.version(documents)
    assert (version.document_count, version.page_count) == (7, 7)
    received = await download_dossier(
        dossier_desk.downloading, version.name, tmp_path / "received", dossier_desk.signing_roots
    )
    verified = received.folder.verify(dossier_desk.signing_roots)
    assert (verified.document_count, verified.page_count, verified.size_bytes) == (7, 7, version.size_bytes)
    for sent, kept in zip(documents, received.manifest.documents, strict=True):
        assert sent.path.read_bytes() == received.folder.document_path(kept).read_bytes()
