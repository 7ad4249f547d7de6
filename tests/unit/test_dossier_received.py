"""What an upload may call received where the store keeps bytes in memory for a while."""

import pytest
from obstore.store import MemoryStore

from casemesh.dossier.packs.objects import ObjectPacks
from casemesh.dossier.packs.writer import PackWriter
from casemesh.dossier.uploading import intake as intakes
from casemesh.dossier.uploading.intake import UploadIntake
from casemesh.dossier.uploading.wire import parse
from tests.support.dossiers import frames, whole
from tests.support.packs import CASE_KEY, key_of


def test_bytes_count_as_received_only_once_the_store_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intakes, "_IDLE_SECONDS", 60.0)
    packs = ObjectPacks(MemoryStore(), "")
    intake = UploadIntake(
        lambda emit: PackWriter.create(packs, key_of(), CASE_KEY, emit=emit),
        [],
        lambda document: iter(()),
        wrote=lambda: None,
        took=lambda: None,
    )
    intake.feed(parse(frames(*whole(0, b"x" * 100_000)).SerializeToString()))
    intake.join()
    assert intake.error is None
    assert 0 == intake.received_bytes
    intake.writer.push()
    assert 100_000 == intake.received_bytes
    intake.writer.close()
