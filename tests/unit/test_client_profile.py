"""Profiles are read strictly and never overwritten by mistake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from casemesh.client.profile import (
    Profile,
    ProfileError,
    choose_profile,
    config_folder,
    list_profiles,
    read_profile,
    write_profile,
)

OFFICER = "agencies/01900000-0000-7000-8000-000000000001/officers/01900000-0000-7000-8000-000000000002"


def profile(tmp_path: Path, name: str = "police") -> Profile:
    return Profile(name, "127.0.0.1:8443", tmp_path / "certificate", officer=OFFICER)


def write(folder: Path, name: str, text: str) -> None:
    (folder / "profiles").mkdir(exist_ok=True, parents=True)
    (folder / "profiles" / f"{name}.toml").write_text(text)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    written = replace(profile(tmp_path), signing_roots=tmp_path / "ca.pem", traces="http://127.0.0.1:9")
    write_profile(tmp_path, written)
    assert read_profile(tmp_path, "police") == written


def test_a_profile_is_not_overwritten_unasked(tmp_path: Path) -> None:
    write_profile(tmp_path, profile(tmp_path))
    with pytest.raises(ProfileError, match="exists"):
        write_profile(tmp_path, replace(profile(tmp_path), gateway="other:1"))
    assert read_profile(tmp_path, "police").gateway == "127.0.0.1:8443"

    write_profile(tmp_path, replace(profile(tmp_path), gateway="other:1"), replace=True)
    assert read_profile(tmp_path, "police").gateway == "other:1"
    assert [path.name for path in (tmp_path / "profiles").iterdir()] == ["police.toml"]


def test_paths_are_relative_to_the_profile(tmp_path: Path) -> None:
    write(tmp_path, "p", 'gateway = "h:1"\ncertificate = "../certificate"')
    assert read_profile(tmp_path, "p").certificate.resolve() == tmp_path / "certificate"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('certificate = "c"', "`gateway` is missing"),
        ('gateway = "h:1"', "`certificate` is missing"),
        ('gateway = "h:1"\ncertificate = "c"\ngatway = "h"', "unknown field 'gatway'"),
        ('gateway = "h"\ncertificate = "c"', "`gateway` must be host:port"),
        ('gateway = "h:1"\ncertificate = 3', "`certificate` must be a string"),
        ('gateway = "h:1"\ncertificate = "c"\nofficer = "officers/7"', "`officer`"),
        ('gateway = "h:1"\ncertificate = "c"\nlog_key = "x+y"', "`log_key`"),
        ('gateway = "h:1"\ncertificate = "c"\ntraces = "file:///etc"', "`traces`"),
        ("gateway = ", "p.toml"),
    ],
)
def test_a_wrong_profile_is_refused_naming_the_field(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, "p", text)
    with pytest.raises(ProfileError, match=said):
        read_profile(tmp_path, "p")


@pytest.mark.parametrize("name", ["", "../p", "a/b", "-p", "p" * 65])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProfileError, match="profile name"):
        write_profile(tmp_path, profile(tmp_path, name))


def test_the_profile_asked_for_comes_first_then_the_environments_then_default_then_the_only_one(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="no profile"):
        choose_profile(tmp_path, environ={})
    write_profile(tmp_path, profile(tmp_path, "police"))
    assert choose_profile(tmp_path, environ={}).name == "police"
    write_profile(tmp_path, profile(tmp_path, "court"))
    with pytest.raises(ProfileError, match="court, police"):
        choose_profile(tmp_path, environ={})
    write_profile(tmp_path, profile(tmp_path, "default"))
    assert choose_profile(tmp_path, environ={}).name == "default"
    assert choose_profile(tmp_path, environ={"CASEMESH_PROFILE": "court"}).name == "court"
    assert choose_profile(tmp_path, "police", {"CASEMESH_PROFILE": "court"}).name == "police"
    assert list_profiles(tmp_path) == ["court", "default", "police"]


def test_a_certificate_folder_that_lacks_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "certificate").mkdir()
    (tmp_path / "certificate" / "tls.pem").touch()
    with pytest.raises(ProfileError, match=r"tls\.key cannot be read"):
        profile(tmp_path).credentials()


def test_the_environment_moves_the_folder(tmp_path: Path) -> None:
    assert config_folder({"CASEMESH_CONFIG": "/x", "XDG_CONFIG_HOME": "/y"}) == Path("/x")
    assert config_folder({"XDG_CONFIG_HOME": "/y"}) == Path("/y/casemesh")
    assert config_folder({}) == Path.home() / ".config" / "casemesh"
