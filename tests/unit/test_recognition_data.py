"""The catalogue of types keeps its own rules, and lost nothing of what it was made from."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from casemesh.data import ShippedDataError, dossier_catalogue, tables

SHARED = Path(os.environ.get("CASEMESH_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared")).resolve()


@pytest.fixture
def fresh() -> Any:
    dossier_catalogue.load.cache_clear()
    yield
    dossier_catalogue.load.cache_clear()


def test_the_catalogue_has_18_volumes_and_382_types() -> None:
    catalogue = dossier_catalogue.load()
    assert (18, 382) == (len(catalogue.volumes), len(catalogue.types))
    assert {"C", "F", "H"} == {code for code, volume in catalogue.volumes.items() if not volume.transferable}


def test_a_volume_that_never_crosses_holds_no_type_that_may() -> None:
    catalogue = dossier_catalogue.load()
    assert [] == [
        kind.code
        for kind in catalogue.types.values()
        if kind.transferable and not catalogue.volumes[kind.volume].transferable
    ]


def test_no_type_was_lost_or_altered_but_where_a_review_says_so() -> None:
    source = SHARED / "domain" / "dossier_catalogue.yaml"
    if not source.is_file():
        pytest.skip(f"what this data was made from is not at {source}; set CASEMESH_SHARED to where it is")
    original = yaml.safe_load(source.read_text(encoding="utf-8"))
    ours = dossier_catalogue.load()

    assert [volume["code"] for volume in original["volumes"]] == list(ours.volumes)
    assert [kind["code"] for kind in original["document_types"]] == list(ours.types)
    for kind in original["document_types"]:
        own = ours.types[kind["code"]]
        assert (
            kind["name"], kind["volume"], kind["section"], kind["issuer"], kind["scope"], kind["transferable"],
            kind.get("evidence_kind"), kind.get("note", ""),
        ) == (
            own.name, own.volume, own.section, own.issuer, own.scope, own.transferable, own.evidence_kind, own.note,
        )  # fmt: skip
        aliases = kind.get("aliases", [])
        assert aliases == list(own.aliases[: len(aliases)])
        assert bool(own.review) == (aliases != list(own.aliases) or altered_patterns(kind, own))


def altered_patterns(kind: dict[str, Any], own: dossier_catalogue.DocumentType) -> bool:
    """Whether a pattern differs, apart from those that only spell a name with blanks."""
    names = {kind["name"], *kind.get("aliases", [])}
    spelled = {pattern.replace(r"\s*", "") for pattern in kind["title_patterns"]} - names
    return spelled != {pattern.pattern for pattern in own.patterns}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"A030,", b"A029,", r"document_types\.csv:\d+: code: repeated: A029"),
        (b",A,", b",Y,", r"document_types\.csv:\d+: volume: 'Y': not in dossier_volumes\.csv"),
        ("拘留通知书".encode(), "拘留证".encode(), r"document_types\.csv:\d+: aliases: empty or of A029 too"),
        ("^拘留证".encode(), "^(拘留证".encode(), r"document_types\.csv:\d+: patterns: .*unterminated"),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(
    fresh: None, monkeypatch: pytest.MonkeyPatch, old: bytes, new: bytes, message: str
) -> None:
    whole = tables.shipped_bytes

    def damaged(name: str) -> bytes:
        data = whole(name)
        if name == "document_types.csv":
            assert old in data
            return data.replace(old, new, 1)
        return data

    monkeypatch.setattr(tables, "shipped_bytes", damaged)
    with pytest.raises(ShippedDataError) as refused:
        dossier_catalogue.load()
    assert re.search(message, str(refused.value))
