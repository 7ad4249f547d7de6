"""When bytes of an upload count as received, and that a failed write ends it."""

import errno
import threading
from typing import Any, cast

import pytest
from obstore.store import MemoryStore

from casemesh.dossier.packs.format import PackHeader
from casemesh.dossier.packs.objects import ObjectPacks
from casemesh.dossier.packs.stores import PackSink
from casemesh.dossier.packs.suites import DEFAULT_SUITE, SALT_BYTES
from casemesh.dossier.packs.writer import PackWriter
from casemesh.dossier.uploading import intake as intakes
from casemesh.dossier.uploading.intake import UploadIntake
from casemesh.dossier.uploading.wire import parse
from tests.support.dossiers import frames, whole
from tests.support.packs import CASE_KEY, key_of

TIMEOUT = 30.0


class FullStore:
    """A pack's sink that takes nothing."""

    stored = 0

    def write(self, data: memoryview, position: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    def push(self) -> None:
        raise OSError(errno.ENOSPC, "no space")

    def close(self) -> None:
        return


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


def test_a_failed_write_ends_the_upload_though_its_sender_waits_to_hear_before_it_sends_more() -> None:
    ended = threading.Event()

    def create(emit: Any) -> PackWriter:
        header = PackHeader(DEFAULT_SUITE.suite_id, bytes(SALT_BYTES), key_of().case_id, key_of().pack_id)
        return PackWriter(cast(PackSink, FullStore()), header, CASE_KEY, DEFAULT_SUITE, emit)

    def wrote() -> None:
        if intake.ended:
            ended.set()

    intake = UploadIntake(create, [], lambda document: iter(()), wrote=wrote, took=lambda: None)
    intake.feed(parse(frames(*whole(0, b"x" * 100_000)).SerializeToString()))
    assert ended.wait(TIMEOUT)
    assert isinstance(intake.error, OSError)
    assert errno.ENOSPC == intake.error.errno
    intake.join()
    intake.writer.close()
