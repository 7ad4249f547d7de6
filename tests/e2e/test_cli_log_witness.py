"""An agency's log witness by its commands, on a whole platform through its gateway."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from casemesh.client.notes import Checkpoint, NoteSigner, open_checkpoint, sign_checkpoint
from casemesh.client.profile import write_profile
from casemesh.client.statements import SigningKey
from tests.e2e.test_cli import Casemesh
from tests.e2e.test_cli import casemesh as casemesh  # the fixture
from tests.support.platform import RunningPlatform

pytestmark = pytest.mark.timeout(300)
WITNESS = "witness"


@pytest.fixture
def log(platform: RunningPlatform) -> NoteSigner:
    folder = Path(platform.addresses.pki) / "signing" / "audit"
    return NoteSigner("casemesh.local/audit", SigningKey.load(folder / "signing.pem", folder / "signing.key").key)


def test_a_witness_sees_remembers_and_tells_a_log_that_is_not_what_it_was(
    casemesh: Casemesh, platform: RunningPlatform, log: NoteSigner, tmp_path: Path
) -> None:
    folder = tmp_path / "witness"
    system = platform.agencies["court"].system
    config = Path(casemesh.environment["CASEMESH_CONFIG"])
    write_profile(config, replace(system, name="keyless", log_key=""))
    write_profile(config, replace(system, name=WITNESS, log_key=str(log.verifier_key)))

    made = casemesh.json(WITNESS, "log-witness", "init", "--dir", folder, "--name", "court.test/witness")
    assert made["verifier_key"].startswith("court.test/witness+")
    assert 4 == casemesh.refused(WITNESS, "log-witness", "init", "--dir", folder, "--name", "again")["exit_code"]
    assert 2 == casemesh.refused("keyless", "log-witness", "check", "--dir", folder)["exit_code"]

    held = casemesh.json(WITNESS, "log-witness", "check", "--dir", folder)
    assert ("casemesh.local/audit", True) == (held["log"], held["size"] > 0)
    shown = casemesh.json(WITNESS, "log-witness", "show", "--dir", folder)
    assert (made["verifier_key"], held, []) == (shown["verifier_key"], shown["seen"], shown["evidence"])
    proof = tmp_path / "entry.tlog-proof"
    proved = casemesh.json(WITNESS, "log-witness", "prove", "0", "--out", proof)
    assert (0, False) == (proved["log_index"], proved["cosigned"])
    assert proof.read_text(encoding="utf-8").startswith("c2sp.org/tlog-proof@v1\nindex 0\n")
    beyond = casemesh.refused(WITNESS, "log-witness", "prove", str(1 << 40), "--out", proof)
    assert ("LOG_POSITION_INVALID", 4) == (beyond["error"], beyond["exit_code"])

    # The platform of the tests asks for no witness, so it knows none.
    refused = casemesh.refused(WITNESS, "log-witness", "run", "--dir", folder, "--looks", "1")
    assert ("LOG_WITNESS_UNKNOWN", 4) == (refused["error"], refused["exit_code"])

    # The same log, as it would be after its operator had rewritten it or put back a backup.
    for size, alarm in ((held["size"], "two_heads"), (1 << 40, "rolled_back")):
        forged = sign_checkpoint(Checkpoint(log.name, size, bytes(32)), log)
        (folder / "seen").write_text(forged, encoding="utf-8")
        ended = casemesh.run(WITNESS, "log-witness", "check", "--dir", folder, "--lang", "en")
        assert 6 == ended.exit_code
        assert alarm in ended.stderr
    kept = [open_checkpoint(path.read_bytes(), log.verifier_key) for path in folder.glob("evidence-*")]
    assert 1 << 40 in {checkpoint.size for checkpoint in kept}
