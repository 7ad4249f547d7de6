"""Tables of codes (代码表). A table is a version of a code system and never changes once loaded."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from casemesh.translation.periods import ALWAYS, Period


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One meaning of one code. `properties` are the table's further columns, as written, without the empty ones."""

    code: str
    name_zh: str
    period: Period = ALWAYS
    successors: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)

    def active(self, day: date) -> bool:
        """Return whether the code is to be used on `day`."""
        return self.period.covers(day)


@dataclass(frozen=True, slots=True)
class SuccessionStep:
    """One code that took the place of another; `replaced_on` is the first day without that one, if the table tells."""

    entry: CodeEntry
    replaces: str
    replaced_on: date | None


class CodeSystem:
    """One version of a table of codes, in the order of its file.

    A code may stand in it more than once, with one meaning a period; whether periods may overlap is the reader's
    business. Lookup is by the code exactly as written: no trimming, no padding, no case folding. Successors never lead
    back to where they came from.
    """

    def __init__(self, code_system: str, version: str, entries: Iterable[CodeEntry]) -> None:
        self.code_system = code_system
        self.version = version
        self.entries = tuple(entries)
        meanings: dict[str, list[CodeEntry]] = {}
        for entry in self.entries:
            meanings.setdefault(entry.code, []).append(entry)
        self._meanings = {code: tuple(found) for code, found in meanings.items()}

    def __contains__(self, code: str) -> bool:
        return code in self._meanings

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def codes(self) -> Iterable[str]:
        """Return each code once, in the file's order."""
        return self._meanings.keys()

    def meanings(self, code: str) -> tuple[CodeEntry, ...]:
        """Return every entry of `code`, in the file's order; empty when the table has no such code."""
        return self._meanings.get(code, ())

    def look_up(self, code: str, day: date) -> CodeEntry | None:
        """Return the entry of `code` that holds on `day`, else the last that the file gives, else None.

        The last one is given too because a code that is no longer to be used still has to be shown by its name; ask
        `active` whether it holds.
        """
        found = self.meanings(code)
        in_force = [entry for entry in found if entry.active(day)]
        return in_force[-1] if in_force else found[-1] if found else None

    def succession(self, code: str, day: date) -> Sequence[SuccessionStep]:
        """Return all codes that took the place of one no longer used on `day`, nearest first; none for an active one.

        A successor that is itself no longer used is followed by its own.
        """
        steps: list[SuccessionStep] = []
        reached = {code}
        waiting = [code]
        for replaced in waiting:
            entry = self.look_up(replaced, day)
            if entry is None or entry.active(day):
                continue
            ended = entry.period.last
            for successor in entry.successors:
                found = self.look_up(successor, day)
                if found is None or successor in reached:
                    continue
                reached.add(successor)
                waiting.append(successor)
                steps.append(SuccessionStep(found, replaced, ended and ended + timedelta(days=1)))
        return steps


def comparable(name: str) -> str:
    """Return a name without spaces and commas and with full-width forms folded: what two tables write differently."""
    folded = unicodedata.normalize("NFKC", name)
    return "".join(character for character in folded if not character.isspace() and character not in "、,")
