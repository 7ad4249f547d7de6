"""One platform for all tests of this folder that do not break it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.platform import RunningPlatform, enrol_three, running_platform


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with running_platform(tmp_path_factory.mktemp("platform") / "data") as (supervisor, addresses):
        yield RunningPlatform(supervisor, addresses, asyncio.run(enrol_three(addresses)))
