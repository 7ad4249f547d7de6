"""kill -9, a pause past the lease, and a cut connection at each point where an upload and the database meet.

The store's order is bytes durable, then row, then notice. So where a transaction begins the bytes are on disk; where
its COMMIT is not sent nothing counts yet; where it was carried out everything counts and the sender has not been told.
The points need nothing in the store itself: a proxy before the database stops at them.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

from casemesh.core.ids import new_id
from tests.support.statement_proxy import Then, cut
from tests.support.store_process import UploadRun
from tests.support.store_yard import StoreYard

POINTS = [
    pytest.param(b"BEGIN", False, id="bytes durable, transaction not begun"),
    pytest.param(b"COMMIT", False, id="COMMIT not sent"),
    pytest.param(b"COMMIT", True, id="COMMIT carried out, nobody told"),
]
MOST_TRANSACTIONS = 20


def killing(run: UploadRun) -> Then:
    async def kill() -> bool:
        os.kill(run.pid, signal.SIGKILL)
        return False

    return kill


def cutting(run: UploadRun) -> Then:
    return cut


@pytest.mark.timeout(180)
@pytest.mark.parametrize("fault", [killing, cutting], ids=["kill -9", "cut"])
@pytest.mark.parametrize(("statement", "carried_out"), POINTS)
async def test_wherever_an_upload_is_broken_off_it_can_go_on_and_nothing_else_counts(
    store_yard: StoreYard, statement: bytes, carried_out: bool, fault: Callable[[UploadRun], Then]
) -> None:
    for number in range(1, MOST_TRANSACTIONS):
        order = await store_yard.order()
        run = await store_yard.process.begin(order)
        stop = store_yard.proxy.stop_at(statement, number=number, carried_out=carried_out, then=fault(run))
        outcome = await run.go()
        store_yard.proxy.go_on()
        if fault is killing:
            assert stop.reached.is_set() == (outcome is None)
        await store_yard.require_told(order, outcome)
        await store_yard.require_sound(order)
        if not stop.reached.is_set():
            break
    # To take the lease, to name the pack, to commit, to finish, to close the pack.
    assert number > 5


async def test_a_writer_who_slept_past_its_lease_commits_nothing_when_it_wakes(store_yard: StoreYard) -> None:
    sleeper = await store_yard.order()
    other = replace(sleeper, upload_id=new_id())
    run = await store_yard.process.begin(sleeper)

    async def stop() -> bool:
        os.kill(run.pid, signal.SIGSTOP)
        return True

    # The third is that of the first commit: its bytes are durable, its rows are not.
    point = store_yard.proxy.stop_at(b"BEGIN", number=3, carried_out=False, then=stop)
    going = asyncio.create_task(run.go())
    async with asyncio.timeout(30):
        await point.reached.wait()
    try:
        await store_yard.database.execute(
            "UPDATE upload_lease SET expires_at = now() - interval '1 second' WHERE dossier_id = $1",
            sleeper.dossier_id,
        )
        async with store_yard.another_process() as process:
            outcome = await process.run(other)
            assert outcome is not None
            assert (True, "") == (outcome.finished, outcome.reason)
    finally:
        os.kill(run.pid, signal.SIGCONT)
    slept = await going
    assert slept is not None
    assert (0, False, "UPLOAD_LEASE_LOST") == (slept.committed_bytes, slept.finished, slept.reason)
    assert {0, 1} == await store_yard.whole(other)
    assert await store_yard.finished(other)
    assert 1 == await store_yard.finish_events(other)
