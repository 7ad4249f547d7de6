"""A log witness: cosigns what continues all it has seen, remembers first, and says so when something does not."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.client.cosignatures import with_lines
from casemesh.client.log_witness.folder import WitnessFolder, WitnessFolderError
from casemesh.client.log_witness.watching import Alarm, LogAlarm, LogWitness
from casemesh.client.notes import Checkpoint, NoteSigner, open_checkpoint, sign_checkpoint
from casemesh.core.clock import SystemClock
from casemesh.core.merkle import Tree, leaf_hash
from casemesh.errors import FailedPrecondition, Unavailable

LOG = NoteSigner("casemesh.test/audit", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


class Log:
    """A log that can be made to lie."""

    def __init__(self, entries: str) -> None:
        self.tree = Tree(leaf_hash(entry.encode()) for entry in entries)
        self.shown = len(entries)
        self.round = len(entries)
        self.signer = LOG
        self.lines: list[str] = []
        self.cosigned = 0
        self.failure: Exception | None = None

    def append(self, entries: str) -> None:
        for entry in entries:
            self.tree.append(leaf_hash(entry.encode()))
        self.shown = self.round = self.tree.size

    def note(self, size: int) -> str:
        return sign_checkpoint(Checkpoint(self.signer.name, size, self.tree.root(size)), self.signer)

    async def newest(self) -> str:
        return self.note(self.shown)

    async def to_cosign(self) -> str:
        return with_lines(self.note(self.round), self.lines[-1:] if self.cosigned == self.round else [])

    async def consistency(self, first: int, second: int) -> Sequence[bytes]:
        if self.failure is not None:
            raise self.failure
        return self.tree.consistency_proof(first, second)

    async def submit(self, size: int, line: str) -> None:
        if self.failure is not None:
            raise self.failure
        assert size == self.round
        self.lines.append(line)
        self.cosigned = size


@pytest.fixture
def folder(tmp_path: Path) -> WitnessFolder:
    return WitnessFolder.create(tmp_path / "witness", "court.test/witness")


def watching(log: Log, folder: WitnessFolder) -> LogWitness:
    return LogWitness(log, folder, LOG.verifier_key, SystemClock())


async def test_what_continues_is_cosigned_once_a_round(folder: WitnessFolder) -> None:
    log = Log("abc")
    witness = watching(log, folder)
    assert [3, None] == [look.cosigned and look.cosigned.size for look in (await witness.look(), await witness.look())]
    log.append("defg")
    look = await witness.look()
    assert (7, look.seen) == (look.seen.size, look.cosigned)
    assert 2 == len(log.lines)
    assert 7 == open_checkpoint(folder.note_seen(), LOG.verifier_key).size


async def test_the_checkpoint_of_the_round_is_cosigned_though_the_log_is_longer_already(folder: WitnessFolder) -> None:
    log = Log("abcde")
    log.round = 3
    look = await watching(log, folder).look()
    assert (5, 3) == (look.seen.size, look.cosigned and look.cosigned.size)


async def test_an_empty_log_is_seen_and_not_cosigned(folder: WitnessFolder) -> None:
    log = Log("")
    assert (await watching(log, folder).look()).cosigned is None
    log.append("a")
    assert (await watching(log, folder).look()).cosigned is not None


async def test_a_log_rolled_back_is_found_after_a_restart_and_again_after_that(folder: WitnessFolder) -> None:
    await watching(Log("abcde"), folder).look()
    for _ in range(2):
        with pytest.raises(LogAlarm) as found:
            await watching(Log("abc"), folder).look()
        assert Alarm.ROLLED_BACK is found.value.alarm
    assert [5, 3] == [open_checkpoint(path.read_bytes(), LOG.verifier_key).size for path in found.value.evidence]


@pytest.mark.parametrize("other", ["abx", "axcdefgh"])
async def test_two_heads_are_found_with_both_kept_as_evidence(folder: WitnessFolder, other: str) -> None:
    log = Log("abc")
    await watching(log, folder).look()
    fork = Log(other)
    with pytest.raises(LogAlarm) as found:
        await watching(fork, folder).look()
    assert Alarm.TWO_HEADS is found.value.alarm
    roots = {open_checkpoint(path.read_bytes(), LOG.verifier_key).root for path in found.value.evidence}
    assert {log.tree.root(), fork.tree.root()} == roots
    assert [] == fork.lines


async def test_another_tree_shown_to_cosign_than_to_see_is_two_heads(folder: WitnessFolder) -> None:
    log, fork = Log("abcdef"), Log("abx")

    async def other_round() -> str:
        return fork.note(3)

    log.to_cosign = other_round  # type: ignore[method-assign]
    with pytest.raises(LogAlarm) as found:
        await watching(log, folder).look()
    assert Alarm.TWO_HEADS is found.value.alarm
    assert [] == log.lines


async def test_a_log_that_contradicts_itself_is_an_alarm(folder: WitnessFolder) -> None:
    log = Log("abc")
    await watching(log, folder).look()
    log.append("d")
    log.failure = FailedPrecondition("LOG_CONTRADICTED", "the database contradicts it")
    with pytest.raises(LogAlarm) as found:
        await watching(log, folder).look()
    assert Alarm.CONTRADICTED is found.value.alarm


async def test_a_checkpoint_of_another_key_is_an_alarm_and_nothing_is_remembered_of_it(folder: WitnessFolder) -> None:
    log = Log("abc")
    log.signer = NoteSigner(LOG.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    with pytest.raises(LogAlarm) as found:
        await watching(log, folder).look()
    assert Alarm.NOT_SIGNED is found.value.alarm
    assert folder.seen(LOG.verifier_key) is None


async def test_nothing_is_cosigned_before_it_is_remembered(folder: WitnessFolder) -> None:
    log = Log("abc")
    log.failure = Unavailable("DATABASE_UNAVAILABLE", "gone")
    with pytest.raises(Unavailable):
        await watching(log, folder).look()
    remembered = folder.cosigned(LOG.verifier_key)
    assert (3, []) == (remembered and remembered.size, log.lines)
    log.failure = None
    assert (await watching(log, folder).look()).cosigned == remembered


async def test_a_checkpoint_that_another_agency_was_shown_is_held_against_ones_own(folder: WitnessFolder) -> None:
    log, fork = Log("abcde"), Log("abx")
    await watching(log, folder).compare(log.note(2))
    for note, alarm in ((fork.note(3), Alarm.TWO_HEADS), (Log("abcdef").note(6), Alarm.ROLLED_BACK)):
        with pytest.raises(LogAlarm) as found:
            await watching(log, folder).compare(note)
        assert alarm is found.value.alarm


def test_two_processes_do_not_work_in_one_folder(folder: WitnessFolder) -> None:
    with folder.held(), pytest.raises(WitnessFolderError, match="another process"), WitnessFolder(folder.path).held():
        pass


def test_a_key_is_never_replaced(folder: WitnessFolder) -> None:
    key = folder.verifier_key()
    with pytest.raises(WitnessFolderError, match="never replaced"):
        WitnessFolder.create(folder.path, "court.test/witness")
    assert str(key) == str(folder.verifier_key())
    assert 0o600 == (folder.path / "key.pem").stat().st_mode & 0o777


def test_a_memory_that_was_tampered_with_is_refused(folder: WitnessFolder) -> None:
    folder.remember_seen(Log("abc").note(3).replace("\n3\n", "\n2\n"))
    with pytest.raises(WitnessFolderError, match="no checkpoint of"):
        folder.seen(LOG.verifier_key)
