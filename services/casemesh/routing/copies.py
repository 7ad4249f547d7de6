"""Copies (抄送): who else may be told of an exchange."""

from __future__ import annotations

from collections.abc import Sequence

from casemesh.errors import FailedPrecondition, FieldViolation, InvalidArgument
from casemesh.routing.obligation_store import ObligationStore


async def require_copies(
    obligations: ObligationStore, case: str, sender: str, recipient: str, copies_to: Sequence[str]
) -> None:
    """Check that each copy goes to another agency that takes part in the case already: a copy informs, it brings nobody
    in.

    Raises InvalidArgument (FIELD_INVALID); FailedPrecondition (COPY_NOT_PARTICIPANT).
    """
    if not copies_to:
        return
    if len({sender, recipient, *copies_to}) != len(copies_to) + 2:
        rule = "must name other agencies than sender and recipient, each once"
        raise InvalidArgument("FIELD_INVALID", f"copies_to {rule}", violations=[FieldViolation("copies_to", rule)])
    strangers = await obligations.strangers(case, copies_to)
    if strangers:
        raise FailedPrecondition(
            "COPY_NOT_PARTICIPANT",
            "a copy goes only to agencies that take part in the case; submit an exchange to bring one in",
            {"agency": strangers[0]},
        )
