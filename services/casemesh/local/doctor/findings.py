"""What an examination says: each check's subject, whether it is well, what is wrong and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a check came out."""

    WELL = "well"
    SOON = "soon"
    """It works, and will not for long."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One check of one subject. `what` and `mend` are for people, in English and Chinese; they hold no secret."""

    check: str
    """What was looked at, e.g. `certificate`; stable, for programs."""
    subject: str
    """The service, file, peer or address it was looked at in."""
    state: State
    what: str
    mend: str = ""


def well(check: str, subject: str, what: str) -> Finding:
    """Return that nothing needs to be done."""
    return Finding(check, subject, State.WELL, what)


def soon(check: str, subject: str, what: str, mend: str) -> Finding:
    """Return what will go wrong."""
    return Finding(check, subject, State.SOON, what, mend)


def wrong(check: str, subject: str, what: str, mend: str) -> Finding:
    """Return what is wrong."""
    return Finding(check, subject, State.WRONG, what, mend)
