"""Backup and restore, as a drill: taken under load, everything lost, restored, and proved document by document."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from casemesh.client.dossier_download import download_dossier
from casemesh.client.dossier_upload import LocalDocument, finalize_dossier
from casemesh.core.ids import new_id
from casemesh.dossier.care.fsck import Fsck
from casemesh.dossier.config import Config
from casemesh.dossier.main import assemble
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.errors import CaseMeshError
from casemesh.local.ports import free_port
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.local.provisioning import ServiceDatabase
from casemesh.runtime.config import Duration, load
from casemesh.runtime.host import serving
from tests.support.dossier_care import Operator, casemeshd, operator_of
from tests.support.dossiers import DossierDesk, documents_of
from tests.support.postgres import clone_database


@dataclass
class Elsewhere:
    """An empty database and an empty folder to restore into, as a configuration file of their own."""

    owner_dsn: Path
    config: Path
    store: Path


def configured(desk: DossierDesk, folder: Path, database: ServiceDatabase) -> Elsewhere:
    folder.mkdir()
    (folder / "owner.dsn").write_text(database.owner_dsn)
    (folder / "runtime.dsn").write_text(database.runtime_dsn)
    made_from = desk.mesh.directory / "config"
    text = (made_from / "dossier.toml").read_text()
    text = text.replace(str(made_from / "dossier.dsn"), str(folder / "runtime.dsn"))
    (folder / "dossier.toml").write_text(text.replace(str(desk.store), str(folder / "dossiers")))
    return Elsewhere(folder / "owner.dsn", folder / "dossier.toml", folder / "dossiers")


@asynccontextmanager
async def elsewhere(desk: DossierDesk, postgres: EmbeddedPostgres, folder: Path) -> AsyncIterator[Elsewhere]:
    before = desk.mesh.databases["dossier"]
    async with clone_database(postgres, "dossier") as database:
        desk.mesh.databases["dossier"] = database
        try:
            yield configured(desk, folder, database)
        finally:
            desk.mesh.databases["dossier"] = before


@asynccontextmanager
async def served(desk: DossierDesk, place: Elsewhere) -> AsyncIterator[None]:
    """A dossier service over what was restored; the desk's calls go there."""
    address = f"127.0.0.1:{free_port()}"
    config = load(place.config, Config)
    config = replace(config, server=replace(config.server, listen=address, announce=Duration(0), drain=Duration(1)))
    async with serving("dossier", config, assemble):
        before, desk.mesh.addresses["dossier"] = desk.mesh.addresses["dossier"], address
        try:
            yield
        finally:
            desk.mesh.addresses["dossier"] = before


async def restored(desk: DossierDesk, folder: Path, place: Elsewhere, *more: str) -> tuple[int, Any, str]:
    return await casemeshd(
        desk, "restore", str(folder), "--owner-dsn-file", str(place.owner_dsn), *more, config_file=place.config
    )  # fmt: skip


async def prove(desk: DossierDesk, version: str, documents: list[LocalDocument], folder: Path) -> None:
    """Download a version and compare it with what was sent; the download verifies root and signature itself."""
    received = await download_dossier(desk.reading, version, folder, desk.signing_roots)
    for sent, kept in zip(documents, received.manifest.documents, strict=True):
        assert sent.path.read_bytes() == received.folder.document_path(kept).read_bytes()


async def sound(operator: Operator, place: Elsewhere) -> None:
    packs = DiskPacks(place.store)
    report = await Fsck(operator.database, packs, operator.keys).run(operator.progress.append)
    assert [] == [finding for finding in report.findings if finding.kind != "open_pack_without_lease"]
    assert (await operator.scrub(packs)).sound


async def test_a_backup_taken_under_load_restores_every_version_of_its_time(
    dossier_desk: DossierDesk, embedded_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    desk, backup = dossier_desk, tmp_path / "backup"
    before = {}
    for number in range(3):
        documents = documents_of(tmp_path / f"before-{number}", [200_000, 0, 1_300_000], seed=number)
        before[(await desk.version(documents)).name] = documents
    draft = await desk.send(documents_of(tmp_path / "draft", [70_000, 10]))
    meanwhile: list[str] = []
    enough = asyncio.Event()

    async def load_it() -> None:
        while not enough.is_set():
            documents = documents_of(tmp_path / f"meanwhile-{len(meanwhile)}", [90_000] * 20, seed=len(meanwhile) + 9)
            meanwhile.append((await desk.version(documents)).name)

    loading = asyncio.create_task(load_it())
    code, value, _ = await casemeshd(desk, "backup", str(backup), owner=True)
    enough.set()
    await loading
    assert (code, value["damaged"]) == (0, [])
    later = (await desk.version(documents_of(tmp_path / "later", [1000], seed=99))).name
    for pack in desk.store.rglob("*.pack"):
        pack.unlink()

    async with elsewhere(desk, embedded_postgres, tmp_path / "elsewhere") as place:
        code, value, _ = await restored(desk, backup, place)
        assert (code, value["packs"] >= 4) == (0, True)
        async with operator_of(desk) as operator:
            await sound(operator, place)
        async with served(desk, place):
            for version, documents in before.items():
                await prove(desk, version, documents, tmp_path / "proved" / version.rpartition("/")[2])
            with pytest.raises(CaseMeshError, match="no such"):
                await prove(desk, later, [], tmp_path / "proved" / "later")
            # A last write succeeds, and what was a draft then goes on from there.
            version = (await finalize_dossier(desk.dossiers, draft, request_id=new_id())).name
            await prove(desk, version, documents_of(tmp_path / "draft", [70_000, 10]), tmp_path / "proved" / "draft")


async def test_the_next_backup_copies_only_what_is_new_and_the_first_still_restores(
    dossier_desk: DossierDesk, embedded_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    desk, backup = dossier_desk, tmp_path / "backup"
    documents = documents_of(tmp_path / "a", [300_000, 5])
    version = (await desk.version(documents)).name
    _, first, _ = await casemeshd(desk, "backup", str(backup), owner=True)
    await desk.version(documents_of(tmp_path / "b", [50_000], seed=2))
    _, second, _ = await casemeshd(desk, "backup", str(backup), owner=True)
    assert (1, 1) == (first["packs"], first["copied_packs"])
    assert (2, 1) == (second["packs"], second["copied_packs"])
    async with elsewhere(desk, embedded_postgres, tmp_path / "elsewhere") as place:
        code, value, _ = await restored(desk, backup, place, "--backup", first["backup"])
        assert (code, value["packs"]) == (0, 1)
        async with operator_of(desk) as operator:
            await sound(operator, place)
        async with served(desk, place):
            await prove(desk, version, documents, tmp_path / "proved")
        code, _, said = await restored(desk, backup, place)
        assert (code, "in use" in said) == (4, True)


async def test_a_pack_that_has_grown_since_the_last_backup_is_copied_anew(
    dossier_desk: DossierDesk, embedded_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    desk, backup = dossier_desk, tmp_path / "backup"
    await desk.version(documents_of(tmp_path / "a", [300_000, 5]))
    _, first, _ = await casemeshd(desk, "backup", str(backup), owner=True)
    # As it was, taken when the pack had no more than that.
    (pack,) = (backup / "packs").rglob("*.pack")
    pack.write_bytes(pack.read_bytes()[:8192])
    listed = backup / "backups" / first["backup"] / "backup.json"
    contents = json.loads(listed.read_text())
    contents["packs"][0]["size_bytes"] = 8192
    listed.write_text(json.dumps(contents))
    _, second, _ = await casemeshd(desk, "backup", str(backup), owner=True)
    assert (1, []) == (second["copied_packs"], second["damaged"])
    async with elsewhere(desk, embedded_postgres, tmp_path / "elsewhere") as place:
        assert (await restored(desk, backup, place))[0] == 0
        async with operator_of(desk) as operator:
            await sound(operator, place)


async def test_a_backup_that_was_altered_or_broke_off_is_not_restored(
    dossier_desk: DossierDesk, embedded_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    desk, backup = dossier_desk, tmp_path / "backup"
    await desk.version(documents_of(tmp_path / "a", [300_000, 5]))
    _, taken, _ = await casemeshd(desk, "backup", str(backup), owner=True)
    (pack,) = (backup / "packs").rglob("*.pack")
    rows = backup / "backups" / taken["backup"] / "dossier.rows"
    async with elsewhere(desk, embedded_postgres, tmp_path / "elsewhere") as place:
        for file in (pack, rows):
            whole = file.read_bytes()
            file.write_bytes(bytes([whole[0]]) + secrets.token_bytes(1) + whole[2:] + b"\n")
            if file is pack:
                file.write_bytes(whole[:9000] + bytes([whole[9000] ^ 1]) + whole[9001:])
            code, _, said = await restored(desk, backup, place)
            assert (code, "is not what was backed up" in said) == (4, True)
            file.write_bytes(whole)
        (backup / "backups" / taken["backup"] / "backup.json").rename(tmp_path / "away.json")
        code, _, said = await restored(desk, backup, place)
        assert (code, "has no backup" in said) == (4, True)
        (tmp_path / "away.json").rename(backup / "backups" / taken["backup"] / "backup.json")
        assert (await restored(desk, backup, place))[0] == 0


async def test_a_damaged_pack_does_not_pass_into_a_backup_unnoticed(dossier_desk: DossierDesk, tmp_path: Path) -> None:
    desk = dossier_desk
    await desk.version(documents_of(tmp_path / "a", [300_000]))
    (pack,) = [path for path in desk.store.rglob("*.pack") if path.stat().st_size > 4096]
    whole = pack.read_bytes()
    pack.write_bytes(whole[:9000] + bytes([whole[9000] ^ 1]) + whole[9001:])
    code, value, _ = await casemeshd(desk, "backup", str(tmp_path / "backup"), owner=True)
    assert (code, value["damaged"]) == (6, [pack.stem])
    # Once it is put right, the next backup has it right.
    pack.write_bytes(whole)
    code, value, _ = await casemeshd(desk, "backup", str(tmp_path / "backup"), owner=True)
    assert (code, value["copied_packs"], value["damaged"]) == (0, 1, [])


async def test_what_the_wrapping_key_protects_is_not_readable_in_a_backup(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    desk = dossier_desk
    canary = random.Random(5).randbytes(5000)
    path = tmp_path / "canary.bin"
    path.write_bytes(canary)
    await desk.version([LocalDocument(path, "证据卷一", "笔录.pdf", "application/pdf", 1)])
    await casemeshd(desk, "backup", str(tmp_path / "backup"), owner=True)
    key = (desk.mesh.directory / "keys" / "dossier-wrapping.key").read_bytes()
    files = [file.read_bytes() for file in (tmp_path / "backup").rglob("*") if file.is_file()]
    assert len(files) > 3
    for data in files:
        assert canary[:40] not in data
        assert key not in data
