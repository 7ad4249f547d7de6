"""The access token of one session: fetched when first needed, replaced before it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from casemesh.identity.v1 import token_service_pb2

# The platform issues tokens of at most 300 seconds. The bounds keep a client at work whose clock is wrong: it then
# renews too often, or is refused once and renews.
_SHORTEST_SECONDS, _LONGEST_SECONDS = 30.0, 300.0
_USED_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token, whom it speaks for, and until when it is used (seconds on the monotonic clock)."""

    bearer: str = field(repr=False)
    agency: str
    subject: str
    """The officer, or the system acting for itself."""
    use_until: float
    clock_skew_seconds: int = 0
    """How far this machine's clock is ahead of the platform's, where that is known."""
    login: int = 0
    """Under which of the session's logins it was fetched: 0 for what was known at the start, 1 after one anew."""


Issue = Callable[[], Awaitable[token_service_pb2.IssueTokenResponse]]
LogInAgain = Callable[[], Awaitable[object]]


class TokenSource:
    """Hands out the current token; one request for a new one at a time, however many calls wait for it.

    A token is given up after four fifths of its life, and when `stamp` changes: it is bound to the certificate it was
    fetched with.
    """

    def __init__(
        self,
        issue: Issue,
        stamp: Callable[[], object],
        *,
        log_in_again: LogInAgain | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._issue = issue
        self._stamp = stamp
        self._log_in_again = log_in_again
        self._monotonic = monotonic
        self._wall = wall
        self._renewing = asyncio.Lock()
        self._logins = 0
        self._token: AccessToken | None = None
        self._bound_to: object = None

    async def current(self) -> AccessToken:
        """Return a token that has not ended.

        Raises CaseMeshError when none can be had.
        """
        async with self._renewing:
            stamp = self._stamp()
            token = self._token
            if token is None or stamp != self._bound_to or self._monotonic() >= token.use_until:
                token = self._read(await self._issue())
                self._token, self._bound_to = token, stamp
            return token

    def forget(self, token: AccessToken) -> None:
        """Give up a token that the platform refused; a newer one stays."""
        if self._token is token:
            self._token = None

    async def log_in_again(self, token: AccessToken) -> bool:
        """Let the officer log in anew, because the platform refused `token` for an old login; returns whether there is
        a way to. However many calls were refused for one login, the officer is asked once.

        Raises what the login raises.
        """
        if self._log_in_again is None:
            return False
        async with self._renewing:
            # Not whether the token is the current one: it may have been renewed meanwhile under the same old login.
            if token.login == self._logins:
                await self._log_in_again()
                self._logins += 1
                self._token = None
        return True

    def _read(self, answer: token_service_pb2.IssueTokenResponse) -> AccessToken:
        left = answer.expire_time.ToMilliseconds() / 1000 - self._wall()
        life = min(max(left, _SHORTEST_SECONDS), _LONGEST_SECONDS)
        return AccessToken(
            f"Bearer {answer.access_token}",
            answer.agency,
            answer.subject,
            self._monotonic() + life * _USED_SHARE,
            answer.clock_skew_seconds,
            self._logins,
        )
