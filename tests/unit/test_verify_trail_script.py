"""The stand-alone verifier: with `cryptography` alone it says of every trail what the platform's own code says."""

from __future__ import annotations

import base64
import copy
import hashlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from casemesh.client import notes, verify_trail
from casemesh.client.cosignatures import WitnessKey
from casemesh.client.trail import TrailError, verify_trail_bundle
from tests.support.signing import NOW, make_authority
from tests.support.trail_log import LOG, LOG_KEY, ROOT, Log

SCRIPT = Path(verify_trail.__file__)
BARE = """
import runpy, sys
site, script, *arguments = sys.argv[1:]
sys.path.append(site)
try:
    import casemesh
except ImportError:
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
else:
    sys.exit("casemesh is importable here")
"""
Bundle = dict[str, Any]


def run_bare(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script in an interpreter that sees the standard library and `cryptography` only."""
    site = folder / "site"
    site.mkdir(exist_ok=True)
    for name in ("cryptography", "cffi", "_cffi_backend"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        found = Path(spec.origin)
        found = found.parent if found.name == "__init__.py" else found
        if not (site / found.name).exists():
            (site / found.name).symlink_to(found)
    copied = folder / "verify_trail.py"
    copied.write_bytes(SCRIPT.read_bytes())
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", BARE, str(site), str(copied), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def verdict(capsys: pytest.CaptureFixture[str], folder: Path, bundle: Bundle | bytes, *arguments: str) -> str:
    """What the script says, run in this process."""
    file = folder / "trail.json"
    file.write_bytes(bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode())
    sys.argv = ["verify_trail.py", str(file), *(arguments or ("--log-key", str(LOG_KEY)))]
    code = verify_trail.main()
    said = capsys.readouterr().err
    assert (code == 0) == said.startswith("OK"), said
    return said


@pytest.fixture(autouse=True)
def arguments_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", sys.argv)


def test_a_bare_interpreter_tells_a_sound_trail_from_a_changed_one(tmp_path: Path) -> None:
    file = tmp_path / "trail.json"
    bundle = Log(tells=[2]).bundle(shredded=[1])
    file.write_text(json.dumps(bundle))
    sound = run_bare(tmp_path, str(file), "--log-key", str(LOG_KEY), "--events")
    assert (0, 5) == (sound.returncode, len(sound.stdout.splitlines())), sound.stderr
    bundle["entries"][2]["event"]["action"] = "dossier.version.read"
    file.write_text(json.dumps(bundle))
    changed = run_bare(tmp_path, str(file), "--log-key", str(LOG_KEY))
    assert (6, True) == (changed.returncode, "event 3 of 5" in changed.stderr), changed.stderr


def test_it_needs_nothing_but_cryptography_and_the_standard_library() -> None:
    names = {
        line.split()[1].partition(".")[0]
        for line in SCRIPT.read_text(encoding="utf-8").splitlines()
        if line.startswith(("import ", "from "))
    }
    assert {"cryptography"} == names - sys.stdlib_module_names


def forged_elsewhere(bundle: Bundle) -> None:
    other = notes.NoteSigner(LOG.name, Ed25519PrivateKey.generate())
    bundle["checkpoint"] = Log().checkpoint(other)


def smaller(checkpoint: str) -> str:
    return checkpoint.replace("\n9\n", "\n8\n")


def text_gone(bundle: Bundle) -> None:
    committed = base64.b64encode(bytes.fromhex(bundle["entries"][2]["event"]["previous"])).decode()
    bundle["entries"][1] = {"index": 2, "commitment": committed, "proof": bundle["entries"][1]["proof"]}


TAMPERINGS: dict[str, tuple[Callable[[Bundle], object], str]] = {
    "an event's words": (lambda b: b["entries"][1]["event"].update(action="a.b"), "event 2 of 5: is not in the log"),
    "a salt": (lambda b: b["entries"][0].update(salt=b["entries"][1]["salt"]), "event 1 of 5: is not in the log"),
    "an event left out": (lambda b: b["entries"].pop(1), "event 2 of 4: its number"),
    "the first left out": (lambda b: b["entries"].pop(0), "event 1 of 4: its number"),
    "an event twice": (lambda b: b["entries"].insert(1, b["entries"][0]), "event 2 of 6: its number"),
    "two swapped": (lambda b: b["entries"].reverse(), "event 1 of 5: its number"),
    "another case": (lambda b: b.update(case="cases/other"), "event 1 of 5: an event of another case"),
    "a link": (lambda b: b["entries"][2]["event"].update(previous=None), "event 3 of 5: does not name"),
    "a link that is gone": (lambda b: b["entries"][0]["event"].pop("previous"), "event 1 of 5: does not name"),
    "a place": (lambda b: b["entries"][2].update(index=3), "event 3 of 5: is not in the log"),
    "a place beyond": (lambda b: b["entries"][4].update(index=99), "event 5 of 5: its place is outside"),
    "a place before": (lambda b: b["entries"][1].update(index=0), "event 2 of 5: stands in the log before"),
    "a proof's hash": (lambda b: b["entries"][0]["proof"].reverse(), "event 1 of 5: is not in the log"),
    "a proof cut": (lambda b: b["entries"][0]["proof"].pop(), "event 1 of 5: its proof is too short"),
    "a proof grown": (lambda b: b["entries"][0]["proof"].extend(["A" * 43 + "="] * 9), "its proof is too long"),
    "a hash of another length": (lambda b: b["entries"][0]["proof"].insert(0, "AAAA"), "wrong length"),
    "the checkpoint's key": (forged_elsewhere, "the log did not sign"),
    "the checkpoint's size": (
        lambda b: b.update(checkpoint=b["checkpoint"].replace("\n9\n", "\n8\n")),
        "does not hold",
    ),
    "an older checkpoint": (lambda b: b.update(checkpoint=Log(8).checkpoint()), "event 1 of 5"),
    "the checkpoint's form": (lambda b: b.update(checkpoint="x"), "no signed note"),
    "a text gone": (text_gone, "event 2 of 5: its text is gone"),
    "the key's name": (lambda b: b.update(log_key="other+" + b["log_key"].partition("+")[2]), "another log"),
    "the format": (lambda b: b.update(format="casemesh.audit.trail/v2"), "not a trail"),
    "a field more": (lambda b: b["entries"][0].update(more=1), "event 1 of 5: its fields"),
    "no events": (lambda b: b.update(entries=[]), "no events"),
    "a fraction": (lambda b: b["entries"][0]["event"].update(more=0.5), "no plain integer"),
}


def shreds(details: Any) -> Callable[[Bundle], object]:
    """Say of the last event that it shredded others, which changes it."""
    return lambda b: b["entries"][4]["event"].update(action="audit.events.shredded", source="audit", details=details)


# What is read before it is proved must neither end the program nor keep it busy.
TAMPERINGS |= {
    "details of no form": (shreds(["case_sequences"]), "event 5 of 5: is not in the log"),
    "a million numbers, ten thousand times": (
        shreds({"case_sequences": ",".join(["0-1000000"] * 10_000)}),
        "event 5 of 5: is not in the log",
    ),
    "a list too deep": (
        lambda b: b["entries"][1]["event"].update(more=json.loads("[" * 800 + "]" * 800)),
        "event 2 of 5: ",
    ),
}


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_each_kind_of_tampering_is_named_and_refused_by_both_programs(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = copy.deepcopy(Log().bundle())
    assert "OK" in verdict(capsys, tmp_path, bundle)
    change, said = TAMPERINGS[kind]
    change(bundle)
    assert said in verdict(capsys, tmp_path, bundle)
    with pytest.raises(TrailError):
        verify_trail_bundle(json.dumps(bundle), LOG_KEY)


def test_a_key_twice_in_one_object_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = json.dumps(Log().bundle()).replace('"case":', '"case": "cases/x", "case":', 1)
    assert "occurs twice" in verdict(capsys, tmp_path, text.encode())


def test_words_beyond_ascii_are_hashed_in_the_order_of_utf_16() -> None:
    # U+FB33 sorts behind U+1F600 by UTF-16 code units, before it by code points.
    assert '{"\U0001f600":1,"\ufb33":2}' == verify_trail.canonical({"\ufb33": 2, "\U0001f600": 1})


def roots_file(folder: Path, certificate: Any) -> Sequence[str]:
    file = folder / "roots.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return "--signing-roots", str(file), "--at", NOW.isoformat()


def test_the_signing_roots_stand_for_the_logs_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = Log().bundle()
    assert "OK" in verdict(capsys, tmp_path, bundle, *roots_file(tmp_path, ROOT.certificate))
    other = roots_file(tmp_path, make_authority().certificate)
    assert "root you trust" in verdict(capsys, tmp_path, bundle, *other)
    late = [*roots_file(tmp_path, ROOT.certificate)[:3], "2090-01-01T00:00:00+00:00"]
    assert "not valid at that time" in verdict(capsys, tmp_path, bundle, *late)


class Witness:
    """Cosigns as C2SP tlog-cosignature says."""

    def __init__(self, name: str) -> None:
        self.name, self.key = name, Ed25519PrivateKey.generate()
        self.material = b"\x04" + self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = hashlib.sha256(name.encode() + b"\n" + self.material).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self.material).decode()}"

    def cosign(self, note: str, *, when: int = 1_700_000_000) -> str:
        body = note[: note.rindex("\n\n") + 1].encode()
        signature = self.key.sign(f"cosignature/v1\ntime {when}\n".encode() + body)
        line = base64.b64encode(self.key_id + when.to_bytes(8) + signature).decode()
        return f"{note}\u2014 {self.name} {line}\n"


def test_a_quorum_of_log_witnesses_is_held_to_what_they_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    court, police, asked = Witness("court-witness"), Witness("police-witness"), ("--log-key", str(LOG_KEY))
    bundle = Log().bundle()
    bundle["checkpoint"] = court.cosign(bundle["checkpoint"])
    both = ("--witness", str(court), "--witness", str(police))
    assert "cosigned by court-witness" in verdict(capsys, tmp_path, bundle, *asked, *both, "--quorum", "1")
    assert "1 of the log witnesses asked for" in verdict(capsys, tmp_path, bundle, *asked, *both, "--quorum", "2")
    keys = [WitnessKey.parse(str(witness)) for witness in (court, police)]
    assert ("court-witness",) == verify_trail_bundle(bundle, LOG_KEY, witnesses=keys, quorum=1).cosigned_by
    with pytest.raises(TrailError, match="1 of the log witnesses"):
        verify_trail_bundle(bundle, LOG_KEY, witnesses=keys, quorum=2)
    elsewhere = Log(8).checkpoint()
    bundle["checkpoint"] = Log().checkpoint() + court.cosign(elsewhere).removeprefix(elsewhere)
    assert "court-witness does not hold" in verdict(capsys, tmp_path, bundle, *asked, *both)


def older_cosigned(court: Witness, *, at: int) -> Bundle:
    """A bundle whose log of nine entries continues one of `at` that a witness cosigned."""
    whole, bundle = Log(9), Log(9).bundle()
    note = notes.sign_checkpoint(notes.Checkpoint(LOG.name, at, whole.tree.root(at)), LOG)
    proof = [base64.b64encode(value).decode() for value in whole.tree.consistency_proof(at)]
    return bundle | {"cosigned": {"checkpoint": court.cosign(note), "proof": proof}}


@pytest.mark.parametrize("at", range(1, 10))
def test_a_trail_is_held_to_an_older_log_that_was_cosigned(
    at: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    court = Witness("court-witness")
    asked = ("--log-key", str(LOG_KEY), "--witness", str(court), "--quorum", "1")
    bundle, key = older_cosigned(court, at=at), WitnessKey.parse(str(court))
    # Whoever reads it sees from where on the log alone vouches for the trail.
    assert f"cosigned by court-witness at {at} entries" in verdict(capsys, tmp_path, bundle, *asked)
    verified = verify_trail_bundle(bundle, LOG_KEY, witnesses=[key], quorum=1)
    assert (("court-witness",), at) == (verified.cosigned_by, verified.cosigned_size)
    forked = Log(9, first=2).tree.root(at)
    note = court.cosign(notes.sign_checkpoint(notes.Checkpoint(LOG.name, at, forked), LOG))
    for change in ({"checkpoint": note}, {"proof": [*bundle["cosigned"]["proof"], "A" * 43 + "="]}):
        altered = bundle | {"cosigned": bundle["cosigned"] | change}
        assert "does not continue" in verdict(capsys, tmp_path, altered, *asked)
        with pytest.raises(TrailError, match="does not hold"):
            verify_trail_bundle(altered, LOG_KEY, witnesses=[key])
    with pytest.raises(TrailError, match="0 of the log witnesses"):
        verify_trail_bundle(bundle, LOG_KEY, witnesses=[WitnessKey.parse(str(Witness("other")))], quorum=1)


def test_without_a_key_from_elsewhere_nothing_is_verified(tmp_path: Path) -> None:
    sys.argv = ["verify_trail.py", str(tmp_path / "trail.json")]
    with pytest.raises(SystemExit) as ended:
        verify_trail.main()
    assert 2 == ended.value.code
