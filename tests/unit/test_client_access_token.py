"""The session's token is fetched once, renewed in time, and given up with its certificate."""

from __future__ import annotations

import asyncio

import pytest

from casemesh.client.access_token import TokenSource
from casemesh.errors import Unavailable
from casemesh.identity.v1.token_service_pb2 import IssueTokenResponse

NOW = 1_900_000_000.0


class Issuer:
    """Identity as a token source sees it: numbered tokens that live `life` seconds by identity's clock."""

    def __init__(self, *, life: float = 300.0, ahead: float = 0.0) -> None:
        self.issued = 0
        self.stamp: object = "certificate-1"
        self.now = 0.0
        self.life = life
        self.ahead = ahead
        self.failing = False

    async def issue(self) -> IssueTokenResponse:
        await asyncio.sleep(0)
        if self.failing:
            raise Unavailable("DEPENDENCY_UNAVAILABLE", "not now")
        self.issued += 1
        answer = IssueTokenResponse(access_token=f"token-{self.issued}", agency="agencies/a", subject="officers/o")
        answer.expire_time.FromMilliseconds(int((NOW + self.ahead + self.now + self.life) * 1000))
        return answer

    def source(self) -> TokenSource:
        return TokenSource(self.issue, lambda: self.stamp, monotonic=lambda: self.now, wall=lambda: NOW + self.now)


async def test_many_calls_at_once_fetch_one_token() -> None:
    issuer = Issuer()
    source = issuer.source()

    tokens = await asyncio.gather(*(source.current() for _ in range(20)))

    assert issuer.issued == 1
    assert {token.bearer for token in tokens} == {"Bearer token-1"}


async def test_a_token_is_replaced_before_its_end() -> None:
    issuer = Issuer(life=300)
    source = issuer.source()
    await source.current()

    issuer.now = 239
    assert (await source.current()).bearer == "Bearer token-1"
    issuer.now = 241
    assert (await source.current()).bearer == "Bearer token-2"


@pytest.mark.parametrize("ahead", [-86_400, 86_400])
async def test_a_wrong_local_clock_neither_keeps_a_token_for_ever_nor_fetches_one_for_each_call(ahead: float) -> None:
    issuer = Issuer(ahead=ahead)
    source = issuer.source()
    await source.current()

    issuer.now = 10
    await source.current()
    assert issuer.issued == 1
    issuer.now = 300
    await source.current()
    assert issuer.issued == 2


async def test_a_new_certificate_gets_a_new_token() -> None:
    issuer = Issuer()
    source = issuer.source()
    await source.current()

    issuer.stamp = "certificate-2"

    assert (await source.current()).bearer == "Bearer token-2"


async def test_a_refused_token_is_given_up_but_not_its_successor() -> None:
    issuer = Issuer()
    source = issuer.source()
    first = await source.current()

    source.forget(first)
    second = await source.current()
    source.forget(first)

    assert second.bearer == "Bearer token-2"
    assert await source.current() is second


async def test_a_failed_fetch_is_tried_again_by_the_next_call() -> None:
    issuer = Issuer()
    source = issuer.source()
    issuer.failing = True
    with pytest.raises(Unavailable):
        await source.current()

    issuer.failing = False

    assert (await source.current()).bearer == "Bearer token-1"


async def test_the_token_does_not_show_in_its_representation() -> None:
    assert "token-1" not in repr(await Issuer().source().current())


async def test_of_many_calls_refused_for_one_old_login_the_officer_is_asked_once() -> None:
    issuer = Issuer()
    asked = []

    async def log_in_again() -> None:
        await asyncio.sleep(0)
        asked.append("asked")

    source = TokenSource(issuer.issue, lambda: issuer.stamp, log_in_again=log_in_again)
    refused = await source.current()

    assert [True] * 5 == await asyncio.gather(*(source.log_in_again(refused) for _ in range(5)))
    assert asked == ["asked"]
    assert (await source.current()).bearer == "Bearer token-2"


async def test_a_token_that_was_renewed_meanwhile_under_the_same_old_login_does_not_spare_the_officer() -> None:
    issuer = Issuer()
    asked = []

    async def log_in_again() -> None:
        asked.append("asked")

    source = TokenSource(issuer.issue, lambda: issuer.stamp, log_in_again=log_in_again)
    refused = await source.current()
    issuer.stamp = "certificate-2"
    renewed = await source.current()

    assert await source.log_in_again(refused)
    assert asked == ["asked"]
    assert await source.log_in_again(renewed)
    assert asked == ["asked"]
    assert (await source.current()).bearer == "Bearer token-3"


async def test_without_a_way_to_log_in_a_token_stays() -> None:
    source = Issuer().source()
    token = await source.current()
    assert not await source.log_in_again(token)
    assert await source.current() is token
