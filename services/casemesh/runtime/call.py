"""The call in hand: who calls, with which right, in which trace.

Handlers find it with `current_call()`; the pipeline fills it in before they run.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field

from casemesh.client.purpose import Purpose
from casemesh.runtime.peers import Peer


@dataclass(frozen=True)
class Caller:
    """The agency's side behind a call, as its verified token says.

    `officer` is None when a system acts for itself. `token` is kept only to relay it to services whose policy lists us.
    """

    agency: str
    system: str
    officer: str | None
    token: str = field(repr=False)
    expires_at: float
    """Unix seconds after which the token opens no new call."""
    certificate: bytes | None = None
    """SHA-256 of the certificate the token is bound to; every token that was verified has one."""
    auth_time: float = 0.0
    """Unix seconds, by identity's clock, when the officer logged in; of a system acting for itself, when it got the
    token."""
    acr: str = ""
    """How the officer logged in; see `tokens.ACR_RANKS`."""
    login: str = ""
    """SHA-256 of the assertion that states the login, in hexadecimal; empty when none does."""

    @property
    def subject(self) -> str:
        """The officer, or the system acting for itself."""
        return self.officer or self.system


@dataclass
class Call:
    """One call from its first byte to its last."""

    method: str
    """`package.Service/Method`."""
    peer: Peer | None = None
    """Who stands at the other end of the connection. None until authenticated."""
    peer_name: str = ""
    """The peer's own name, which for an administrator says more than `peer`."""
    caller: Caller | None = None
    """The agency's side. None when the policy asks for no token."""
    client_fingerprint: bytes | None = None
    """SHA-256 of the agency's certificate as the gateway saw it. None unless the peer is the gateway."""
    case: str | None = None
    """The case the call was authorised on."""
    basis: str = ""
    """The rule and fact the authorisation rests on."""
    login: str = ""
    """The digest of the statement of the officer's login, where the policy asks for a fresh one."""
    purpose: Purpose | None = None
    """Why content is read, where the policy asks for it."""
    reading: str = ""
    """The identifier under which that reading was counted; its event has it, too."""
    through_agency: str = ""
    """The agency whose view of the case is shown, where the right rests on that agency's grant alone."""
    trace_id: str = ""
    """W3C trace id, 32 hexadecimal digits."""
    traceparent: str = ""
    """What is sent on, and stored in the outbox."""

    @property
    def viewing_agency(self) -> str:
        """The agency whose dossiers the caller may see: its own, or one that let it see the case."""
        return self.through_agency or self.require_caller().agency

    def require_caller(self) -> Caller:
        """Return the agency's side, which the policy of the method guarantees."""
        if self.caller is None:
            raise RuntimeError(f"{self.method} has no caller: its policy asks for no token")
        return self.caller


_current: ContextVar[Call] = ContextVar("casemesh_call")


def current_call() -> Call:
    """Return the call in hand.

    Raises LookupError outside a call.
    """
    return _current.get()


def enter(call: Call) -> None:
    """Make `call` the call in hand for the rest of this task."""
    _current.set(call)
