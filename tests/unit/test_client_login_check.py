"""The agency's own check of a login: when it is run, what is remembered of it and for whom."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from casemesh.client.login_assertion import OfficerLogin
from casemesh.client.login_check import LoginCheck, remembered_login
from casemesh.client.profile import Profile, ProfileError, check_profile, read_profile, write_profile

AGENCY = "agencies/01900000-0000-7000-8000-000000000001"
OFFICER = f"{AGENCY}/officers/01900000-0000-7000-8000-000000000002"
COLLEAGUE = f"{AGENCY}/officers/01900000-0000-7000-8000-000000000003"


def asking(tmp_path: Path, status: int = 0) -> str:
    """A check that leaves a mark each time it asks, talks, and ends with `status`."""
    script = tmp_path / "check.py"
    script.write_text(
        f"import sys; open({str(tmp_path / 'asked')!r}, 'a').write('x'); print('password?'); sys.exit({status})"
    )
    return shlex.join([sys.executable, str(script)])


def asked(tmp_path: Path) -> int:
    mark = tmp_path / "asked"
    return len(mark.read_text()) if mark.exists() else 0


def profile(tmp_path: Path, **changes: str) -> Profile:
    values = {"officer": OFFICER, "login_level": "two-factor", **changes}
    if "login_check" not in values:
        values["login_check"] = asking(tmp_path)
    return Profile("desk", "127.0.0.1:8443", tmp_path / "certificate", **values)


async def test_nothing_is_stated_until_the_officer_passed_the_check(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    check = LoginCheck(profile(tmp_path), now=lambda: 1000.0)
    assert check.current() is None
    assert OfficerLogin(1000.0, "two-factor") == await check.again()
    assert OfficerLogin(1000.0, "two-factor") == check.current()
    assert asked(tmp_path) == 1
    said = capfd.readouterr()
    assert ("", "password?\n") == (said.out, said.err)


async def test_a_login_is_remembered_for_the_next_command_a_day_at_most_until_it_is_ended(tmp_path: Path) -> None:
    desk = profile(tmp_path)
    kept = remembered_login(tmp_path, desk)
    await LoginCheck(desk, kept, now=lambda: 1000.0).again()
    assert OfficerLogin(1000.0, "two-factor") == LoginCheck(desk, kept, now=lambda: 1200.0).current()
    assert LoginCheck(desk, kept, now=lambda: 1000.0 + 86_400).current() is None
    # A clock that was turned back does not make it a login of the future.
    assert LoginCheck(desk, kept, now=lambda: 999.0).current() is None
    LoginCheck(desk, kept).forget()
    assert LoginCheck(desk, kept, now=lambda: 1200.0).current() is None


@pytest.mark.parametrize(
    "changes",
    [{"officer": COLLEAGUE}, {"login_check": "true"}, {"login_level": "certificate"}],
    ids=["officer", "check", "level"],
)
async def test_a_login_of_a_colleague_by_another_check_or_at_another_level_states_nothing(
    tmp_path: Path, changes: dict[str, str]
) -> None:
    desk = profile(tmp_path)
    kept = remembered_login(tmp_path, desk)
    await LoginCheck(desk, kept, now=lambda: 1000.0).again()
    assert LoginCheck(replace(desk, **changes), kept, now=lambda: 1001.0).current() is None


@pytest.mark.parametrize("command", ["", "no-such-program-anywhere", "su -c 'true"])
async def test_without_a_check_that_runs_there_is_no_login(tmp_path: Path, command: str) -> None:
    check = LoginCheck(profile(tmp_path, login_check=command))
    with pytest.raises(ProfileError, match="login_check"):
        await check.again()
    assert check.current() is None


async def test_a_check_that_says_no_is_no_login(tmp_path: Path) -> None:
    desk = profile(tmp_path, login_check=asking(tmp_path, status=1))
    check = LoginCheck(desk, remembered_login(tmp_path, desk))
    with pytest.raises(ProfileError, match="failed"):
        await check.again()
    assert check.current() is None
    assert asked(tmp_path) == 1


@pytest.mark.parametrize("text", ["{", "[]", '"1"', "{}"])
def test_a_remembered_login_that_does_not_read_names_its_file(tmp_path: Path, text: str) -> None:
    kept = tmp_path / "login.json"
    kept.write_text(text)
    with pytest.raises(ProfileError, match=r"login\.json"):
        LoginCheck(profile(tmp_path), kept).current()


def test_a_profile_keeps_its_check_and_refuses_one_that_states_nobodys_login(tmp_path: Path) -> None:
    written = profile(tmp_path)
    write_profile(tmp_path, written)
    assert read_profile(tmp_path, "desk") == written
    with pytest.raises(ProfileError, match="officer"):
        check_profile(profile(tmp_path, officer=""), "here")
    with pytest.raises(ProfileError, match="login_check"):
        check_profile(profile(tmp_path, login_check="su -c 'true"), "here")
    with pytest.raises(ProfileError, match="login_level"):
        check_profile(profile(tmp_path, login_level="trust-me"), "here")
