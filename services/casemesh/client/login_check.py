"""Whether the officer at this terminal is who the profile says: the agency's own check, run again when it is due.

CaseMesh holds no passwords. A profile names the command by which the agency tells who sits there (`su`, a card
reader's, a directory's); it exits with 0 when the officer proved to be that one. A login is remembered beside the
profiles, so that the next command need not ask again, for as long as the platform takes it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from casemesh.client.login_assertion import OfficerLogin
from casemesh.client.profile import Profile, ProfileError

# The platform takes no login older than this; one that is remembered longer is of no use.
_REMEMBERED_SECONDS = 24 * 3600
_STDERR = 2


class LoginSource(Protocol):
    """What a session knows of its officer's login. A system that has logins of its own hands them to its sessions."""

    def current(self) -> OfficerLogin | None:
        """Return the last login, or None when there is none to state."""
        ...

    async def again(self) -> OfficerLogin:
        """Let the officer log in anew, because an act asks for it.

        Raises ProfileError when that cannot be done, or was not him.
        """
        ...


class LoginCheck:
    """The profile's `login_check`, and what it found last. Without `remembered` that is forgotten with this object."""

    def __init__(
        self, profile: Profile, remembered: Path | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        self._profile = profile
        self._remembered = remembered
        self._now = now
        self._login: OfficerLogin | None = None

    def current(self) -> OfficerLogin | None:
        """Return the last login of less than 24 hours ago, or None."""
        login = self._login or self._recall()
        return login if login is not None and 0 <= self._now() - login.auth_time < _REMEMBERED_SECONDS else None

    async def again(self) -> OfficerLogin:
        """Run the check on this terminal and return the login.

        Raises ProfileError when the profile names no check, it cannot be run, or it says no.
        """
        command = self._profile.login_command()
        if not command:
            raise ProfileError(
                f"profile {self._profile.name}: this asks for a fresh login; name the agency's check as `login_check`"
            )
        try:
            # What the check says to the officer stays out of a result that a program reads.
            ended = await asyncio.to_thread(subprocess.run, command, check=False, stdout=_STDERR)
        except OSError as error:
            raise ProfileError(f"profile {self._profile.name}: `login_check`: {error}") from error
        if ended.returncode != 0:
            raise ProfileError(f"profile {self._profile.name}: the login failed; `login_check` did not end with 0")
        self._login = OfficerLogin(self._now(), self._profile.login_level)
        self._remember(self._login)
        return self._login

    def forget(self) -> None:
        """Forget the login: the officer leaves."""
        self._login = None
        if self._remembered is not None:
            self._remembered.unlink(missing_ok=True)

    def _recall(self) -> OfficerLogin | None:
        if self._remembered is None:
            return None
        try:
            kept = json.loads(self._remembered.read_text(encoding="utf-8"))
            auth_time = float(kept.pop("auth_time"))
            # Of another officer, another check or another level, it says nothing of this one.
            return OfficerLogin(auth_time, self._profile.login_level) if kept == self._made_by() else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProfileError(f"{self._remembered}: {error}; remove the file and log in again") from error

    def _remember(self, login: OfficerLogin) -> None:
        if self._remembered is None:
            return
        self._remembered.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept = {**self._made_by(), "auth_time": login.auth_time}
        temporary = self._remembered.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(kept), encoding="utf-8")
        temporary.replace(self._remembered)

    def _made_by(self) -> dict[str, str]:
        of = self._profile
        return {"officer": of.officer, "check": of.login_check, "level": of.login_level}


def remembered_login(folder: Path, profile: Profile) -> Path:
    """Return where the last login of a profile is remembered, in a configuration folder."""
    return folder / "logins" / f"{profile.name}.json"
