"""`casemesh trace`: what one request did across the services."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from casemesh.cli.invocation import Failure, Invocation, command

app = typer.Typer(help="Follow a request across the services.  链路跟踪。", no_args_is_help=True)

_TIMEOUT_SECONDS = 10.0


@command(app, "show", example="casemesh trace show 4bf92f3577b34da6a3ce929d0e0e4736 --data ./data")
async def show(
    run: Invocation,
    trace: Annotated[str, typer.Argument(help="The trace id, 32 hexadecimal digits.  跟踪号。")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder of a platform on this machine.  本机平台的数据目录。")
    ] = None,
) -> None:
    """Print a trace as a tree, with what was done later on its account.  查看链路。"""
    from casemesh.cli.trace_tree import build_tree, render_tree

    spans = await fetch_spans(_address(run, data), trace.lower())
    roots = build_tree(spans, trace.lower())
    run.output.result({"trace_id": trace.lower(), "spans": spans}, "\n".join(render_tree(roots)))


async def fetch_spans(address: str, trace: str) -> list[dict[str, Any]]:
    """Return the spans of a trace and of those that link to it.

    Raises Failure: exit code 3 when the trace is not known, 5 when the collector does not answer.
    """
    import asyncio

    return await asyncio.to_thread(_fetch, address, trace)


def _address(run: Invocation, data: Path | None) -> str:
    if data is not None:
        try:
            return str(json.loads((data / "platform.json").read_text(encoding="utf-8"))["traces"])
        except (OSError, ValueError, KeyError):
            raise Failure(5, "trace.no_platform", path=data) from None
    address = run.profile().traces
    if not address:
        raise Failure(2, "trace.no_address")
    return address


def _fetch(address: str, trace: str) -> list[dict[str, Any]]:
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    if not address.startswith(("http://", "https://")):
        raise Failure(2, "trace.no_address")
    try:
        with urlopen(f"{address.rstrip('/')}/traces/{trace}", timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            spans = json.load(answer)["spans"]
    except HTTPError as error:
        # The exception is the answer and holds its connection.
        error.close()
        if error.code == 404:
            raise Failure(3, "trace.unknown", trace=trace) from None
        raise Failure(5, "trace.unavailable", address=address, why=error) from None
    except (URLError, TimeoutError, ConnectionError, ValueError, KeyError) as error:
        raise Failure(5, "trace.unavailable", address=address, why=error) from None
    return list(spans)
