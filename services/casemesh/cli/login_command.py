"""`casemesh login`: the officer proves to be at the terminal, for the acts that ask for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from casemesh.cli.invocation import Invocation, command

# A clock that is off by less changes nothing that a person would notice.
_NOTICED_SKEW_SECONDS = 5


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "login", example="casemesh login --profile lin")(login)


async def login(
    run: Invocation,
    end: Annotated[bool, typer.Option("--end", help="Leave the terminal: forget the login.  退出登录。")] = False,
) -> None:
    """Log in anew, by the check that the profile names.  按配置的核验方式重新登录。

    Acts that bind you ask for a login of the last minutes and run the check by themselves when it is due.
    """
    profile = run.profile()
    check = run.login_check(profile)
    if end:
        check.forget()
        run.output.result({"profile": profile.name, "login_time": ""}, run.output.text("login.ended"))
        return
    found = await check.again()
    async with run.session() as session:
        token = await session.identity()
    at = f"{datetime.fromtimestamp(found.auth_time, UTC):%Y-%m-%dT%H:%M:%SZ}"
    if abs(skew := token.clock_skew_seconds) > _NOTICED_SKEW_SECONDS:
        run.output.notice("login.clock_ahead" if skew > 0 else "login.clock_behind", seconds=abs(skew))
    told = {
        "profile": profile.name,
        "officer": token.subject,
        "login_time": at,
        "level": found.level,
        "clock_skew_seconds": token.clock_skew_seconds,
    }
    run.output.result(told, run.output.text("login.done", officer=token.subject, at=at))
