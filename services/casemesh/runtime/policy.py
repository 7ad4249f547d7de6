"""The vocabulary of the policy tables: for each RPC, who may call it, how the caller proves itself, which right it
needs on which case and what is written to the log.

A method without a row is refused; a test walks all RPCs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from casemesh.identity.v1 import case_access_pb2
from casemesh.runtime.peers import Peer


class Proof(Enum):
    """What a caller must bring besides its own certificate."""

    BOUND_TOKEN = auto()
    """Through the gateway: a token bound to the certificate that the gateway saw (RFC 8705)."""
    FORWARDED_CERTIFICATE = auto()
    """Through the gateway: that certificate alone, e.g. to get a token."""
    RELAYED_TOKEN = auto()
    """From a service: the token of the one it acts for. Signature, end and caller are checked, not the binding."""
    NOTHING = auto()
    """From a service or the operator, acting as itself; an officer it names is data."""


class Subject(Enum):
    """Whose token it must be."""

    ANY = auto()
    OFFICER = auto()
    SYSTEM = auto()


@dataclass(frozen=True)
class OnCase:
    """A right on the case that a request leads to.

    `field` holds a resource name. `resource` names the locator that turns it into its case; "case" means that the
    field is the case itself.
    """

    permission: case_access_pb2.CasePermission
    field: str
    resource: str = "case"


@dataclass(frozen=True)
class MethodPolicy:
    """One row of a policy table."""

    callers: Mapping[Peer, Proof]
    """Who may call, and what each must bring."""
    subject: Subject = Subject.ANY
    """Whose token it must be, where there is one."""
    on_case: OnCase | None = None
    """The right needed. None: the method concerns no case, or its handler filters what it returns by the caller's
    rights."""
    audited: str = ""
    """The action written to the log when the method succeeds; empty when it changes and reveals nothing."""
    fresh_login: bool = False
    """The act binds a person: an officer who calls must have logged in a short while ago, as his agency states under
    its signature. A system acting for itself has no login and is not asked."""
    reads_content: bool = False
    """It shows a dossier's content or a trail: an officer states the purpose, and the reading counts against his
    limits. Needs `on_case`."""
    handler_checks_stream: bool = False
    """The handler holds every message after the first to rules of its own, stricter than the field rules: an upload has
    tens of thousands of frames, and checking each twice shows in its speed."""


PolicyTable = Mapping[str, MethodPolicy]
"""Rows by `package.Service/Method`."""

CaseLocator = Callable[[str], Awaitable[str | None]]
"""Turns a resource name into its case, or None when there is no such resource."""


def field_value(request: Any, path: str) -> str:
    """Return the string at a dotted path of a message, e.g. `open.dossier`."""
    value: Any = request
    for part in path.split("."):
        value = getattr(value, part)
    return str(value)


AGENCY_WITH_TOKEN: Mapping[Peer, Proof] = {Peer.GATEWAY: Proof.BOUND_TOKEN}
"""The callers of a method that agencies reach through the gateway."""
