"""A concept map from its pack, and the equivalences a file does not state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from casemesh.translation.code_systems import CodeSystem, comparable
from casemesh.translation.concept_maps import ConceptMap, Equivalence, MapPair
from casemesh.translation.conditions import Condition, ConditionError, parse_condition
from casemesh.translation.pack_problems import Problems
from casemesh.translation.pack_rows import PackFile, read_code, read_period, read_rows
from casemesh.translation.periods import ALWAYS, Period

_FIRST_DAY = "effective_from"
_LAST_DAY = "effective_until"
_EQUIVALENCE = "equivalence"
_DIRECTION = "direction"
_PRIORITY = "priority"
_WHEN = "when"
MAX_PRIORITY = 999


@dataclass(frozen=True, slots=True)
class ConceptMapColumns:
    """Which columns hold the pair. `skip_without_target`: rows with no target are left out instead of refused."""

    from_code: str = "from_code"
    to_code: str = "to_code"
    skip_without_target: bool = False


DEFAULT_COLUMNS = ConceptMapColumns()


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    from_code: str
    to_code: str
    stated: Equivalence | None
    period: Period
    note: str
    priority: int
    condition: Condition | None


def parse_concept_map(
    concept_map: str,
    version: str,
    pack: PackFile,
    *,
    source: CodeSystem,
    target: CodeSystem,
    period: Period = ALWAYS,
    direction: str = "",
    columns: ConceptMapColumns = DEFAULT_COLUMNS,
    signer: str = "",
) -> ConceptMap:
    """Return the map that `pack` holds, of the rows whose column `direction` is `direction` if that is given.

    Raises PackInvalid listing line, field, problem and remedy: for codes that the tables lack, a pair given twice for
    the same time and under the same rule, an unknown equivalence, a rule or priority that is none, a target where the
    equivalence is none or no target where it is not.

    Where the file states no equivalence it is worked out, never in favour of a match: a pair is exact when both codes
    have the same name but for spaces and commas; else broader when several sources share the target, so that detail is
    lost; else narrower, since nobody has shown that the target covers the source.
    """
    problems = Problems(f"{concept_map} {version}")
    rows: list[_Row] = []
    for line, row in read_rows(pack, _required(columns, direction), problems):
        if direction and row[_DIRECTION] != direction:
            continue
        if columns.skip_without_target and not row[columns.to_code]:
            continue
        rows.append(_row(line, row, columns, problems))
    if not rows:
        problems.add(1, _DIRECTION, f"no row has {direction!r}", "correct the direction or send the rows")
    for checked in rows:
        _check_codes(checked, source, target, columns, problems)
    _check_repeats(rows, columns, problems)
    problems.raise_if_any()
    fan_in = Counter(to_code for _, to_code in {(row.from_code, row.to_code) for row in rows})
    pairs = (
        MapPair(
            row.from_code,
            row.to_code,
            row.stated or _infer(row, source, target, fan_in[row.to_code]),
            row.period,
            row.note,
            row.priority,
            row.condition,
        )
        for row in rows
    )
    return ConceptMap(concept_map, version, source.code_system, target.code_system, pairs, period, signer=signer)


def _required(columns: ConceptMapColumns, direction: str) -> tuple[str, ...]:
    pair = (columns.from_code, columns.to_code)
    return (*pair, _DIRECTION) if direction else pair


def _row(line: int, row: dict[str, str], columns: ConceptMapColumns, problems: Problems) -> _Row:
    from_code, to_code = row[columns.from_code], row[columns.to_code]
    read_code(line, columns.from_code, from_code, problems)
    stated: Equivalence | None = None
    if text := row.get(_EQUIVALENCE, ""):
        try:
            stated = Equivalence(text)
        except ValueError:
            known = ", ".join(equivalence.value for equivalence in Equivalence)
            problems.add(line, _EQUIVALENCE, f"{text!r} is none of {known}", "write one of them or leave it empty")
    if stated is Equivalence.NONE and to_code:
        problems.add(line, columns.to_code, "a target beside the equivalence none", "take the target out")
    elif stated is not Equivalence.NONE:
        read_code(line, columns.to_code, to_code, problems)
    period = read_period(line, (_FIRST_DAY, row.get(_FIRST_DAY, "")), (_LAST_DAY, row.get(_LAST_DAY, "")), problems)
    priority = _priority(line, row.get(_PRIORITY, ""), problems)
    condition = _condition(line, row.get(_WHEN, ""), problems)
    return _Row(line, from_code, to_code, stated, period, row.get("note", ""), priority, condition)


def _priority(line: int, text: str, problems: Problems) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or int(text[:4]) > MAX_PRIORITY or len(text) > len(str(MAX_PRIORITY)):
        problems.add(line, _PRIORITY, f"{text!r} is no priority", f"write a whole number from 0 to {MAX_PRIORITY}")
        return 0
    return int(text)


def _condition(line: int, text: str, problems: Problems) -> Condition | None:
    try:
        return parse_condition(text)
    except ConditionError as error:
        problems.add(line, _WHEN, str(error), "write field=value, joined by &, or leave it empty")
        return None


def _check_codes(
    row: _Row, source: CodeSystem, target: CodeSystem, columns: ConceptMapColumns, problems: Problems
) -> None:
    if row.from_code and row.from_code not in source:
        problems.add(
            row.line, columns.from_code, f"{row.from_code} is not in {source.code_system}", "correct or load it"
        )
    if row.to_code and row.to_code not in target:
        problems.add(row.line, columns.to_code, f"{row.to_code} is not in {target.code_system}", "correct or load it")


def _check_repeats(rows: list[_Row], columns: ConceptMapColumns, problems: Problems) -> None:
    earlier: dict[str, list[_Row]] = {}
    for row in rows:
        for other in earlier.setdefault(row.from_code, []):
            contradicts = row.to_code == other.to_code or Equivalence.NONE in (row.stated, other.stated)
            if contradicts and row.condition == other.condition and other.period.overlaps(row.period):
                problems.add(
                    row.line,
                    columns.from_code,
                    f"{row.from_code} has the same target, or none beside one, in line {other.line} for the same time",
                    "take one out or set their periods apart",
                )
        earlier[row.from_code].append(row)


def _infer(row: _Row, source: CodeSystem, target: CodeSystem, sources_of_target: int) -> Equivalence:
    source_names = {comparable(entry.name_zh) for entry in source.meanings(row.from_code)}
    target_names = {comparable(entry.name_zh) for entry in target.meanings(row.to_code)}
    if source_names == target_names:
        return Equivalence.EXACT
    return Equivalence.BROADER if sources_of_target > 1 else Equivalence.NARROWER
