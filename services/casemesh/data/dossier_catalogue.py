"""Types of documents and the volumes of a dossier they belong to (文书类型, 卷)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from casemesh.data.catalogue import organ_kinds
from casemesh.data.tables import ShippedDataError, rows

_TYPES = "document_types.csv"
_VOLUMES = "dossier_volumes.csv"
_TYPE_COLUMNS = [
    "code",
    "name",
    "aliases",
    "volume",
    "section",
    "issuer",
    "scope",
    "transferable",
    "evidence_kind",
    "generic",
    "patterns",
    "note",
    "review",
]
_VOLUME_COLUMNS = ["code", "name_zh", "name_en", "transferable", "note"]
_TYPE_CODE = re.compile(r"[A-Z][0-9]{3}[A-Z]?")
_SCOPES = {"case", "person", "item", "volume"}
_YES_NO = {"yes": True, "no": False}
# Besides the kinds of organ: the platform itself, and parties or anyone else.
_OTHER_ISSUERS = {"PT", "QT"}
_EVIDENCE_KINDS = {"", *"12345678"}


@dataclass(frozen=True, slots=True)
class Volume:
    """A kind of volume, e.g. `C`, the police working volume (侦查工作卷). One not `transferable` never crosses."""

    code: str
    name_zh: str
    name_en: str
    transferable: bool
    note: str


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A type of document (文书类型), e.g. `E023`, the indictment (起诉书).

    `name` and `aliases` are what its title line says, without blanks; no two types share one. A name whose last part
    stands in brackets is the type's where both parts stand together: 询问笔录(证人). `patterns` are regular expressions
    over a title without blanks, for what names cannot say. `volume` is the code of a Volume: where the document lies as
    a rule. `issuer` is a code of OrganKind, PT (the platform) or QT (a party or anyone else). `scope` says what one
    document is about: case, person, item, volume. `evidence_kind` is the number in the list of evidence of the law, 1
    to 8, or None for what is no evidence. A `generic` type is what documents of narrower types call themselves, too, as
    a ruling of reduction calls itself a criminal ruling (刑事裁定书). A type that is not `transferable` never crosses,
    in whatever volume it lies.

    Source: kinds of evidence, Criminal Procedure Law of the PRC (2018), article 50.
    """

    code: str
    name: str
    aliases: tuple[str, ...]
    volume: str
    section: str
    issuer: str
    scope: str
    transferable: bool
    evidence_kind: int | None
    generic: bool
    patterns: tuple[re.Pattern[str], ...]
    note: str
    review: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Types and volumes by code, in the order in which a table of contents lists them."""

    types: Mapping[str, DocumentType]
    volumes: Mapping[str, Volume]


@cache
def load() -> Catalogue:
    """Return the shipped catalogue, checked.

    Codes, names and aliases are unique; every type's volume and issuer exist; patterns compile. Raises
    ShippedDataError with file, line and field where that does not hold.
    """
    volumes = _volumes()
    issuers = {kind.code for kind in organ_kinds()} | _OTHER_ISSUERS
    types: dict[str, DocumentType] = {}
    names: dict[str, str] = {}
    for line, row in rows(_TYPES, _TYPE_COLUMNS):
        kind = _type(line, row, volumes, issuers)
        if kind.code in types:
            raise ShippedDataError(_TYPES, line, "code", f"repeated: {kind.code}")
        for name in (kind.name, *kind.aliases):
            if not name or name in names:
                raise ShippedDataError(_TYPES, line, "aliases", f"empty or of {names.get(name)} too: {name!r}")
            names[name] = kind.code
        types[kind.code] = kind
    return Catalogue(MappingProxyType(types), MappingProxyType(volumes))


def _volumes() -> dict[str, Volume]:
    found: dict[str, Volume] = {}
    for line, row in rows(_VOLUMES, _VOLUME_COLUMNS):
        if not row["code"] or row["code"] in found:
            raise ShippedDataError(_VOLUMES, line, "code", f"empty or repeated: {row['code']!r}")
        if row["transferable"] not in _YES_NO:
            raise ShippedDataError(_VOLUMES, line, "transferable", f"{row['transferable']!r}: neither yes nor no")
        found[row["code"]] = Volume(
            row["code"], row["name_zh"], row["name_en"], _YES_NO[row["transferable"]], row["note"]
        )  # fmt: skip
    return found


def _type(line: int, row: dict[str, str], volumes: Mapping[str, Volume], issuers: set[str]) -> DocumentType:
    def require(field: str, holds: bool, rule: str) -> None:
        if not holds:
            raise ShippedDataError(_TYPES, line, field, f"{row[field]!r}: {rule}")

    require("code", _TYPE_CODE.fullmatch(row["code"]) is not None, "a letter and three digits")
    require("volume", row["volume"] in volumes, f"not in {_VOLUMES}")
    require("section", bool(row["section"]), "empty")
    require("issuer", row["issuer"] in issuers, "no kind of organ")
    require("scope", row["scope"] in _SCOPES, "unknown scope")
    require("transferable", row["transferable"] in _YES_NO, "neither yes nor no")
    require("generic", row["generic"] in _YES_NO, "neither yes nor no")
    require("evidence_kind", row["evidence_kind"] in _EVIDENCE_KINDS, "not 1 to 8")
    try:
        patterns = tuple(re.compile(pattern) for pattern in _list(row["patterns"]))
    except re.error as error:
        raise ShippedDataError(_TYPES, line, "patterns", f"{row['patterns']!r}: {error}") from None
    return DocumentType(
        code=row["code"],
        name=row["name"],
        aliases=_list(row["aliases"]),
        volume=row["volume"],
        section=row["section"],
        issuer=row["issuer"],
        scope=row["scope"],
        transferable=_YES_NO[row["transferable"]],
        evidence_kind=int(row["evidence_kind"]) if row["evidence_kind"] else None,
        generic=_YES_NO[row["generic"]],
        patterns=patterns,
        note=row["note"],
        review=row["review"],
    )


def _list(field: str) -> tuple[str, ...]:
    return tuple(part for part in field.split(";") if part)
