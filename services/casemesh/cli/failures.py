"""What a failure looks like to the user: what went wrong, the field, the remedy, the trace; and the exit code."""

from __future__ import annotations

import asyncio
from typing import Any

from casemesh.cli.exit_codes import ExitCode, exit_code_of
from casemesh.cli.invocation import Failure, Invocation
from casemesh.cli.messages import reason_text
from casemesh.client.canonical_json import CanonicalJsonError
from casemesh.client.chains import ChainError
from casemesh.client.manifest import ManifestError
from casemesh.client.notes import NoteError
from casemesh.client.profile import ProfileError
from casemesh.client.receipts import ReceiptError
from casemesh.client.statements import StatementError
from casemesh.client.trail import TrailError
from casemesh.core.merkle import MerkleError
from casemesh.errors import CaseMeshError, InvalidArgument

_UNPROVEN = (
    ReceiptError,
    TrailError,
    StatementError,
    ManifestError,
    ChainError,
    NoteError,
    MerkleError,
    CanonicalJsonError,
)
_NO_SUCH_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError, FileExistsError)


def report(error: BaseException, invocation: Invocation) -> ExitCode:
    """Tell the user of `error` on stderr and return the exit code."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    match error:
        case CaseMeshError():
            return _report_refusal(error, invocation)
        case Failure():
            return _report(ExitCode(error.code), error.key, invocation, **error.values)
        case ProfileError():
            return _report(ExitCode.USAGE, "failure.profile", invocation, message=error)
        case KeyboardInterrupt() | asyncio.CancelledError():
            return _report(ExitCode.INTERRUPTED, "failure.interrupted", invocation)
        case _ if isinstance(error, _UNPROVEN):
            return _report(ExitCode.VERIFICATION_FAILED, "failure.unproven", invocation, message=error)
        case _ if isinstance(error, _NO_SUCH_FILE):
            return _report(ExitCode.INVALID_INPUT, "failure.file", invocation, message=error)
        case _:
            kind = type(error).__name__
            return _report(ExitCode.FAILED, "failure.other", invocation, kind=kind, message=error)


def _report_refusal(error: CaseMeshError, invocation: Invocation) -> ExitCode:
    output, code = invocation.output, exit_code_of(error)
    violations = error.violations if isinstance(error, InvalidArgument) else ()
    if output.as_json:
        output.event(
            {
                "error": error.reason,
                "message": error.message,
                "metadata": error.metadata,
                "fields": [{"field": item.field, "description": item.description} for item in violations],
                **_context(code, invocation),
            }
        )
        return code
    meaning = reason_text(error.reason, output.language)
    lines = [f"{output.text('failure.prefix')} {meaning or error.message} ({error.reason})"]
    if meaning is not None:
        lines.append(f"  {error.message}")
    lines += [f"  {item.field}: {item.description}" for item in violations]
    lines += [f"  {key}: {value}" for key, value in error.metadata.items()]
    lines.append(f"  {output.text('failure.trace', trace=invocation.trace.trace_id)}")
    if code is ExitCode.UNAVAILABLE and invocation.request_id:
        lines.append(f"  {output.text('failure.repeat', request_id=invocation.request_id)}")
    output.complain("\n".join(lines))
    return code


def _report(code: ExitCode, key: str, invocation: Invocation, /, **values: object) -> ExitCode:
    output = invocation.output
    message = output.text(key, **values)
    if output.as_json:
        output.event({"error": key, "message": message, **_context(code, invocation)})
    else:
        output.complain(f"{output.text('failure.prefix')} {message}")
    return code


def _context(code: ExitCode, invocation: Invocation) -> dict[str, Any]:
    context: dict[str, Any] = {"exit_code": int(code), "trace_id": invocation.trace.trace_id}
    if invocation.request_id:
        context["request_id"] = invocation.request_id
    return context
