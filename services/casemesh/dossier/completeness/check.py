"""The completeness check before a dossier leaves (预检): from what it holds and a node's rules to findings. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from casemesh.data.dossier_catalogue import load
from casemesh.data.required_documents import CompletenessRule
from casemesh.dossier.completeness.order import longest_in_order, places_in_volumes
from casemesh.dossier.completeness.rules import NodeRules
from casemesh.dossier.never_crosses import never_crosses, type_never_crosses

# What a person acts on first comes first; what was not looked at yet comes last, since there may be thousands.
KINDS: Final = (
    "NEVER_CROSSES",
    "MISSING",
    "EMPTY",
    "UNREADABLE",
    "DUPLICATE",
    "OUT_OF_ORDER",
    "PAGE_COUNT",
    "UNCLASSIFIED",
    "NOT_EXAMINED",
)
# What was found, and what to do.
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "NEVER_CROSSES": (
        "a document of this kind, or in a volume of this name, never leaves the agency",
        "take it out, or finalise the dossier as internal; correct its type where it is something else",
    ),
    "MAY_NEVER_CROSS": (
        "it may be of a kind that never leaves the agency; the guess is not sure",
        "look at it, and take it out or correct its type",
    ),
    "EMPTY": ("the file has no bytes or no pages", "send the document itself, or take it out"),
    "UNREADABLE": ("the file cannot be read", "put a readable copy in its place, or say in the case why there is none"),
    "ENCRYPTED": ("the file opens with a password alone", "put a copy without a password in its place"),
    "NOT_EXAMINED": ("not examined yet; nothing is said about its content", "ask again in a while"),
    "TOO_LARGE_TO_EXAMINE": ("too large to be examined; nothing is said about its content", "look at it yourself"),
    "OUT_OF_ORDER": ("it does not stand where the catalogue files it", "move it to the documents of its kind"),
    "UNCLASSIFIED": ("no type of the catalogue was found for it", "say what it is: correct its type"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as the check sees it.

    `confidence` is 1 for an officer's word, 0 without a type; `type_settled` says that an officer has spoken, also
    where that left it without a type. `found_page_count` is 0 and `problems` empty until it was `examined`. `parties`
    are resource names; none means all.
    """

    index: int
    document: str
    volume: str
    file_name: str
    size_bytes: int
    sha256: bytes | None
    stated_page_count: int
    type_code: str = ""
    confidence: float = 0.0
    type_settled: bool = False
    examined: bool = False
    found_page_count: int = 0
    problems: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One result. `index` and `document` are None and "" where it is about no document there is."""

    kind: str
    blocking: bool
    detail: str
    remedy: str
    index: int | None = None
    document: str = ""
    type_code: str = ""
    type_name: str = ""
    party: str = ""


def check(entries: Iterable[Entry], rules: NodeRules, parties: Sequence[str] = ()) -> list[Finding]:
    """Return what was found: blocking findings first, then by kind, then by place. Nothing found is an empty list.

    The order of `entries` does not matter; their indexes do. `parties` are those the package is about; what a document
    says of others does not count. With none given, what is required for each person is required once.
    """
    ordered = sorted(entries, key=lambda entry: entry.index)
    found = [
        *_never_crossing(ordered),
        *_missing(ordered, rules.required, tuple(dict.fromkeys(parties))),
        *_of_bytes(ordered, rules.blocking),
        *_duplicates(ordered, rules),
        *_out_of_order(ordered, "OUT_OF_ORDER" in rules.blocking),
        *_unclassified(ordered, "UNCLASSIFIED" in rules.blocking),
    ]
    # Stable: within a kind as they were found, so missing documents stand in the order of the rules.
    return sorted(
        found, key=lambda one: (not one.blocking, KINDS.index(one.kind), -1 if one.index is None else one.index)
    )  # fmt: skip


def _about(entry: Entry, kind: str, blocking: bool, detail: str, remedy: str) -> Finding:
    known = load().types.get(entry.type_code)
    name = known.name if known is not None else ""
    return Finding(kind, blocking, detail, remedy, entry.index, entry.document, entry.type_code, name)


def _never_crossing(entries: Sequence[Entry]) -> Iterator[Finding]:
    for entry in entries:
        if never_crosses(entry):
            yield _about(entry, "NEVER_CROSSES", True, *_TEXTS["NEVER_CROSSES"])
        elif type_never_crosses(entry.type_code):
            yield _about(entry, "NEVER_CROSSES", False, *_TEXTS["MAY_NEVER_CROSS"])


def _missing(
    entries: Sequence[Entry], required: Iterable[CompletenessRule], parties: tuple[str, ...]
) -> Iterator[Finding]:
    types = load().types
    for rule in required:
        fitting = _fitting(rule, entries)
        for party in parties if rule.per_person and parties else ("",):
            there = sum(1 for entry in fitting if not party or not entry.parties or party in entry.parties)
            if there < rule.count:
                yield Finding(
                    "MISSING",
                    rule.blocking,
                    _missing_detail(rule, there),
                    "add it, or say in the case why there is none",
                    type_code=next((code for code in rule.types if code in types), ""),
                    type_name=rule.title,
                    party=party,
                )


def _fitting(rule: CompletenessRule, entries: Sequence[Entry]) -> list[Entry]:
    types = {
        kind.code for kind in load().types.values() if kind.code in rule.types or kind.volume in rule.types
    }  # fmt: skip
    # What has no type of its own is known by its name alone; a whole volume by the name it was sent under.
    untyped = [name for name in rule.names if name not in _typed_names()]
    return [
        entry
        for entry in entries
        if entry.type_code in types
        or any(name in "".join(entry.file_name.split()) for name in untyped)
        or any(name in entry.volume for name in rule.names)
    ]


@cache
def _typed_names() -> frozenset[str]:
    return frozenset(name for kind in load().types.values() for name in (kind.name, *kind.aliases))


def _missing_detail(rule: CompletenessRule, there: int) -> str:
    if not rule.types:
        return "no document's name says that it is this, and the catalogue has no type for it: look by hand"
    if rule.condition:
        return "the node requires it on a condition that only a person can judge, and it is not there"
    return f"{there} of {rule.count} found" if rule.count > 1 else "not found"


def _of_bytes(entries: Sequence[Entry], blocking: frozenset[str]) -> Iterator[Finding]:
    for entry in entries:
        kind, (detail, remedy) = _of_file(entry)
        if kind:
            yield _about(entry, kind, kind in blocking, detail, remedy)


def _of_file(entry: Entry) -> tuple[str, tuple[str, str]]:
    """The worst of what its bytes say; no kind where nothing is wrong."""
    if entry.size_bytes == 0 or "EMPTY" in entry.problems:
        return "EMPTY", _TEXTS["EMPTY"]
    for problem in ("UNREADABLE", "ENCRYPTED"):
        if problem in entry.problems:
            return "UNREADABLE", _TEXTS[problem]
    if not entry.examined:
        return "NOT_EXAMINED", _TEXTS["NOT_EXAMINED"]
    if "TOO_LARGE_TO_EXAMINE" in entry.problems:
        return "NOT_EXAMINED", _TEXTS["TOO_LARGE_TO_EXAMINE"]
    if entry.found_page_count not in (0, entry.stated_page_count):
        detail = f"{entry.stated_page_count} pages are stated, the file has {entry.found_page_count}"
        return "PAGE_COUNT", (detail, "state the pages the file has, or send the whole file")
    return "", ("", "")


def _duplicates(entries: Sequence[Entry], rules: NodeRules) -> Iterator[Finding]:
    first: dict[bytes, Entry] = {}
    again = set()
    for entry in entries:
        if entry.sha256 is None or entry.size_bytes == 0:
            continue
        earlier = first.setdefault(entry.sha256, entry)
        if earlier is not entry:
            again.add(entry.index)
            yield _about(
                entry, "DUPLICATE", "DUPLICATE" in rules.blocking,
                f"the same content as document {earlier.index}", "take one of them out",
            )  # fmt: skip
    for rule in rules.at_most:
        # A copy of the same bytes has been told already.
        held = [entry for entry in entries if entry.type_code in rule.types and entry.index not in again]
        for entry in held[rule.count :]:
            yield _about(
                entry, "DUPLICATE", rule.blocking, f"a dossier holds at most {rule.count} of its kind as a rule",
                "take out what is superseded, or leave it where the case has several",
            )  # fmt: skip


def _out_of_order(entries: Sequence[Entry], blocking: bool) -> Iterator[Finding]:
    """The fewest documents that would have to move, for each volume by itself.

    Compared are types of one volume of the catalogue that stand in one volume as sent and concern the same parties:
    an instrument of another agency filed between them, or the next suspect's papers, are not out of order.
    """
    places = places_in_volumes()
    groups: defaultdict[tuple[str, str, tuple[str, ...]], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.type_code in places:
            groups[entry.volume, entry.type_code[0], entry.parties].append(entry)
    for group in groups.values():
        kept = longest_in_order([places[entry.type_code] for entry in group])
        for position, entry in enumerate(group):
            if position not in kept:
                yield _about(entry, "OUT_OF_ORDER", blocking, *_TEXTS["OUT_OF_ORDER"])


def _unclassified(entries: Sequence[Entry], blocking: bool) -> Iterator[Finding]:
    for entry in entries:
        if not entry.type_code and not entry.type_settled:
            yield _about(entry, "UNCLASSIFIED", blocking, *_TEXTS["UNCLASSIFIED"])
