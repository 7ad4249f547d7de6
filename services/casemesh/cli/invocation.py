"""How every command of `casemesh` runs: common options, one trace, failures turned into messages and exit codes."""

from __future__ import annotations

import inspect
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from casemesh.cli.messages import Language, choose_language
from casemesh.cli.output import Output

if TYPE_CHECKING:
    from casemesh.client.login_check import LoginCheck
    from casemesh.client.profile import Profile
    from casemesh.client.session import Session
    from casemesh.client.trace_context import TraceContext

_COMMON: dict[str, tuple[Any, Any]] = {
    "as_json": (Annotated[bool, typer.Option("--json", help="Print JSON for programs.  输出 JSON。")], False),
    "profile": (
        Annotated[str, typer.Option("--profile", help="The profile to use.  使用的配置。", metavar="NAME")],
        "",
    ),
    "lang": (Annotated[str, typer.Option("--lang", help="zh or en; else by LANG.  语言。", metavar="LANG")], ""),
}

RequestId = Annotated[
    str,
    typer.Option(
        "--request-id",
        metavar="UUID",
        help="Repeat an earlier try under its id: it has one effect.  请求号,重试时保持不变。",
    ),
]


PurposeOption = Annotated[
    str,
    typer.Option(
        "--purpose",
        metavar="KIND[:WORDS]",
        help="Why you look; see `casemesh access purposes`. Else the profile's.  查阅目的。",
    ),
]


class Failure(Exception):
    """A command cannot go on. `key` names the message; `code` is the exit code."""

    def __init__(self, code: int, key: str, /, **values: object) -> None:
        super().__init__(key)
        self.code = code
        self.key = key
        self.values = values


@dataclass
class Invocation:
    """One run of one command."""

    output: Output
    profile_name: str
    trace: TraceContext
    request_id: str = field(default="")
    """The id under which the command's change is made; said on failure, so that it can be repeated."""

    def profile(self) -> Profile:
        """Return the chosen profile. Raises ProfileError."""
        from casemesh.client.profile import choose_profile, config_folder

        return choose_profile(config_folder(), self.profile_name)

    def session(self, *, as_system: bool = False, purpose: str = "") -> Session:
        """Return a session with the chosen profile, to be entered; `purpose` is why it reads, else the profile's.

        Raises ProfileError, Failure (exit code 2) for a purpose that is none.
        """
        from casemesh.client.purpose import Purpose, PurposeError
        from casemesh.client.session import Session

        profile = self.profile()
        try:
            stated = Purpose.parse(purpose) if purpose else None
        except PurposeError as error:
            raise Failure(2, "usage.purpose", why=error) from None
        login = self.login_check(profile) if profile.login_check else None
        return Session(profile, as_system=as_system, login=login, purpose=stated)

    def login_check(self, profile: Profile) -> LoginCheck:
        """Return the profile's check of its officer's login, with what earlier commands found."""
        from casemesh.client.login_check import LoginCheck, remembered_login
        from casemesh.client.profile import config_folder

        return LoginCheck(profile, remembered_login(config_folder(), profile))

    def use_request_id(self, given: str) -> str:
        """Return the id of the command's change: the one given, or a new one."""
        from casemesh.core.ids import is_uuid, new_id

        if given and not is_uuid(given):
            raise Failure(2, "usage.request_id")
        self.request_id = given or new_id()
        return self.request_id


def command(
    app: typer.Typer, name: str, *, example: str, json_flag: bool = True, profile_flag: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as a command of `app`.

    The function's first parameter is the Invocation; the others are its options, by name. It may be asynchronous.
    --json, --profile and --lang are added to every command, and the example to its help; `json_flag` is False for a
    command whose own --json takes a file, `profile_flag` for an operator's, who has no profile.
    """

    def register(body: Callable[..., Any]) -> Callable[..., Any]:
        hints = get_type_hints(body, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in list(inspect.signature(body).parameters.values())[1:]
        ]
        common = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
            for key, (annotation, default) in _COMMON.items()
            if (json_flag or key != "as_json") and (profile_flag or key != "profile")
        ]

        def run(**given: Any) -> None:
            as_json, profile, lang = (given.pop(key, default) for key, (_, default) in _COMMON.items())
            language = choose_language(lang, os.environ)
            raise typer.Exit(_run(body, given, Output(as_json=as_json, language=language), profile))

        run.__name__ = body.__name__
        run.__doc__ = body.__doc__
        run.__signature__ = inspect.Signature([*own, *common])  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *common]}
        app.command(name, epilog=f"Example 示例: {example}")(run)
        return body

    return register


def _run(body: Callable[..., Any], given: dict[str, Any], output: Output, profile: str) -> int:
    import asyncio

    from casemesh.cli.failures import report
    from casemesh.client.trace_context import tracing

    with tracing() as trace:
        invocation = Invocation(output, profile, trace)
        try:
            outcome = body(invocation, **given)
            if inspect.isawaitable(outcome):
                asyncio.run(_awaited(outcome))
        except (typer.Exit, typer.BadParameter):
            raise
        except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:
            if os.environ.get("CASEMESH_DEBUG"):
                traceback.print_exception(error, file=sys.stderr)
            return report(error, invocation)
    return 0


async def _awaited(outcome: Any) -> None:
    import asyncio

    task = asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError):  # Windows has no such signal
        # As Ctrl-C does: what the command has open is closed, what it has made in passing is removed.
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await outcome


def language_of(invocation: Invocation) -> Language:
    """Return the language the command speaks."""
    return invocation.output.language
