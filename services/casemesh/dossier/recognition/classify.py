"""What type a document is, by its name and by the first lines of its text (自动分类)."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from casemesh.client.examining.findings import Line
from casemesh.data.dossier_catalogue import Catalogue
from casemesh.dossier.recognition.titles import compact, outside_brackets, stem, without_extension
from casemesh.dossier.recognition.type_index import Match, TypeIndex

_MAX_TITLE: Final = 32
# For a title that several types share, with nothing that tells them apart.
_UNSURE: Final = 0.5
_SENTENCE: Final = re.compile(r"[,，。；;：:？?]")
_ORGAN_ENDS: Final = (
    "公安局|公安分局|派出所|支队|大队|中队|人民检察院|人民法院|监狱|看守所|监察委员会|管理局|司法局|鉴定所|鉴定中心"
)
_ORGAN_END: Final = re.compile(_ORGAN_ENDS)
_ORGAN: Final = re.compile(rf".{{2,20}}?(?:{_ORGAN_ENDS})")


class Source(enum.StrEnum):
    """Where a type comes from."""

    NAME = "name"
    TEXT = "text"
    OCR = "ocr"
    RULE = "rule"
    OFFICER = "officer"


@dataclass(frozen=True, slots=True)
class Guess:
    """A type with how sure it is, from 0 to 1, and why; ``type_code`` is None where no type was found.

    ``reason`` is for a person to read, in English and Chinese.
    """

    type_code: str | None
    confidence: float
    source: Source | None
    reason: str


class _Title(NamedTuple):
    match: Match
    line: str
    clearness: float


NOTHING: Final = Guess(
    None, 0.0, None, "no type's name in the name or the text.  名称和正文均未出现文书名称"
)  # fmt: skip


class Classifier:
    """Classifies by the catalogue. Pure: the same words give the same guess."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._types = catalogue.types
        self._index = TypeIndex(catalogue.types)

    def classify(
        self,
        file_name: str,
        lines: Sequence[Line] = (),
        rules: Mapping[str, str | None] | None = None,
        source: Source = Source.TEXT,
    ) -> Guess:
        """The type of a document; ``rules`` are its agency's, by compact title."""
        ruled = _by_rule(file_name, lines, rules or {})
        if ruled is not None:
            return ruled
        named, confidence = self._by_name(file_name)
        titles = self._titles(lines, file_name)
        return self._from_text(titles, named, confidence, source) if titles else self._from_name(named, confidence)

    def title_of(self, lines: Sequence[Line]) -> str:
        """The line that stands as the title: the one that names a type, else the largest; "" where there is none."""
        titles = self._titles(lines, "")
        if titles:
            return titles[0].line
        telling = [line for line in lines if len(_without_organ(line.text)) > 1]
        return max(telling, key=lambda line: line.size).text if telling else ""

    def names_a_type(self, title: str) -> bool:
        """Whether a compact title is a type's name and nothing else."""
        match = self._index.best(title)
        return match is not None and match.length == len(title)

    def _by_name(self, file_name: str) -> tuple[Match | None, float]:
        bare = without_extension(file_name)
        whole, main = compact(bare), compact(outside_brackets(bare))
        match = self._find(whole, lambda: [whole])
        if match is not None and main != whole:
            # What stands in brackets says something about the document; it is it only where nothing else is.
            outside = self._find(main, lambda: [whole])
            if outside is not None and match.length <= outside.length:
                match = outside
        if match is None:
            return None, 0.0
        if not match.sure:
            return match, _UNSURE
        if match.length == len(stem(file_name) or whole):
            return match, 0.9
        return match, 0.8 if match.end == len(whole) or match.start == 0 else 0.65

    def _find(self, title: str, contexts: Callable[[], Iterable[str]]) -> Match | None:
        match = self._index.best(title)
        return None if match is None else self._index.qualify(match, title, contexts)

    def _titles(self, lines: Sequence[Line], file_name: str) -> list[_Title]:
        """The lines that can be the title, the clearest first."""

        def contexts() -> Iterator[str]:
            yield compact("".join(line.text for line in lines))
            yield compact(file_name)

        largest = max((line.size for line in lines), default=0.0)
        found = []
        for number, line in enumerate(lines):
            # A long title may stand on two lines.
            for text in (line.text, *(line.text + following.text for following in lines[number + 1 : number + 2])):
                title = _without_organ(text)
                if len(title) > _MAX_TITLE:
                    break
                match = self._find(title, contexts)
                clearness = _clearness(match, title, text) if match is not None else 0.0
                if match is not None and clearness:
                    large = 0.05 if line.size and line.size == largest else 0.0
                    found.append((clearness + large, -number, _Title(match, text, clearness)))
                    break
                if not title:
                    break
        return [title for _, _, title in sorted(found, key=lambda entry: entry[:2], reverse=True)]

    def _from_name(self, match: Match | None, confidence: float) -> Guess:
        if match is None:
            return NOTHING
        name = self._name(match)
        return Guess(match.code, confidence, Source.NAME, f"the name says {name}.  文件名含“{name}”")

    def _from_text(self, titles: Sequence[_Title], named: Match | None, confidence: float, source: Source) -> Guess:
        best = titles[0]
        name = self._name(best.match)
        sure = (0.95 if source is Source.TEXT else 0.85) * best.clearness if best.match.sure else _UNSURE
        if named is None:
            return Guess(best.match.code, sure, source, f"title line {name}.  标题行“{name}”")
        other = self._name(named)
        if named.code == best.match.code:
            reason = f"title line and name say {name}.  标题行与文件名均为“{name}”"
            return Guess(named.code, 0.98 if best.match.sure else _UNSURE, source, reason)
        agreeing = next((title for title in titles if title.match.code == named.code), None)
        narrower = self._types[best.match.code].generic and not self._types[named.code].generic
        if agreeing is not None or narrower or best.clearness < 0.8:
            reason = f"the name says {other}, a line says {name}.  文件名含“{other}”, 正文另有“{name}”"
            return Guess(named.code, confidence * 0.9, Source.NAME, reason)
        reason = f"title line {name}, though the name says {other}.  标题行“{name}”, 文件名却为“{other}”"
        return Guess(best.match.code, sure * 0.9, source, reason)

    def _name(self, match: Match) -> str:
        return self._types[match.code].name


def _without_organ(line: str) -> str:
    """The compact line without the organ that it may begin with, which says who wrote and not what."""
    if _ORGAN_END.search(line) is None:
        return compact(line)
    organ = _ORGAN.match(line)
    return compact(line[organ.end() :] if organ else line)


def _clearness(match: Match, title: str, line: str) -> float:
    """How much a line with this match looks like a title, 0 to 1."""
    if match.length == len(title):
        return 1.0
    if _SENTENCE.search(line):
        return 0.0
    if match.end == len(title):
        return 0.85
    return 0.7 if match.length >= 0.6 * len(title) else 0.0


def _by_rule(file_name: str, lines: Sequence[Line], rules: Mapping[str, str | None]) -> Guess | None:
    if not rules:
        return None
    for title, shown in (*((compact(line.text), line.text) for line in lines), (stem(file_name), file_name)):
        if title is not None and title in rules:
            return Guess(
                rules[title], 0.97, Source.RULE,
                f"learnt: {shown} was corrected so before.  曾由本单位人员更正: {shown}",
            )  # fmt: skip
    return None
