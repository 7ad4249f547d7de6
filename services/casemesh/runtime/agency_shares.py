"""Each agency's share of a server: how many calls and streams it may have open.

The gateway limits how often an agency calls and how many connections it has; only a service sees how long its calls
last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from casemesh.errors import ResourceExhausted
from casemesh.runtime.call import Call
from casemesh.runtime.config import ServerConfig
from casemesh.runtime.peers import Peer

_RETRY_AFTER_SECONDS = 1.0


class AgencyShares:
    """What each agency has open at this server, one process. Calls inside the mesh are nobody's and not counted."""

    def __init__(self, config: ServerConfig) -> None:
        self._most = {"calls": config.agency_calls, "streams": config.agency_streams}
        self._open: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def taken(self, call: Call, kind: str) -> Iterator[None]:
        """Count a call among its agency's `calls` or `streams` while the body runs.

        Raises ResourceExhausted (AGENCY_SHARE_REACHED) when the agency has as many open as it may.
        """
        if call.peer is not Peer.GATEWAY or call.caller is None:
            yield
            return
        key = (call.caller.agency, kind)
        if self._open[key] >= self._most[kind]:
            limit = f"{self._most[kind]} {kind}"
            raise ResourceExhausted(
                "AGENCY_SHARE_REACHED",
                f"the agency has {limit} open here and may have no more; end one or try again",
                {"limit": limit},
                _RETRY_AFTER_SECONDS,
            )
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
