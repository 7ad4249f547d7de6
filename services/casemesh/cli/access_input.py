"""What people type for rights, grounds and times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from casemesh.cli.invocation import Failure

if TYPE_CHECKING:
    from casemesh.identity.v1.case_access_pb2 import CasePermission

PERMISSIONS = (
    "view_progress, view_case, view_dossier, change_dossier, submit_exchange, receive_exchange, decide_exchange, "
    "manage_access, view_trail, review_access or break_glass"
)


def permission_of(text: str) -> CasePermission:
    """Return the right of a name, in whatever case.

    Raises Failure.
    """
    from casemesh.identity.v1 import case_access_pb2

    number = case_access_pb2.CasePermission.DESCRIPTOR.values_by_name.get(f"CASE_PERMISSION_{text.upper()}")
    if number is None or not number.number:
        raise Failure(2, "input.permission", text=text, known=PERMISSIONS)
    return cast("CasePermission", number.number)


def permissions_of(texts: Iterable[str]) -> list[CasePermission]:
    """Return the rights of these names.

    Raises Failure.
    """
    return [permission_of(text) for text in texts]


def at_time(given: datetime | None) -> datetime | None:
    """Return a moment as typed, which is in UTC."""
    return given.replace(tzinfo=UTC) if given is not None else None
