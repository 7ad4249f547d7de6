"""TCP ports of this machine's loopback interface."""

import random
import socket
from collections import deque
from collections.abc import Sequence

LOOPBACK = "127.0.0.1"
# Below what Linux gives to outgoing connections (from 32768), so that none of them sits on a port that was chosen.
_LOWEST, _HIGHEST = 15_000, 32_000
_CHOICES = random.SystemRandom()
_KEPT = 256
_SEVERAL = "ipv4:"


# Names of ports in Linux's abstract namespace: one process at a time holds a name, and its end frees it.
_held: deque[socket.socket] = deque()


def free_port() -> int:
    """A port on which nothing listens now and that no other process asking here is given while this one keeps it.

    It keeps the last 256 it was given. Programs that do not ask here may still take one.

    Raises:
        OSError: no port is free.
    """
    for _ in range(10_000):
        port = _CHOICES.randint(_LOWEST, _HIGHEST)
        if is_free(port) and _reserve(port):
            return port
    raise OSError(f"no port from {_LOWEST} to {_HIGHEST} is free on {LOOPBACK}; end what listens there")


def _reserve(port: int) -> bool:
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0casemesh/port/{port}")
    except OSError:
        name.close()
        return False
    _held.append(name)
    if len(_held) > _KEPT:
        _held.popleft().close()
    return True


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier server that linger in TIME_WAIT are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def target_of(addresses: Sequence[str]) -> str:
    """The gRPC target of one address, or of several replicas behind one name."""
    return addresses[0] if len(addresses) == 1 else f"{_SEVERAL}{','.join(addresses)}"


def addresses_of(target: str) -> list[str]:
    """The addresses of a target that `target_of` made, or the one it is."""
    return target.removeprefix(_SEVERAL).split(",")
