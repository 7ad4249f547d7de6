"""Where a version stands among the versions of its dossier: its parent, and what it has that the parent has not.

In a manifest of format 2, beside the fields of format 1:

    {"revision", "internal", "parent": null or {"version", "root_hash"},
     "changes": null or {"added_count", "removed_count", "replaced_count",
                         "added": [{"volume", "file_name"}, ...], "removed": [...], "replaced": [...]}}

A document is known by volume and file name. Replaced means: both have it, with different content. Lists are in the
order of names as UTF-8 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from casemesh.client.canonical_json import Json


class DocumentName(NamedTuple):
    """What a document is known by within a version."""

    volume: str
    file_name: str


class NamedDocument(Protocol):
    """A document with a name and a digest."""

    @property
    def volume(self) -> str: ...
    @property
    def file_name(self) -> str: ...
    @property
    def sha256(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between a version and its parent."""

    added: tuple[DocumentName, ...]
    removed: tuple[DocumentName, ...]
    replaced: tuple[DocumentName, ...]


@dataclass(frozen=True, slots=True)
class Parent:
    """The version that another supplements; ``root_hash`` is 32 bytes."""

    version: str
    root_hash: bytes


@dataclass(frozen=True, slots=True)
class Lineage:
    """``revision`` counts the dossier's versions from 1. An ``internal`` version stays inside its agency.

    ``parent`` and ``changes`` are None for the first version, and there only.
    """

    revision: int
    internal: bool
    parent: Parent | None = None
    changes: Changes | None = None

    def __post_init__(self) -> None:
        if self.revision < 1 or (self.parent is None) != (self.changes is None):
            raise ValueError("a version has a parent and changes, or neither")


def changes_between(before: Iterable[NamedDocument], after: Iterable[NamedDocument]) -> Changes:
    """What became of documents between two versions."""
    old = {DocumentName(document.volume, document.file_name): document.sha256 for document in before}
    new = {DocumentName(document.volume, document.file_name): document.sha256 for document in after}
    return Changes(
        _ordered(new.keys() - old.keys()),
        _ordered(old.keys() - new.keys()),
        _ordered(name for name in old.keys() & new.keys() if old[name] != new[name]),
    )


def lineage_fields(lineage: Lineage) -> dict[str, Json]:
    """The fields that format 2 adds."""
    parent, changes = lineage.parent, lineage.changes
    return {
        "revision": lineage.revision,
        "internal": lineage.internal,
        "parent": None if parent is None else {"version": parent.version, "root_hash": parent.root_hash.hex()},
        "changes": None
        if changes is None
        else {
            "added_count": len(changes.added),
            "removed_count": len(changes.removed),
            "replaced_count": len(changes.replaced),
            "added": _spelled(changes.added),
            "removed": _spelled(changes.removed),
            "replaced": _spelled(changes.replaced),
        },
    }


def parse_lineage(value: Any) -> Lineage:
    """The lineage in a manifest. Raises KeyError, TypeError, ValueError."""
    parent, changes = value["parent"], value["changes"]
    return Lineage(
        int(value["revision"]),
        bool(value["internal"]),
        None if parent is None else Parent(str(parent["version"]), bytes.fromhex(parent["root_hash"])),
        None
        if changes is None
        else Changes(*(tuple(map(_name_of, changes[kind])) for kind in ("added", "removed", "replaced"))),
    )


def _ordered(names: Iterable[DocumentName]) -> tuple[DocumentName, ...]:
    return tuple(sorted(names, key=lambda name: (name.volume.encode(), name.file_name.encode())))


def _spelled(names: Iterable[DocumentName]) -> list[Json]:
    return [{"volume": name.volume, "file_name": name.file_name} for name in names]


def _name_of(item: Any) -> DocumentName:
    return DocumentName(str(item["volume"]), str(item["file_name"]))
