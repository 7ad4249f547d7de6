"""Each system call of a small upload fails once, or is where kill -9 comes: what was committed stays, no more counts.

strace makes the calls fail and kills. Where it is not installed or may not trace, these tests are skipped.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.store_process import UploadRun
from tests.support.store_yard import StoreYard

MOST_CALLS = 40
# Of a file that is open already, a full disk shows itself when it is written to.
CALLS = {
    "error=EIO": ["openat", "pwrite64", "fdatasync", "fsync"],
    "error=ENOSPC": ["mkdir", "openat", "pwrite64"],
    "signal=KILL": ["mkdir", "openat", "pwrite64", "fdatasync", "fsync"],
}


def can_trace() -> bool:
    """Whether strace is here and the kernel lets it."""
    if shutil.which("strace") is None:
        return False
    probe = ["strace", "-o", os.devnull, "-e", "inject=mkdir:error=EIO", sys.executable, "-c", ""]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_trace(), reason="strace is not installed, or may not trace here")


@asynccontextmanager
async def tampering(run: UploadRun, call: str, fault: str, number: int, log: Path) -> AsyncIterator[None]:
    """While the body runs, the ``number``-th such call of the upload meets the fault."""
    strace = await asyncio.create_subprocess_exec(
        "strace", "-f", "-p", str(run.pid), "-o", str(log), "-e", f"trace={call}", "-e",
        f"inject={call}:{fault}:when={number}", stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert strace.stderr is not None
    assert b"attached" in await strace.stderr.readline()
    try:
        yield
    finally:
        if strace.returncode is None:
            # Asked to let go of a process that is just ending, strace may wait for it for good; the kernel lets go.
            strace.kill()
        await strace.communicate()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("fault", ["error=EIO", "error=ENOSPC", "signal=KILL"])
async def test_whichever_call_fails_what_was_committed_stays_and_the_upload_can_go_on(
    store_yard: StoreYard, tmp_path: Path, subtests: pytest.Subtests, fault: str
) -> None:
    for call in CALLS[fault]:
        with subtests.test(call):
            for number in range(1, MOST_CALLS):
                if not await meets(store_yard, call, fault, number, tmp_path / "strace"):
                    assert number > 1, f"no {call} was met"
                    break
            else:
                pytest.fail(f"an upload of two documents makes more than {MOST_CALLS} calls of {call}")


async def meets(yard: StoreYard, call: str, fault: str, number: int, log: Path) -> bool:
    """Whether an upload makes so many calls; what must hold after the fault, or without it, does."""
    order = await yard.order()
    run = await yard.process.begin(order)
    async with tampering(run, call, fault, number, log):
        outcome = await run.go()
    met = outcome is None if fault == "signal=KILL" else "INJECTED" in await asyncio.to_thread(log.read_text)
    finished = outcome is not None and outcome.finished
    # Of files that are opened, one holds the database's password: the driver asks again without it.
    assert finished == (not met) or call == "openat"
    await yard.require_told(order, outcome)
    await yard.require_sound(order)
    return met
