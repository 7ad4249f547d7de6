"""`casemesh console`: the pages for a browser, served by the officer's own workstation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casemesh.cli.invocation import Failure, Invocation, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "console", example="casemesh console --profile lin --lang zh")(console)


async def console(
    run: Invocation,
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS:PORT", help="Where; port 0 takes a free one.  监听地址。")
    ] = "127.0.0.1:0",
    tls: Annotated[
        Path | None,
        typer.Option("--tls", help="Folder with tls.pem, tls.key, ca.pem: TLS, to your certificate alone.  证书目录。"),
    ] = None,
) -> None:
    """Serve pages for your browser, with your rights and nobody else's, until Ctrl-C.  在浏览器中查看。

    Open the link that it prints; the link lets in one browser, once.
    """
    from dataclasses import replace

    from casemesh.client.session import Session

    try:
        from casemesh.console.serving import PlaceError, listening, serve
    except ModuleNotFoundError as missing:
        raise Failure(2, "console.missing", package=missing.name) from None
    # Here the purpose is said for each case whose trail is read; a call states one alone.
    profile = run.profile()
    login = run.login_check(profile) if profile.login_check else None

    def announce(link: str) -> None:
        run.output.result({"link": link}, run.output.text("console.link", link=link))
        run.output.stdout.flush()

    try:
        bound = listening(listen)
    except OSError as error:
        raise Failure(5, "console.taken", address=listen, why=error) from None
    except PlaceError as error:
        raise Failure(2, "console.place", why=error) from None
    with bound:
        async with Session(replace(profile, purpose=""), login=login) as session:
            try:
                await serve(session, profile, bound, announce=announce, language=run.output.language, tls=tls)
            except PlaceError as error:
                raise Failure(2, "console.place", why=error) from None
