"""A data service as a TOML file: what `casemesh query publish` reads and `casemesh query template` writes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from google.protobuf import json_format

from casemesh.cli.invocation import Failure
from casemesh.routing.v1 import data_service_pb2

_TYPES = ("text", "coded", "date", "integer", "flag")


def read_data_service(path: Path) -> data_service_pb2.DataService:
    """Return the data service that a file describes, with the field names of the contract; `type` in lower case.

    Raises Failure (exit code 4) that names the place at fault.
    """
    try:
        described = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failure(4, "input.file", path=path, why=error) from None
    for part in ("question", "answer"):
        for index, field in enumerate(described.get(part, [])):
            _spell_type(path, f"{part}[{index}]", field)
    try:
        return json_format.ParseDict(described, data_service_pb2.DataService())
    except json_format.ParseError as error:
        raise Failure(4, "input.file", path=path, why=error) from None


def _spell_type(path: Path, place: str, field: Any) -> None:
    if not isinstance(field, dict) or field.get("type") not in _TYPES:
        raise Failure(4, "input.file", path=path, why=f"{place}.type must be one of {', '.join(_TYPES)}")
    field["type"] = f"PAYLOAD_FIELD_TYPE_{field['type'].upper()}"
