"""Traces as waterfalls, for those whose profile names a trace backend: who runs the platform."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from starlette.responses import Response

from casemesh.console.page import Page
from casemesh.console.waterfall import WIDTH, bars
from casemesh.errors import NotFound, Unavailable

_TIMEOUT_SECONDS = 10.0
MAX_BARS = 1000
_MAX_BYTES = 32 * 1024 * 1024
_TRACE = re.compile("[0-9a-f]{32}")


async def traces_page(page: Page) -> Response:
    """List recent traces, or go to the one that was asked for."""
    if not page.desk.profile.traces:
        return page.render("traces.html", traces=[], known=False, asked="")
    asked = page.request.query_params.get("trace", "").strip().lower()
    if asked:
        return await _one(page, asked)
    found = await asyncio.to_thread(_fetch, page.desk.profile.traces, "")
    return page.render("traces.html", traces=found["traces"], known=True, asked="")


async def trace_page(page: Page) -> Response:
    """Show one trace. Raises NotFound, Unavailable."""
    return await _one(page, page.request.path_params["trace"])


async def _one(page: Page, trace: str) -> Response:
    if not page.desk.profile.traces or _TRACE.fullmatch(trace) is None:
        raise NotFound("NOT_FOUND", "there is no such trace")
    spans = (await asyncio.to_thread(_fetch, page.desk.profile.traces, trace))["spans"]
    found = bars(spans, trace)
    whole = max((bar.start_ms + bar.took_ms for bar in found if not bar.is_linked), default=0.0)
    return page.render(
        "trace.html", trace=trace, bars=found[:MAX_BARS], left_out=len(found[MAX_BARS:]), whole_ms=whole, width=WIDTH
    )


def _fetch(address: str, trace: str) -> Any:
    try:
        # The profile takes http and https addresses alone.
        with urlopen(f"{address.rstrip('/')}/traces{'/' if trace else ''}{trace}", timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            return json.loads(answer.read(_MAX_BYTES))
    except HTTPError as error:
        # The exception is the answer and holds its connection.
        error.close()
        if error.code == 404:
            raise NotFound("NOT_FOUND", "the trace backend does not know this trace (any more)") from None
        raise Unavailable("DEPENDENCY_UNAVAILABLE", f"the trace backend answered {error.code}") from None
    except (URLError, TimeoutError, ConnectionError, ValueError) as error:
        raise Unavailable("DEPENDENCY_UNAVAILABLE", f"the trace backend does not answer: {error}") from None
