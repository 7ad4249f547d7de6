"""A store moves from disk to objects while dossiers are sent and received. The object store is a mock of S3: moto."""

from __future__ import annotations

import asyncio
from pathlib import Path

from casemesh.client.dossier_download import download_dossier
from casemesh.client.dossier_upload import LocalDocument
from casemesh.dossier.care.moving import StoreMove, move_store
from casemesh.dossier.care.pace import Pace
from casemesh.dossier.packs.configured import object_packs_of
from casemesh.dossier.packs.copying import copy_pack
from casemesh.dossier.packs.disk import DiskPacks
from casemesh.dossier.packs.moving import MovingPacks
from tests.support.dossier_care import operator_of
from tests.support.dossiers import DossierDesk, documents_of
from tests.support.mesh import MeshOf
from tests.support.object_store import ObjectStore
from tests.support.pki import POLICE, PROCURATORATE


async def test_a_store_moves_from_disk_to_objects_while_it_serves(
    mesh_of: MeshOf, object_store: ObjectStore, tmp_path: Path
) -> None:
    bucket = object_store.config(object_store.new_bucket())
    objects, disk = object_packs_of(bucket), DiskPacks(tmp_path / "old")
    disk.root.mkdir()
    own = {"dossier": {"object_store": bucket, "move_from": disk.root}}
    async with mesh_of("identity", "audit", "dossier", own=own) as mesh:
        police = await mesh.enrol(POLICE, "GA", ["lin"])
        desk = DossierDesk(mesh, police, await mesh.enrol(PROCURATORATE, "JCY", ["chen"]), [])
        desk.police_metadata = await desk.participate(police, "lin")
        versions: dict[str, list[LocalDocument]] = {}

        async def send(number: int) -> None:
            documents = documents_of(tmp_path / f"sent-{number}", [300_000, 1_200_000, 0, 7], seed=number)
            versions[(await desk.version(documents)).name] = documents

        async def receive(version: str, folder: Path) -> None:
            received = await download_dossier(desk.reading, version, folder, desk.signing_roots)
            for sent, kept in zip(versions[version], received.manifest.documents, strict=True):
                assert sent.path.read_bytes() == received.folder.document_path(kept).read_bytes()

        for number in range(6):
            await send(number)
        # As they lay before the configuration named the object store.
        for key in list(objects.keys()):
            copy_pack(key, objects, disk)
            objects.delete(key)
        on_disk = set(disk.keys())
        assert len(on_disk) >= 6

        async with operator_of(desk) as operator:
            moving = MovingPacks(objects, disk)

            async def move() -> StoreMove:
                return await move_store(
                    operator.database, moving, Pace(None), lambda done, total: operator.progress.append((done, total))
                )

            transfers = [receive(version, tmp_path / f"received-{n}") for n, version in enumerate(versions)]
            moving_on = asyncio.create_task(move())
            await asyncio.gather(*transfers, *(send(number) for number in range(6, 9)))
            moved = await moving_on
            assert (len(on_disk), 0, []) == (moved.moved, moved.waiting, moved.failed)
            assert (len(on_disk), len(on_disk)) == operator.progress[-1]
            assert [] == list(disk.keys())
            assert on_disk < set(objects.keys())
            again = await move()
            assert (0, 0) == (again.moved, again.waiting)
            operator.packs = objects
            assert (await operator.fsck()).findings == []
            assert (await operator.scrub()).sound
        for number, version in enumerate(versions):
            await receive(version, tmp_path / f"afterwards-{number}")


async def test_a_pack_that_is_written_to_waits_and_one_that_is_damaged_stays(
    dossier_desk: DossierDesk, tmp_path: Path
) -> None:
    for number in range(2):
        await dossier_desk.version(documents_of(tmp_path / str(number), [20_000], seed=number))
    (tmp_path / "new").mkdir()
    async with operator_of(dossier_desk) as operator:
        written_to, cut_off = operator.pack_files()
        await operator.owner.execute("UPDATE pack SET closed = false WHERE pack_id = $1", written_to.stem)
        cut_off.write_bytes(cut_off.read_bytes()[:1000])
        packs = MovingPacks(DiskPacks(tmp_path / "new"), DiskPacks(dossier_desk.store))
        moved = await move_store(operator.database, packs, Pace(None), lambda done, total: None)
        assert (0, 1, 1) == (moved.moved, moved.waiting, len(moved.failed))
        assert {written_to, cut_off} <= set(dossier_desk.store.rglob("*.pack"))
