"""The PostgreSQL server as a child process: started, waited for, stopped."""

import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_PROBE_INTERVAL_SECONDS = 0.02
_PROBE_TIMEOUT_SECONDS = 2.0
_IMMEDIATE_TIMEOUT_SECONDS = 10.0
_LOG_TAIL_LINES = 15
_PROTOCOL_3_0 = 196608


class PostmasterError(RuntimeError):
    """The server ended or did not become ready; the message shows the end of its log."""


class Postmaster:
    """One run of the server, from start to end.

    It is started by a thread that then waits for it. The kernel sends the parent-death signal when the *thread* that
    forked ends, so a thread of a pool, which may end early, would take the server down with it.
    """

    def __init__(self, command: Sequence[str], log_file: Path, environment: Mapping[str, str]) -> None:
        self._log_file = log_file
        self._ended = threading.Event()
        self._started = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: OSError | None = None
        with log_file.open("ab") as log:
            self._log_start = log.tell()
            threading.Thread(target=self._run, args=(command, log, environment), name="postmaster", daemon=True).start()
            self._started.wait()
        if self._failure is not None:
            raise PostmasterError(f"{command[0]} could not be started: {self._failure}")

    @property
    def alive(self) -> bool:
        """Whether the process lives."""
        return not self._ended.is_set()

    @property
    def process_id(self) -> int | None:
        """The process id, also after the end."""
        return self._process.pid if self._process is not None else None

    def wait(self, timeout_seconds: float | None = None) -> bool:
        """Waits for the end; False if it has not come in time."""
        return self._ended.wait(timeout_seconds)

    def await_ready(self, host: str, port: int, user: str, timeout_seconds: float) -> None:
        """Returns once the server accepts connections; raises PostmasterError when it ends or takes too long."""
        deadline = time.monotonic() + timeout_seconds
        while not accepts_connections(host, port, user):
            if self._ended.wait(_PROBE_INTERVAL_SECONDS):
                raise PostmasterError(f"PostgreSQL ended while starting:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise PostmasterError(
                    f"PostgreSQL did not accept connections within {timeout_seconds:.0f} s:\n{self.log_tail()}"
                )

    def stop(self, timeout_seconds: float) -> None:
        """Fast shutdown; after `timeout_seconds` immediate shutdown, which recovery repairs; at last kill."""
        for number, patience in (
            (signal.SIGINT, timeout_seconds),
            (signal.SIGQUIT, _IMMEDIATE_TIMEOUT_SECONDS),
            (signal.SIGKILL, _IMMEDIATE_TIMEOUT_SECONDS),
        ):
            if self._process is None or self._ended.is_set():
                return
            self._process.send_signal(number)
            self._ended.wait(patience)

    def log_tail(self) -> str:
        """The last lines that this run wrote to the log."""
        with self._log_file.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_TAIL_LINES:]) or f"(nothing in {self._log_file})"

    def _run(self, command: Sequence[str], log: IO[bytes], environment: Mapping[str, str]) -> None:
        try:
            self._process = subprocess.Popen(
                command,
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in a terminal goes to the whole group; the one who started the server stops it in its turn.
                start_new_session=True,
            )
        except OSError as error:
            self._failure = error
            self._ended.set()
        finally:
            self._started.set()
        if self._process is not None:
            self._process.wait()
            self._ended.set()


def accepts_connections(host: str, port: int, user: str) -> bool:
    """Whether a PostgreSQL server there asks `user` for a password; one that still starts answers with an error."""
    parameters = f"user\0{user}\0database\0postgres\0\0".encode()
    message = struct.pack("!ii", 8 + len(parameters), _PROTOCOL_3_0) + parameters
    try:
        with socket.create_connection((host, port), timeout=_PROBE_TIMEOUT_SECONDS) as connection:
            connection.sendall(message)
            return connection.recv(4096).startswith(b"R")
    except OSError:
        return False
