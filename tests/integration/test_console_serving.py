"""The console on a real port: on loopback, or over TLS to one certificate and no other."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from typer.testing import CliRunner

from casemesh.cli.main import app
from casemesh.cli.messages import Language
from casemesh.client.profile import Profile, write_profile
from casemesh.console.serving import PlaceError, listening, place_of, serve
from casemesh.pki.authority import Pki
from tests.support.console import FakePlatform, registered_case
from tests.support.pki import POLICE, SYSTEM


@asynccontextmanager
async def served(certificate: Path, tls: Path | None = None) -> AsyncIterator[str]:
    """Serve a console on a free port and give its link."""
    links: asyncio.Queue[str] = asyncio.Queue()
    bound = listening("127.0.0.1:0")
    profile = Profile(name="lin", gateway="127.0.0.1:1", certificate=certificate)
    session = FakePlatform(cases=[registered_case()]).session()
    serving = asyncio.create_task(
        serve(session, profile, bound, announce=links.put_nowait, language=Language.ENGLISH, tls=tls)
    )
    try:
        yield await links.get()
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


@pytest.fixture
def tls(mesh_pki: Pki, tmp_path: Path) -> Path:
    """A folder of a console's own: its certificate, and the CA of those who may come."""
    folder = tmp_path / "console"
    folder.mkdir()
    own = mesh_pki.layout.service("gateway")
    shutil.copy(own.certificate, folder / "tls.pem")
    shutil.copy(own.key, folder / "tls.key")
    shutil.copy(mesh_pki.layout.agency(POLICE).certificate, folder / "ca.pem")
    return folder


def client(mesh_pki: Pki, system: str | None) -> httpx2.AsyncClient:
    """Return a browser's part, with the certificate of a system of the agency or with none."""
    context = ssl.create_default_context(cafile=str(mesh_pki.layout.mesh_trust))
    if system is not None:
        files = mesh_pki.layout.system(POLICE, system)
        context.load_cert_chain(files.certificate, files.key)
    return httpx2.AsyncClient(verify=context, follow_redirects=True)


async def test_the_link_opens_the_console_on_loopback(mesh_pki: Pki) -> None:
    async with (
        served(mesh_pki.layout.system(POLICE, SYSTEM).certificate.parent) as link,
        httpx2.AsyncClient(follow_redirects=True) as browser,
    ):
        assert urlsplit(link).hostname == "127.0.0.1"
        page = await browser.get(link)
        assert page.status_code == 200
        assert "an invented theft" in page.text
        assert "server" not in page.headers


async def test_over_tls_the_profiles_own_certificate_gets_in(mesh_pki: Pki, tls: Path) -> None:
    own = mesh_pki.layout.system(POLICE, SYSTEM).certificate.parent
    async with served(own, tls) as link, client(mesh_pki, SYSTEM) as browser:
        assert link.startswith("https://localhost:")
        page = await browser.get(link)
        assert "an invented theft" in page.text
        assert [cookie.name for cookie in browser.cookies.jar if cookie.secure] == [
            f"__Host-casemesh-console-{urlsplit(link).port}"
        ]


async def test_over_tls_no_other_certificate_gets_an_answer(mesh_pki: Pki, tls: Path) -> None:
    other = mesh_pki.issue_system(POLICE, "console-other").files.certificate.parent.name
    async with served(mesh_pki.layout.system(POLICE, SYSTEM).certificate.parent, tls) as link:
        for system in (None, other):
            async with client(mesh_pki, system) as browser:
                with pytest.raises(httpx2.TransportError):
                    await browser.get(link)
        async with client(mesh_pki, SYSTEM) as browser:
            assert (await browser.get(link)).status_code == 200


def test_outside_loopback_nothing_is_served_in_the_clear() -> None:
    with listening("0.0.0.0:0") as bound, pytest.raises(PlaceError, match="--tls"):
        place_of(bound, None)


@pytest.mark.parametrize("address", ["localhost:80", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(PlaceError, match=r"127\.0\.0\.1:8600"):
        listening(address)


@pytest.mark.parametrize(("address", "code"), [("0.0.0.0:0", 2), ("localhost:0", 2), ("127.0.0.1:{taken}", 5)])
def test_the_command_says_why_it_cannot_serve_there(address: str, code: int, mesh_pki: Pki, tmp_path: Path) -> None:
    certificate = mesh_pki.layout.system(POLICE, SYSTEM).certificate.parent
    write_profile(tmp_path, Profile(name="lin", gateway="127.0.0.1:1", certificate=certificate))
    with listening("127.0.0.1:0") as taken:
        chosen = address.format(taken=taken.getsockname()[1])
        ended = CliRunner().invoke(app, ["console", "--listen", chosen], env={"CASEMESH_CONFIG": str(tmp_path)})
    assert (code, "") == (ended.exit_code, ended.stdout)
    assert chosen.partition(":")[0] in ended.stderr


def test_without_its_extra_the_command_names_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "casemesh.console.serving", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    ended = CliRunner().invoke(app, ["console"], env={"CASEMESH_CONFIG": str(tmp_path)})
    assert ended.exit_code == 2
    assert "casemesh[console]" in ended.stderr
