"""Officers' logins as their agencies state them: an assertion is used once, a login is kept and told to the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from casemesh.core.clock import Clock
from casemesh.errors import Unauthenticated, Unavailable
from casemesh.identity import login_store
from casemesh.identity.assertions import Assertion
from casemesh.identity.login_store import LoginStore
from casemesh.identity.subjects import Subject
from casemesh.identity.v1.token_service_pb2 import GetOfficerLoginResponse
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database

log = structlog.get_logger(__name__)

LOGGED_IN = "identity.officer.logged_in"
_FORGET_EVERY_SECONDS = 60.0
# Replicas' clocks differ: what one would refuse for its age, another may still take.
_KEPT_AFTER_SECONDS = 60.0


class OfficerLogins:
    """Takes assertions. `wake` is called after each commit that left an event to send."""

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._store = LoginStore(database)
        self._clock = clock
        self._wake = wake

    async def use(self, call: Call, subject: Subject, assertion: Assertion) -> str:
        """Use up an assertion; return the digest, in hexadecimal, of the statement kept of its login, empty when it
        states none.

        A login is kept with the first assertion that states it. Raises Unauthenticated (ASSERTION_REPLAYED).
        """
        assert subject.officer_id is not None
        first_use, login = await self._store.use(
            subject.client_id,
            assertion.jti,
            assertion.usable_until,
            subject.officer_id,
            assertion.auth_time,
            assertion.acr,
        )
        if not first_use:
            raise Unauthenticated("ASSERTION_REPLAYED", "an assertion with this jti was used already; sign another")
        if not assertion.states_login:
            return ""
        return (login or await self._keep(call, subject, subject.officer_id, assertion)).hex()

    async def stated_by(self, agency_id: str, assertion_sha256: bytes) -> GetOfficerLoginResponse | None:
        """Return a statement that a client of the agency made, or None."""
        return await self._store.login(assertion_sha256, agency_id)

    async def forget_uses(self) -> None:
        """Forget, once a minute and until cancelled, the uses of assertions that ended more than a minute ago."""
        while True:
            try:
                await self._store.forget_uses(self._clock.now().timestamp() - _KEPT_AFTER_SECONDS)
            except Unavailable as error:
                log.warning("assertion_uses.kept", reason=error.reason)
            await asyncio.sleep(_FORGET_EVERY_SECONDS)

    async def _keep(self, call: Call, subject: Subject, officer_id: str, assertion: Assertion) -> bytes:
        async with self._database.transaction() as transaction:
            login, is_new = await login_store.keep(
                transaction,
                assertion.sha256,
                subject.client_id,
                officer_id,
                assertion.auth_time,
                assertion.acr,
                assertion.text,
            )
            if is_new:
                details = {
                    "assertion_sha256": login.hex(),
                    "acr": assertion.acr,
                    "login_age_seconds": str(assertion.login_age_seconds),
                    "clock_skew_seconds": str(assertion.clock_skew_seconds),
                }
                event = event_of(call, self._clock, LOGGED_IN, assertion.officer, details=details)
                # Nobody has a token yet: who speaks is proved by the assertion and the connection's certificate.
                event.actor.agency, event.actor.system = subject.agency, subject.client
                event.actor.officer = assertion.officer
                await record(transaction, call, event)
        self._wake()
        return login
