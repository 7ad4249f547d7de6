"""What is wrong with a pack: every problem with its line, its field and the remedy; nothing is repaired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from casemesh.errors import FieldViolation, InvalidArgument

_MAX_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class PackProblem:
    """What is wrong at one place of a pack, and what to do. `line` counts from 1, the header; 0 is the whole file."""

    line: int
    field: str
    problem: str
    remedy: str


class PackInvalid(InvalidArgument):
    """A pack that cannot be loaded. All problems found are listed, up to fifty; nothing of the pack is used."""

    def __init__(self, pack: str, problems: list[PackProblem]) -> None:
        first = problems[0]
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(
            "CODE_PACK_INVALID",
            f"{pack}, line {first.line}, {first.field}: {first.problem}; {first.remedy}{more}",
            {"line": first.line, "field": first.field},
            [FieldViolation("csv", f"line {p.line}, {p.field}: {p.problem}; {p.remedy}") for p in problems],
        )
        self.pack = pack
        self.problems = tuple(problems)


class Problems:
    """Collects the problems of one pack, and gives up once there are fifty."""

    def __init__(self, pack: str) -> None:
        self._pack = pack
        self._found: list[PackProblem] = []

    def add(self, line: int, field: str, problem: str, remedy: str) -> None:
        """Note one problem. Raises PackInvalid when it is the fiftieth."""
        self._found.append(PackProblem(line, field, problem, remedy))
        if len(self._found) >= _MAX_PROBLEMS:
            raise PackInvalid(self._pack, self._found)

    def refuse(self, line: int, field: str, problem: str, remedy: str) -> NoReturn:
        """Note one problem and raise PackInvalid: the rest cannot be read."""
        raise PackInvalid(self._pack, [*self._found, PackProblem(line, field, problem, remedy)])

    def raise_if_any(self) -> None:
        """Raise PackInvalid when a problem was noted."""
        if self._found:
            raise PackInvalid(self._pack, self._found)
