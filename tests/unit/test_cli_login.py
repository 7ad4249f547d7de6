"""What `casemesh login` says of this machine's clock."""

from __future__ import annotations

import io
from types import TracebackType
from typing import Any

import pytest

from casemesh.cli import login_command
from casemesh.cli.messages import Language
from casemesh.cli.output import Output
from casemesh.client.access_token import AccessToken
from casemesh.client.login_assertion import OfficerLogin


class Terminal:
    """An invocation whose officer passes every check, on a machine whose clock is ahead by so many seconds."""

    def __init__(self, ahead: int, language: Language) -> None:
        self._ahead = ahead
        self.name = "desk"
        self.said = io.StringIO()
        self.output = Output(as_json=False, language=language, stdout=io.StringIO(), stderr=self.said)

    def profile(self) -> Terminal:
        return self

    def login_check(self, profile: Any) -> Terminal:
        return self

    async def again(self) -> OfficerLogin:
        return OfficerLogin(1_800_000_000.0, "password")

    def session(self) -> Terminal:
        return self

    async def __aenter__(self) -> Terminal:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was opened."""

    async def identity(self) -> AccessToken:
        return AccessToken("Bearer token", "agencies/a", "officers/o", 0.0, self._ahead)


@pytest.mark.parametrize(
    ("ahead", "language", "words"),
    [
        (90, Language.ENGLISH, "90 seconds ahead"),
        (-90, Language.ENGLISH, "90 seconds behind"),
        (90, Language.CHINESE, "快 90 秒"),
        (-90, Language.CHINESE, "慢 90 秒"),
    ],
)
async def test_a_clock_that_is_off_is_told_with_its_direction(ahead: int, language: Language, words: str) -> None:
    terminal = Terminal(ahead, language)
    await login_command.login(terminal)  # type: ignore[arg-type] # a fake
    assert words in terminal.said.getvalue()


@pytest.mark.parametrize("ahead", [-5, 0, 5])
async def test_a_clock_that_is_off_by_what_nobody_notices_is_not_told(ahead: int) -> None:
    terminal = Terminal(ahead, Language.ENGLISH)
    await login_command.login(terminal)  # type: ignore[arg-type] # a fake
    assert terminal.said.getvalue() == ""
