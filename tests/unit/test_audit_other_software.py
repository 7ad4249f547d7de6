"""A checkpoint of ours and proofs under it, checked by the Go project's own code for transparency logs.

Needs Go and Debian's golang-golang-x-mod-dev; skipped without them.
"""

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.audit.tiles import RightEdge
from casemesh.client.commitments import commitment, commitment_leaf
from casemesh.client.cosignatures import cosign, with_lines
from casemesh.client.notes import Checkpoint, NoteSigner, sign_checkpoint
from casemesh.core import strict_base64
from casemesh.core.merkle import Tree

SOURCES = Path("/usr/share/gocode")
PROGRAM = Path(__file__).resolve().parents[1] / "clients" / "go" / "check_log.go"
SIZE = 600
SIGNER = NoteSigner("casemesh.test/audit", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))

pytestmark = pytest.mark.skipif(
    shutil.which("go") is None or not (SOURCES / "src/golang.org/x/mod/sumdb").is_dir(),
    reason="needs Go and Debian's golang-golang-x-mod-dev",
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("go")
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(SOURCES), "GOCACHE": str(folder / "cache")}
    subprocess.run(
        ["go", "build", "-o", str(folder / "check_log"), str(PROGRAM)], check=True, env=environment, timeout=110
    )
    return folder / "check_log"


def b64(values: list[bytes]) -> list[str]:
    return [strict_base64.encode(value) for value in values]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    leaves = [commitment_leaf(commitment(bytes(32), {"number": number})) for number in range(SIZE)]
    tree = Tree(leaves)
    edge, _ = RightEdge().extend(leaves)
    note = sign_checkpoint(Checkpoint(SIGNER.name, edge.size, edge.root), SIGNER)
    line = cosign(note, "court.test/witness", Ed25519PrivateKey.from_private_bytes(bytes(32)), 1_772_442_600)
    return {
        "key": str(SIGNER.verifier_key),
        "note": with_lines(note, [line]),
        "records": [
            {"index": index, "leaf": strict_base64.encode(leaves[index]), "proof": b64(tree.inclusion_proof(index))}
            for index in (0, 1, 255, 256, 511, SIZE - 1)
        ],
        "trees": [
            {"size": size, "root": strict_base64.encode(tree.root(size)), "proof": b64(tree.consistency_proof(size))}
            for size in (1, 2, 255, 256, 257, SIZE - 1, SIZE)
        ],
    }


def check(program: Path, document: dict[str, Any]) -> str:
    ran = subprocess.run([program], input=json.dumps(document), capture_output=True, text=True, timeout=20)
    return ran.stdout.strip()


def test_a_cosigned_checkpoint_and_its_proofs_hold(program: Path, document: dict[str, Any]) -> None:
    assert "ok" == check(program, document)


@pytest.mark.parametrize("part", ["key", "note", "records", "trees"])
def test_what_does_not_belong_together_does_not(program: Path, document: dict[str, Any], part: str) -> None:
    wrong = copy.deepcopy(document)
    if part == "key":
        wrong["key"] = str(NoteSigner(SIGNER.name, Ed25519PrivateKey.from_private_bytes(bytes(32))).verifier_key)
    elif part == "note":
        wrong["note"] = document["note"].replace(f"\n{SIZE}\n", f"\n{SIZE + 1}\n")
    else:
        wrong[part][2]["proof"] = wrong[part][3]["proof"]
    assert "ok" != check(program, wrong)
