"""Generate the stubs under `services/` from the protos, and lay out the imports buf needs.

`python protos/generate.py` writes the stubs; `--out DIR` writes them elsewhere (the freshness test compares bytes);
`--googleapis DIR` copies the google/api, google/rpc and google/type protos of the installed package there, since buf
resolves imports from folders and the repository carries no third party's file.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
SERVICES = ROOT.parent / "services"
GOOGLE = ("api/annotations", "api/field_behavior", "api/http", "api/resource", "rpc/status", "type/date")


def googleapis_root() -> Path:
    """Return the folder that holds google/api/*.proto."""
    import google.api

    return Path(next(iter(google.api.__path__))).parent.parent


def generate(out: Path) -> None:
    """Write message stubs, their types and the gRPC stubs of every proto below this folder to `out`."""
    protos = sorted(str(path) for path in ROOT.rglob("*.proto"))
    well_known = files("grpc_tools") / "_proto"
    arguments = [
        "protoc",
        f"-I{ROOT}",
        f"-I{googleapis_root()}",
        f"-I{well_known}",
        f"--python_out={out}",
        f"--pyi_out={out}",
        f"--grpc_python_out={out}",
        f"--plugin=protoc-gen-mypy_grpc={Path(sys.executable).parent / 'protoc-gen-mypy_grpc'}",
        f"--mypy_grpc_out={out}",
        *protos,
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc failed; its messages stand above")
    for package in {Path(path).parent.relative_to(ROOT) for path in protos}:
        (out / package / "__init__.py").touch()


def write_descriptor_set(out: Path) -> None:
    """Write the descriptor set with all imports and comments, which clients in other languages generate from."""
    out.parent.mkdir(parents=True, exist_ok=True)
    protos = sorted(str(path) for path in ROOT.rglob("*.proto"))
    arguments = [
        "protoc",
        f"-I{ROOT}",
        f"-I{googleapis_root()}",
        f"-I{files('grpc_tools') / '_proto'}",
        "--include_imports",
        "--include_source_info",
        f"--descriptor_set_out={out}",
        *protos,
        # No proto of ours names them, but every failed call carries them.
        "google/rpc/error_details.proto",
    ]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc failed; its messages stand above")


def copy_googleapis(out: Path) -> None:
    """Copy the google protos our protos import to `out`."""
    for name in GOOGLE:
        target = out / "google" / f"{name}.proto"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(googleapis_root() / "google" / f"{name}.proto", target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=SERVICES, help="where to write the stubs (default: services/)")
    parser.add_argument("--googleapis", type=Path, help="only copy the google protos to this folder")
    parser.add_argument("--descriptor-set", type=Path, help="only write the descriptor set to this file")
    arguments = parser.parse_args()
    if arguments.googleapis:
        copy_googleapis(arguments.googleapis)
    elif arguments.descriptor_set:
        write_descriptor_set(arguments.descriptor_set)
    else:
        generate(arguments.out)


if __name__ == "__main__":
    sys.exit(main())
