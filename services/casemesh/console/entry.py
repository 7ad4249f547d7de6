"""Who may use this console: the browser that opened the link which the officer's own terminal showed.

Loopback is open to every program and every account of the machine, so the address alone lets nobody in.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from casemesh.cli.messages import Language
from casemesh.client.purpose import Purpose

IDLE_SECONDS = 900.0
"""A terminal is shared; who has been away for so long opens a new link."""
_LINK_PAUSE_SECONDS = 10.0
_KEY_BYTES = 32


@dataclass
class BrowserSession:
    """One browser at work."""

    language: Language
    key: str = field(default_factory=lambda: secrets.token_urlsafe(_KEY_BYTES), repr=False)
    """What its cookie holds."""
    form_token: str = field(default_factory=lambda: secrets.token_urlsafe(_KEY_BYTES), repr=False)
    """What its forms hold, so that no other page can send them."""
    purposes: dict[str, Purpose] = field(default_factory=dict)
    """For what the officer reads the trail of a case, by the case's name: said once for each."""


class Entry:
    """Hands out links that let one browser in each, and knows the browser that is in: one at a time.

    `announce` shows a link to the officer and to nobody else.
    """

    def __init__(
        self,
        announce: Callable[[str], None],
        origin: str,
        language: Language,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._announce = announce
        self._origin = origin
        self._language = language
        self._monotonic = monotonic
        self._link_key = ""
        self._link_shown = -_LINK_PAUSE_SECONDS
        self._browser: BrowserSession | None = None
        self._seen = 0.0

    def show_link(self) -> None:
        """Announce a new link, which makes the one before useless. Does nothing within 10 s of the last: anyone on the
        machine can ask for it, and the terminal is the officer's."""
        now = self._monotonic()
        if now - self._link_shown < _LINK_PAUSE_SECONDS:
            return
        self._link_shown = now
        self._link_key = secrets.token_urlsafe(_KEY_BYTES)
        self._announce(f"{self._origin}/enter?key={self._link_key}")

    def enter(self, key: str) -> BrowserSession | None:
        """Return the session of the browser that brings the link's key, or None. A link lets in once; the browser that
        was in before is out."""
        if not self._link_key or not secrets.compare_digest(key.encode(), self._link_key.encode()):
            return None
        self._link_key = ""
        self._browser = BrowserSession(self._language)
        self._seen = self._monotonic()
        return self._browser

    def browser(self, key: str) -> BrowserSession | None:
        """Return the session that a cookie names, unless it ended: by leaving, another link or 15 idle minutes."""
        found = self._browser
        if found is None or not secrets.compare_digest(key.encode(), found.key.encode()):
            return None
        now = self._monotonic()
        if now - self._seen > IDLE_SECONDS:
            self._browser = None
            return None
        self._seen = now
        return found

    def leave(self) -> None:
        """End the session."""
        self._browser = None
