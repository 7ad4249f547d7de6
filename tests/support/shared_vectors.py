"""Public test vectors made by others, which lie beside the checkout and are not shipped with it."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("CASEMESH_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared")).resolve()


def vector_file(name: str) -> Path:
    """Return the path of `name` below the vectors folder; without that folder the test is skipped, saying so."""
    if not SHARED.is_dir():
        pytest.skip(f"public vectors are not at {SHARED}; set CASEMESH_SHARED to where they are")
    return SHARED / "vectors" / name
