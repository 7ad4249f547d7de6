"""kill -9 of routing and of PostgreSQL while exchanges run, with a journal of what clients did; then the accounts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from casemesh.client.session import Session
from tests.support.exchange_accounts import (
    Journal,
    check_books,
    check_outbox,
    receiving,
    register_cases,
    submit,
    until,
    until_all_is_stored,
)
from tests.support.platform import RunningPlatform, enrol_three, running_platform

CASES = 6
BETWEEN_KILLS = 12
"""Exchanges confirmed to their sender between one kill and the next."""


@pytest.mark.timeout(300)
async def test_no_kill_loses_or_doubles_an_exchange(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_platform(data) as (supervisor, addresses):
        platform = RunningPlatform(supervisor, addresses, await enrol_three(addresses))
        journal = Journal(tmp_path / "journal.jsonl")
        police, procuratorate = platform.agencies["police"], platform.agencies["procuratorate"]
        done = asyncio.Event()

        async def keep_submitting(session: Session, case: str, party: str) -> None:
            while not done.is_set():
                await submit(session, journal, case, party, procuratorate.name)

        async with Session(police.officers[0]) as officer, Session(procuratorate.system, as_system=True) as system:
            cases = await register_cases(officer, CASES)
            async with receiving(system, journal):
                submitting = [
                    asyncio.create_task(keep_submitting(officer, case.name, case.parties[0].name)) for case in cases
                ]
                for process in ("routing", "postgres"):
                    reached = len(journal.submitted) + BETWEEN_KILLS
                    await until(lambda reached=reached: len(journal.submitted) >= reached)
                    journal.write("kill", process=process)
                    platform.kill(process)
                reached = len(journal.submitted) + BETWEEN_KILLS
                await until(lambda: len(journal.submitted) >= reached)
                done.set()
                await asyncio.gather(*submitting)
                await until_all_is_stored(journal)
                assert journal.interrupted, "no call was under way when a process was killed"
                await check_books(journal, data, [case.name for case in cases])
                await check_outbox(data, "routing")
