"""A table of codes from its pack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from casemesh.translation.code_systems import CodeEntry, CodeSystem
from casemesh.translation.pack_problems import Problems
from casemesh.translation.pack_rows import MAX_NAME_LENGTH, PackFile, read_code, read_period, read_rows

_Rows = Mapping[str, list[tuple[int, CodeEntry]]]


@dataclass(frozen=True, slots=True)
class CodeSystemColumns:
    """Which columns of a file play which part. Only the first must be there; other columns become properties.

    `name` empty: the codes are their own names. `several_meanings`: one code may stand for several places or persons at
    once, as in historical tables; otherwise that is a problem. `open_last_day`: what stands for a code that is still
    used, in tables that tell the last revision a code stood in.
    """

    code: str = "code"
    name: str = "name_zh"
    first_day: str = "effective_from"
    last_day: str = "effective_until"
    successors: str = "replaced_by"
    several_meanings: bool = False
    open_last_day: str = ""


DEFAULT_COLUMNS = CodeSystemColumns()


def parse_code_system(
    code_system: str, version: str, pack: PackFile, columns: CodeSystemColumns = DEFAULT_COLUMNS
) -> CodeSystem:
    """Return the table that `pack` holds.

    Raises PackInvalid listing line, field, problem and remedy. Two rows of one code must be apart in time; successors
    (separated by `;`) must be codes of the same table and never lead back. Codes are kept exactly as written.
    """
    problems = Problems(f"{code_system} {version}")
    required = tuple(column for column in (columns.code, columns.name) if column)
    entries: dict[str, list[tuple[int, CodeEntry]]] = {}
    in_order: list[CodeEntry] = []
    for line, row in read_rows(pack, required, problems):
        entry = _entry(line, row, columns, problems)
        for _, earlier in entries.get(entry.code, ()):
            if earlier == entry or (not columns.several_meanings and earlier.period.overlaps(entry.period)):
                problems.add(
                    line,
                    columns.code,
                    f"{entry.code} stands twice for the same time",
                    f"take one out or set {columns.first_day} and {columns.last_day}",
                )
        entries.setdefault(entry.code, []).append((line, entry))
        in_order.append(entry)
    _check_successors(entries, columns, problems)
    problems.raise_if_any()
    return CodeSystem(code_system, version, in_order)


def _entry(line: int, row: dict[str, str], columns: CodeSystemColumns, problems: Problems) -> CodeEntry:
    code = row[columns.code]
    read_code(line, columns.code, code, problems)
    name = row[columns.name] if columns.name else code
    if not name or len(name) > MAX_NAME_LENGTH:
        problems.add(
            line, columns.name, f"{len(name)} characters", f"a name has at least 1 and at most {MAX_NAME_LENGTH}"
        )
    last_day = row.get(columns.last_day, "")
    period = read_period(
        line,
        (columns.first_day, row.get(columns.first_day, "")),
        (columns.last_day, "" if last_day == columns.open_last_day else last_day),
        problems,
    )
    used = {columns.code, columns.name, columns.first_day, columns.last_day, columns.successors}
    return CodeEntry(
        code=code,
        name_zh=name,
        period=period,
        successors=tuple(part for part in row.get(columns.successors, "").split(";") if part),
        properties={column: value for column, value in row.items() if column not in used and value},
    )


def _check_successors(entries: _Rows, columns: CodeSystemColumns, problems: Problems) -> None:
    for rows in entries.values():
        for line, entry in rows:
            for successor in entry.successors:
                if successor not in entries or successor == entry.code:
                    problems.add(
                        line, columns.successors, f"{successor} is no other code of this table", "correct or add it"
                    )
    problems.raise_if_any()
    cycle = _cycle({code: [s for _, entry in rows for s in entry.successors] for code, rows in entries.items()})
    if cycle:
        line = next(line for line, entry in entries[cycle[0]] if cycle[1] in entry.successors)
        problems.add(line, columns.successors, f"{' -> '.join(cycle)} leads back", "take one of the steps out")


def _cycle(successors: Mapping[str, list[str]]) -> list[str]:
    """Return a way that leads back to its start, empty when there is none. Not recursive: chains may be long."""
    done: set[str] = set()
    for start in successors:
        way: list[str] = []
        waiting = [(start, False)]
        on_way: set[str] = set()
        while waiting:
            code, left = waiting.pop()
            if left:
                on_way.discard(way.pop())
                done.add(code)
            elif code in on_way:
                return [*way[way.index(code) :], code]
            elif code not in done:
                way.append(code)
                on_way.add(code)
                waiting.append((code, True))
                waiting += [(successor, False) for successor in successors[code]]
    return []
