"""Finds the names of document types in a title."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from casemesh.data.dossier_catalogue import DocumentType
from casemesh.dossier.recognition.titles import compact

_BRACKET_AT_END: Final = re.compile(r"(.+)\((.+)\)")
_BRACKETS: Final = re.compile(r"\(.*?\)")
_WORDS: Final = re.compile(r"[^\W\d_]{2,}")
# A name behind one of these is the opposite of itself: 不起诉决定书 is no 起诉决定书.
_TURNED: Final = ("不", "不予", "未", "免予", "撤销", "撤回", "解除")
# 逮捕证 is no part of 逮捕证明 or 逮捕证据.
_LONGER_WORD: Final = ("明", "据")


class Match(NamedTuple):
    """A type named at ``start`` to ``end`` of a compact title. A name counts for more than a pattern."""

    start: int
    end: int
    code: str
    by_name: bool
    sure: bool = True

    @property
    def length(self) -> int:
        return self.end - self.start


class TypeIndex:
    """All names, aliases and patterns of the catalogue, looked up together."""

    def __init__(self, types: Mapping[str, DocumentType]) -> None:
        self._by_head: dict[str, list[tuple[str, str]]] = {}
        self._patterns: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        self._qualified: dict[str, list[tuple[str, str]]] = {}
        for kind in types.values():
            for name in (kind.name, *kind.aliases):
                self._add(name, kind.code)
            for pattern in kind.patterns:
                for pair in _pairs(pattern.pattern):
                    self._patterns.setdefault(pair, []).append((pattern, kind.code))
        for names in self._by_head.values():
            names.sort(key=lambda entry: -len(entry[0]))

    def _add(self, name: str, code: str) -> None:
        if found := _BRACKET_AT_END.fullmatch(name):
            self._qualified.setdefault(compact(found[1]), []).append((compact(found[2]), code))
        for written in {compact(name), compact(_BRACKETS.sub("", name))} if not found else {compact(name)}:
            self._by_head.setdefault(written[:2], []).append((written, code))

    def best(self, title: str) -> Match | None:
        """The type that a compact title names, or None.

        Of names that overlap the longest counts: 不批准逮捕决定书 is no 批准逮捕决定书. Of those that do not, the last:
        Chinese puts the head last, and a 刑事判决书送达回证 is a 送达回证.
        """
        taken: list[Match] = []
        for match in sorted(self._matches(title), key=lambda match: (-match.length, not match.by_name, -match.end)):
            if all(match.start >= other.end or match.end <= other.start for other in taken):
                taken.append(match)
        return max(taken, key=lambda match: match.end, default=None)

    def qualify(self, match: Match, title: str, contexts: Callable[[], Iterable[str]]) -> Match:
        """The match as the type that the first qualifier in ``contexts`` makes of it.

        One that could be qualified and is not stands for several types; it is returned as not ``sure``.
        """
        choices = self._qualified.get(title[match.start : match.end])
        if choices is None:
            return match
        for context in contexts():
            found = [(at, code) for qualifier, code in choices if (at := context.find(qualifier)) >= 0]
            if found:
                return match._replace(code=min(found)[1])
        return match._replace(sure=all(code != match.code for _, code in choices))

    def _matches(self, title: str) -> Iterator[Match]:
        patterns: dict[re.Pattern[str], str] = {}
        for start in range(len(title) - 1):
            pair = title[start : start + 2]
            patterns.update(self._patterns.get(pair, ()))
            for name, code in self._by_head.get(pair, ()):
                if title.startswith(name, start) and _stands(title, start, start + len(name)):
                    yield Match(start, start + len(name), code, True)
                    break
        for pattern, code in patterns.items():
            found = pattern.search(title)
            if found is not None and _stands(title, *found.span()):
                yield Match(*found.span(), code, False)


def _pairs(pattern: str) -> set[str]:
    """Pairs of letters of which a title holds one where the pattern matches it: each has words it cannot do without."""
    return {word[at : at + 2] for word in _WORDS.findall(pattern) for at in range(len(word) - 1)}


def _stands(title: str, start: int, end: int) -> bool:
    if title.endswith(_TURNED, 0, start):
        return False
    return not (title[end - 1] == "证" and title.startswith(_LONGER_WORD, end))
