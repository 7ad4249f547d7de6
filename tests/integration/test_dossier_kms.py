"""A case's key wrapped by a KMS: the context holds it to its case, and a KMS that is away is an answer of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from casemesh.dossier.config import KmsConfig
from casemesh.dossier.keys.case_keys import CaseKeys
from casemesh.dossier.keys.kms import HttpKms, KmsKeyProvider
from casemesh.dossier.keys.local import LocalKeyProvider
from casemesh.dossier.keys.provider import KeyProviderError, KeyProviderUnavailable, KeyRing, new_case_key
from casemesh.errors import CaseMeshError, from_status
from casemesh.local.postgres import EmbeddedPostgres
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.migrations import migrate
from casemesh.runtime.postgres import Database
from tests.support.dossiers import DossierDesk, documents_of, notices_of, opening
from tests.support.kms import stand_in_kms
from tests.support.mesh import MeshOf
from tests.support.pki import POLICE, PROCURATORATE
from tests.support.postgres import clone_database

CASE = "cases/01890000-0000-7000-8000-000000000001"
OTHER = "cases/01890000-0000-7000-8000-000000000002"


async def test_a_key_wrapped_by_the_kms_unwraps_for_its_case_alone(tmp_path: Path) -> None:
    with stand_in_kms(tmp_path) as kms:
        provider = KmsKeyProvider(HttpKms(kms.address), "dossier-1")
        key = new_case_key()
        wrapped = await provider.wrap(CASE, key)
        assert await provider.unwrap(CASE, wrapped) == key
        assert key not in wrapped
        with pytest.raises(KeyProviderError, match="refuses to decrypt"):
            await provider.unwrap(OTHER, wrapped)
        with pytest.raises(KeyProviderError, match="refuses to decrypt"):
            await provider.unwrap(CASE, wrapped[:-1] + bytes([wrapped[-1] ^ 1]))


async def test_the_wrapped_form_names_its_key_so_that_an_earlier_one_still_unwraps(tmp_path: Path) -> None:
    with stand_in_kms(tmp_path) as kms:
        old, new = (KmsKeyProvider(HttpKms(kms.address), name) for name in ("dossier-1", "dossier-2"))
        key = new_case_key()
        wrapped = await old.wrap(CASE, key)
        assert await new.unwrap(CASE, wrapped) == key
        assert (old.is_current(wrapped), new.is_current(wrapped)) == (True, False)
        with pytest.raises(KeyProviderError, match="refuses to encrypt under dossier-3"):
            await KmsKeyProvider(HttpKms(kms.address), "dossier-3").wrap(CASE, key)


async def test_a_ring_moves_from_a_file_to_the_kms(tmp_path: Path) -> None:
    with stand_in_kms(tmp_path) as kms:
        file, remote = LocalKeyProvider(bytes(32)), KmsKeyProvider(HttpKms(kms.address), "dossier-1")
        ring = KeyRing(remote, [file])
        key = new_case_key()
        before = await file.wrap(CASE, key)
        assert await ring.unwrap(CASE, before) == key
        after = await ring.wrap(CASE, key)
        assert await remote.unwrap(CASE, after) == key
        assert (ring.is_current(before), ring.is_current(after)) == (False, True)


@pytest.mark.parametrize("status", [500, 503, 302])
async def test_a_kms_that_fails_is_unavailable_not_wrong(tmp_path: Path, status: int) -> None:
    with stand_in_kms(tmp_path) as kms:
        kms.broken = status
        with pytest.raises(KeyProviderUnavailable):
            await KmsKeyProvider(HttpKms(kms.address), "dossier-1").wrap(CASE, new_case_key())


async def test_a_kms_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    provider = KmsKeyProvider(HttpKms(f"unix:{tmp_path}/nobody.sock"), "dossier-1")
    with pytest.raises(KeyProviderUnavailable):
        await provider.wrap(CASE, new_case_key())


@pytest.mark.parametrize("address", ["http://kms.invalid:80", "ftp://kms.invalid", "kms.invalid:443", ""])
def test_a_kms_is_reached_by_tls_or_a_local_socket_alone(address: str) -> None:
    with pytest.raises(KeyProviderError, match="https://host:port or unix:/path"):
        HttpKms(address)


@pytest.fixture
async def owner(embedded_postgres: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Database]:
    """A dossier database as its owner."""
    migrated = clone_database(
        embedded_postgres, "dossier", lambda dsn: migrate(dsn, "dossier", "casemesh_dossier_runtime")
    )
    async with migrated as made:
        database = Database(made.owner_dsn, DatabaseConfig(tmp_path, pool_size=2))
        await database.open()
        yield database
        await database.close()


class Moments:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_key_is_kept_for_a_while_and_never_beyond_its_erasure(owner: Database, tmp_path: Path) -> None:
    moments = Moments()
    with stand_in_kms(tmp_path) as kms:
        keys = CaseKeys(owner, KmsKeyProvider(HttpKms(kms.address), "dossier-1"), monotonic=moments)
        key = await keys.of(CASE)
        assert {await keys.of(CASE) for _ in range(5)} == {key}
        assert kms.calls == {"/encrypt": 1, "/decrypt": 1}
        moments.now += 31
        assert await keys.of(CASE) == key
        assert kms.calls["/decrypt"] == 2
        await owner.execute(
            "UPDATE case_key SET wrapped_key = NULL, erased_at = now(), erased_by = 'x', erase_reason = 'y'"
        )
        with pytest.raises(CaseMeshError) as caught:
            await keys.of(CASE)
        assert caught.value.reason == "CASE_ERASED"


async def test_no_more_keys_are_kept_than_was_said(owner: Database, tmp_path: Path) -> None:
    with stand_in_kms(tmp_path) as kms:
        keys = CaseKeys(owner, KmsKeyProvider(HttpKms(kms.address), "dossier-1"), kept=2)
        cases = [CASE, OTHER, "cases/01890000-0000-7000-8000-000000000003"]
        for case in cases:
            await keys.of(case)
        await keys.of(cases[2])
        assert kms.calls["/decrypt"] == 3
        await keys.of(cases[0])
        assert kms.calls["/decrypt"] == 4


async def test_a_service_whose_kms_is_away_says_so_and_goes_on_when_it_is_back(mesh_of: MeshOf, tmp_path: Path) -> None:
    with stand_in_kms(tmp_path) as kms:
        own = {"dossier": {"wrapping_key": None, "kms": KmsConfig(kms.address, "dossier-1")}}
        async with mesh_of("identity", "audit", "dossier", own=own) as mesh:
            police = await mesh.enrol(POLICE, "GA", ["lin"])
            desk = DossierDesk(mesh, police, await mesh.enrol(PROCURATORATE, "JCY", ["chen"]), [])
            desk.police_metadata = await desk.participate(police, "lin")
            kms.broken = 503
            (notice,) = await notices_of(desk.dossiers, [opening(await desk.draft())])
            error = from_status(notice.error)
            assert (error.reason, error.metadata) == ("DEPENDENCY_UNAVAILABLE", {"dependency": "keys"})
            kms.broken = None
            version = await desk.version(documents_of(tmp_path / "sent", [70_000]))
            assert version.size_bytes == 70_000
