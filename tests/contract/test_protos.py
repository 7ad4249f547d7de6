"""The stubs are those of the protos, and every error reason says its code."""

import filecmp
import re
import subprocess
import sys
from pathlib import Path

from google.rpc import code_pb2

from casemesh.common.v1.error_reason_pb2 import ErrorReason

ROOT = Path(__file__).resolve().parents[2]
REASON = re.compile(r"  // (.*?)\n  ERROR_REASON_(\w+) = \d+;", re.DOTALL)


def test_committed_stubs_are_byte_for_byte_what_the_protos_generate(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, ROOT / "protos" / "generate.py", "--out", tmp_path], check=True, capture_output=True
    )
    generated = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    committed = sorted(
        path.relative_to(ROOT / "services")
        for path in (ROOT / "services" / "casemesh").glob("*/v1/*")
        if path.is_file() and path.suffix in (".py", ".pyi")
    )
    assert generated == committed
    _, differing, unreadable = filecmp.cmpfiles(tmp_path, ROOT / "services", generated, shallow=False)
    assert (differing, unreadable) == ([], [])


def test_every_error_reason_names_its_status_code_first() -> None:
    source = (ROOT / "protos" / "casemesh" / "common" / "v1" / "error_reason.proto").read_text(encoding="utf-8")
    documented = {name: comment for comment, name in REASON.findall(source)}
    names = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()} - {"UNSPECIFIED"}
    assert names <= set(documented)
    for name in names:
        last = re.split(r"\n  // (?=[A-Z_]+\. )|\n\n", documented[name])[-1]
        code = last.replace("\n  // ", " ").partition(".")[0].removeprefix("// ").strip()
        assert code in code_pb2.Code.keys(), f"{name}: {code!r} is not a status code"


def test_every_reason_raised_in_the_code_is_in_the_protos() -> None:
    classes = (
        "InvalidArgument|Unauthenticated|PermissionDenied|NotFound|AlreadyExists|FailedPrecondition|OutOfRange|Conflict|"
        "ResourceExhausted|Unavailable|DeadlineExceeded|DataLoss|CaseMeshError"
    )
    raised = re.compile(rf'\b(?:{classes})\(\s*"([A-Z_]+)"')
    # UNKNOWN is what the client calls a failure that carries no reason of ours.
    known = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()} | {"UNKNOWN"}
    for path in (ROOT / "services" / "casemesh").rglob("*.py"):
        for reason in raised.findall(path.read_text(encoding="utf-8")):
            assert reason in known, f"{path.relative_to(ROOT)} raises {reason}"
