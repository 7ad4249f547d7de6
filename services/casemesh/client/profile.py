"""Profiles: where the gateway is, with which certificate to go there, for whom, and whose signatures to trust.

A profile is a TOML file `profiles/NAME.toml` in the configuration folder: `$CASEMESH_CONFIG`, or `~/.config/casemesh`.
It holds paths of keys, never keys.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cryptography import x509

from casemesh.client.channel import Credentials
from casemesh.client.notes import NoteError, VerifierKey
from casemesh.client.purpose import Purpose, PurposeError
from casemesh.core.names import OFFICER

DEFAULT_SERVER_NAME = "gateway.casemesh.svc"
DEFAULT_PROFILE = "default"
LOGIN_LEVELS = ("password", "two-factor", "certificate")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}")


class ProfileError(ValueError):
    """A profile is missing or wrong; the message names the file, the field and the remedy."""


@dataclass(frozen=True)
class Profile:
    """One way to reach the platform."""

    name: str
    """The profile's own name."""
    gateway: str
    """`host:port` of the gateway."""
    certificate: Path
    """Folder with `tls.pem`, `tls.key` and `ca.pem`, watched: replaced files are used without a restart."""
    server_name: str = DEFAULT_SERVER_NAME
    """The name the gateway's certificate must have."""
    officer: str = ""
    """The officer to act for, `agencies/{agency}/officers/{officer}`. If unset, a workstation acts for its officer
    and a system for itself."""
    log_key: str = ""
    """The audit log's verifier key (`name+keyid+base64`), to check trails with. It must have come by another way than
    from the platform itself."""
    signing_roots: Path | None = None
    """PEM file of the roots of document signing, to check manifests and receipts with."""
    purpose: str = ""
    """For what purpose dossiers and trails are read unless a call says another, `KIND` or `KIND:WORDS`. A person says
    it anew for each piece of work; a system that always reads for one names it here."""
    traces: str = ""
    """Where `casemesh trace show` asks, `http://127.0.0.1:PORT`; only a platform on one machine has it."""
    login_check: str = ""
    """The agency's own command that tells whether the officer is at the terminal: it may ask there, and ends with 0
    when he is. Run when an act asks for a fresh login. If unset, no login is stated, and such acts are refused."""
    login_level: str = "password"
    """What the check proves: `password`, `two-factor` or `certificate`."""

    def credentials(self) -> Credentials:
        """Return the certificate's folder.

        Raises ProfileError when a file is not there.
        """
        for name in ("tls.pem", "tls.key", "ca.pem"):
            if not os.access(self.certificate / name, os.R_OK):
                raise ProfileError(
                    f"profile {self.name}: {self.certificate / name} cannot be read; `certificate` must be a "
                    "folder with tls.pem, tls.key and ca.pem"
                )
        return Credentials(self.certificate)

    def verifier_key(self) -> VerifierKey | None:
        """Return the audit log's key, or None when the profile has none.

        Raises ProfileError when it does not parse.
        """
        if not self.log_key:
            return None
        try:
            return VerifierKey.parse(self.log_key)
        except NoteError as error:
            raise ProfileError(f"profile {self.name}: `log_key`: {error}") from error

    def login_command(self) -> list[str]:
        """Return the words of `login_check`, empty when the profile names none.

        Raises ProfileError when its quotes do not close.
        """
        try:
            return shlex.split(self.login_check)
        except ValueError as error:
            raise ProfileError(f"profile {self.name}: `login_check`: {error}") from error

    def trusted_roots(self) -> list[x509.Certificate]:
        """Return the roots of document signing; empty when the profile names none.

        Raises ProfileError when the file cannot be read.
        """
        if self.signing_roots is None:
            return []
        return read_roots(self.signing_roots)


def read_roots(path: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file. Raises ProfileError naming the file when it holds none."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ProfileError(f"{path}: no certificates in PEM form can be read there") from error


def config_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that holds `profiles/`."""
    if chosen := environ.get("CASEMESH_CONFIG"):
        return Path(chosen)
    return Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "casemesh"


def list_profiles(folder: Path) -> list[str]:
    """Return the names of the profiles in a configuration folder, sorted."""
    return sorted(path.stem for path in (folder / "profiles").glob("*.toml"))


def choose_profile(folder: Path, name: str = "", environ: Mapping[str, str] = os.environ) -> Profile:
    """Return the profile `name`; without one that of `$CASEMESH_PROFILE`, else `default`, else the only one.

    Raises ProfileError.
    """
    chosen = name or environ.get("CASEMESH_PROFILE", "")
    if not chosen:
        names = list_profiles(folder)
        if not names:
            raise ProfileError(f"{folder / 'profiles'} holds no profile; make one with `casemesh profile add`")
        if DEFAULT_PROFILE not in names and len(names) > 1:
            raise ProfileError(f"choose one of the profiles {', '.join(names)} with --profile or CASEMESH_PROFILE")
        chosen = DEFAULT_PROFILE if DEFAULT_PROFILE in names else names[0]
    return read_profile(folder, chosen)


def read_profile(folder: Path, name: str) -> Profile:
    """Return one profile; paths in it are relative to its file.

    Raises ProfileError for a file that is not there, an unknown or missing field, or a value out of form.
    """
    path = _path(folder, name)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProfileError(f"{path} does not exist; make it with `casemesh profile add {name}`") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"{path}: {error}") from error
    known = {field.name for field in fields(Profile)} - {"name"}
    if unknown := sorted(set(table) - known):
        raise ProfileError(f"{path}: unknown field {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for required in ("gateway", "certificate"):
        if required not in table:
            raise ProfileError(f"{path}: `{required}` is missing")
    if wrong := next((key for key, value in table.items() if not isinstance(value, str)), None):
        raise ProfileError(f"{path}: `{wrong}` must be a string")
    values: dict[str, Any] = dict(table)
    values["certificate"] = path.parent / Path(table["certificate"]).expanduser()
    values["signing_roots"] = (
        path.parent / Path(table["signing_roots"]).expanduser() if table.get("signing_roots") else None
    )
    return check_profile(Profile(name=name, **values), str(path))


def check_profile(profile: Profile, where: str) -> Profile:
    """Return `profile` if its values have the right form; raises ProfileError that begins with `where`."""
    if _ADDRESS.fullmatch(profile.gateway) is None:
        raise ProfileError(f"{where}: `gateway` must be host:port, not {profile.gateway!r}")
    if profile.officer:
        try:
            OFFICER.parse(profile.officer)
        except ValueError as error:
            raise ProfileError(f"{where}: `officer`: {error}") from error
    if profile.login_level not in LOGIN_LEVELS:
        raise ProfileError(f"{where}: `login_level` must be one of {', '.join(LOGIN_LEVELS)}")
    if profile.login_check and not profile.officer:
        raise ProfileError(f"{where}: `login_check` needs `officer`: it says whose login is stated")
    if profile.traces and not profile.traces.startswith(("http://", "https://")):
        raise ProfileError(f"{where}: `traces` must be an http address, not {profile.traces!r}")
    if profile.purpose:
        try:
            Purpose.parse(profile.purpose)
        except PurposeError as error:
            raise ProfileError(f"{where}: `purpose`: {error}") from error
    profile.verifier_key()
    profile.login_command()
    return profile


def write_profile(folder: Path, profile: Profile, *, replace: bool = False) -> Path:
    """Write a profile's file and return its path; paths are written absolute.

    Raises ProfileError for a name out of form, and for one that is there already unless `replace`.
    """
    path = _path(folder, profile.name)
    check_profile(profile, f"profile {profile.name}")
    values = {
        "gateway": profile.gateway,
        "server_name": profile.server_name,
        "certificate": str(profile.certificate.absolute()),
        "officer": profile.officer,
        "log_key": profile.log_key,
        "signing_roots": str(profile.signing_roots.absolute()) if profile.signing_roots else "",
        "purpose": profile.purpose,
        "traces": profile.traces,
        "login_check": profile.login_check,
        "login_level": profile.login_level if profile.login_check else "",
    }
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # A JSON string is a TOML basic string.
    text = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items() if value)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    try:
        if replace:
            temporary.replace(path)
        else:
            os.link(temporary, path)
    except FileExistsError:
        raise ProfileError(f"{path} exists; give another name, or --replace") from None
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _path(folder: Path, name: str) -> Path:
    if _NAME.fullmatch(name) is None:
        raise ProfileError(f"profile name {name!r}: use 1 to 64 letters, digits, '.', '_' and '-'")
    return folder / "profiles" / f"{name}.toml"
