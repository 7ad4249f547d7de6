"""Ports that several processes of a machine choose side by side."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from casemesh.local import ports

CHOOSE = "from casemesh.local import ports; ports._LOWEST, ports._HIGHEST = {}, {}; print(ports.free_port())"


def only(monkeypatch: pytest.MonkeyPatch, lowest: int, highest: int) -> None:
    monkeypatch.setattr(ports, "_LOWEST", lowest)
    monkeypatch.setattr(ports, "_HIGHEST", highest)


def test_a_port_is_given_once_though_nobody_listens_on_it_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ports.free_port()
    only(monkeypatch, first, first)
    with pytest.raises(OSError, match=f"no port from {first}"):
        ports.free_port()
    other = subprocess.run(
        [sys.executable, "-c", CHOOSE.format(first, first)], capture_output=True, text=True, check=False
    )
    assert "no port from" in other.stderr


def test_a_port_on_which_somebody_listens_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as listener:
        taken = listener.getsockname()[1]
        only(monkeypatch, taken, taken)
        with pytest.raises(OSError, match="no port from"):
            ports.free_port()


def test_ports_are_not_of_those_that_outgoing_connections_take() -> None:
    assert all(ports.free_port() < 32_768 for _ in range(300))
