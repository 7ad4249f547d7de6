"""Child processes that are restarted when they die, and stopped with their parent.

Each runs under `setpriv --pdeathsig`, where the system has it, so that a killed supervisor leaves nobody behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


class Child:
    """One process, kept running: when it dies it is started again, after a pause that grows to 5 seconds while it
    keeps dying."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log_file: Path,
        *,
        environment: Mapping[str, str] | None = None,
        on_restart: Callable[[str, int], None] | None = None,
    ) -> None:
        self.name = name
        self._command = list(command)
        self._log_file = log_file
        self._environment = {**os.environ, **(environment or {})}
        self._on_restart = on_restart
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The process that runs now, or None."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Start the process and keep it running until `stop`."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self, grace_seconds: float = 20.0) -> None:
        """Ask the process to end and wait; after the grace it is killed."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_seconds):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_dying_with_parent(self._command),
                stdout=log,
                stderr=log,
                stdin=asyncio.subprocess.DEVNULL,
                env=self._environment,
                # Ctrl-C goes to the terminal's whole group; only the supervisor may decide in which order its children
                # end.
                start_new_session=True,
            )

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            assert self._process is not None
            began = loop.time()
            code = await self._process.wait()
            pause = _FIRST_PAUSE_SECONDS if loop.time() - began > 30 else min(pause * 2, _LONGEST_PAUSE_SECONDS)
            self.restarts += 1
            if self._on_restart is not None:
                self._on_restart(self.name, code)
            await asyncio.sleep(pause)
            await self._spawn()


def _dying_with_parent(command: Sequence[str]) -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else list(command)
