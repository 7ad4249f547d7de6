"""What a session states of its officer's login when it asks for a token."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from casemesh.client.login_assertion import OfficerLogin
from casemesh.client.profile import Profile
from casemesh.client.session import Session
from casemesh.errors import Unauthenticated
from casemesh.identity.v1.token_service_pb2 import IssueTokenRequest, IssueTokenResponse

OFFICER = "agencies/01900000-0000-7000-8000-000000000001/officers/01900000-0000-7000-8000-000000000002"


class Tokens:
    """Identity as a session sees it: answers with what is next, and keeps what came."""

    def __init__(self, *outcomes: Unauthenticated | IssueTokenResponse) -> None:
        self._outcomes = list(outcomes)
        self.came: list[IssueTokenRequest] = []

    async def IssueToken(self, request: IssueTokenRequest) -> IssueTokenResponse:
        self.came.append(request)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Unauthenticated):
            raise outcome
        return outcome

    def stated(self) -> list[dict[str, Any]]:
        parts = [request.assertion.split(".")[1] for request in self.came]
        return [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts]


class AtTheDesk:
    """A system's own logins: the officer logged in at a time, and again a minute later."""

    def __init__(self) -> None:
        self._login = OfficerLogin(1_700_000_000.0, "two-factor")

    def current(self) -> OfficerLogin:
        return self._login

    async def again(self) -> OfficerLogin:
        self._login = OfficerLogin(self._login.auth_time + 60, "certificate")
        return self._login


@pytest.fixture
async def session(mesh_pki: Any) -> AsyncIterator[Session]:
    certificate = mesh_pki.layout.root / "agencies" / "beihu-police" / "systems" / "cms"
    async with Session(Profile("p", "127.0.0.1:1", certificate, officer=OFFICER), login=AtTheDesk()) as opened:
        yield opened


async def test_a_session_states_the_login_that_its_system_knows_and_the_new_one_once_asked_for(
    session: Session,
) -> None:
    tokens = Tokens(IssueTokenResponse(access_token="1"), IssueTokenResponse(access_token="2"))
    session.tokens = tokens  # type: ignore[assignment] # a fake
    first = await session.identity()
    assert await session._token_source.log_in_again(first)
    await session.identity()
    told = [(claims["sub"], claims["auth_time"], claims["acr"].rpartition(":")[2]) for claims in tokens.stated()]
    assert [(OFFICER, 1_700_000_000, "two-factor"), (OFFICER, 1_700_000_060, "certificate")] == told


async def test_an_assertion_that_a_lost_answer_used_up_is_signed_anew_once(session: Session) -> None:
    replayed = Unauthenticated("ASSERTION_REPLAYED", "used already")
    tokens = Tokens(replayed, IssueTokenResponse(access_token="1"))
    session.tokens = tokens  # type: ignore[assignment] # a fake
    assert (await session.identity()).bearer == "Bearer 1"
    assert len({claims["jti"] for claims in tokens.stated()}) == 2

    session.tokens = Tokens(replayed, replayed)  # type: ignore[assignment] # a fake
    session._token_source.forget(await session.identity())
    with pytest.raises(Unauthenticated, match="used already"):
        await session.identity()


async def test_another_refusal_is_not_asked_about_again(session: Session) -> None:
    tokens = Tokens(Unauthenticated("CLOCK_SKEWED", "set the clock"))
    session.tokens = tokens  # type: ignore[assignment] # a fake
    with pytest.raises(Unauthenticated, match="set the clock"):
        await session.identity()
    assert len(tokens.came) == 1


async def test_a_system_that_acts_for_itself_states_nothing(mesh_pki: Any) -> None:
    certificate = mesh_pki.layout.root / "agencies" / "beihu-police" / "systems" / "cms"
    profile = Profile("p", "127.0.0.1:1", certificate, officer=OFFICER)
    async with Session(profile, as_system=True, login=AtTheDesk()) as session:
        tokens = Tokens(IssueTokenResponse(access_token="1"))
        session.tokens = tokens  # type: ignore[assignment] # a fake
        await session.identity()
    assert [IssueTokenRequest()] == tokens.came
