"""Packs from CSV: what is refused, where the error points, and what is never repaired."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casemesh.translation.code_system_pack import CodeSystemColumns, parse_code_system
from casemesh.translation.code_systems import CodeEntry, CodeSystem
from casemesh.translation.concept_map_pack import parse_concept_map
from casemesh.translation.concept_maps import ConceptMap, Equivalence
from casemesh.translation.pack_problems import PackInvalid
from casemesh.translation.pack_rows import PackFile

COLOURS = CodeSystem("colours", "1", [CodeEntry("01", "红"), CodeEntry("02", "深红"), CodeEntry("03", "蓝")])
PAINTS = CodeSystem("paints", "1", [CodeEntry("R", "红"), CodeEntry("B", "天蓝"), CodeEntry("G", "绿")])


def table(text: str, columns: CodeSystemColumns | None = None) -> CodeSystem:
    return parse_code_system("colours", "1", PackFile(text.encode()), columns or CodeSystemColumns())


def colour_map(text: str, direction: str = "") -> ConceptMap:
    return parse_concept_map("c-to-p", "1", PackFile(text.encode()), source=COLOURS, target=PAINTS, direction=direction)


def places(refused: PackInvalid) -> list[tuple[int, str]]:
    return [(problem.line, problem.field) for problem in refused.problems]


def refusal(text: str) -> PackInvalid:
    with pytest.raises(PackInvalid) as refused:
        table(text)
    return refused.value


def map_refusal(text: str) -> PackInvalid:
    with pytest.raises(PackInvalid) as refused:
        colour_map(text)
    return refused.value


def test_leading_zeros_and_further_columns_are_kept() -> None:
    entry = table("code,name_zh,note\n007,红,invented\n").meanings("007")[0]

    assert entry == CodeEntry("007", "红", properties={"note": "invented"})


def test_a_byte_order_mark_and_crlf_change_nothing() -> None:
    plain = table("code,name_zh\n01,红\n")
    marked = parse_code_system("colours", "1", PackFile(b"\xef\xbb\xbf" + "code,name_zh\r\n01,红\r\n".encode()))

    assert plain.entries == marked.entries


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("", 1, "code"),
        ("code\n01\n", 1, "name_zh"),
        ("code,code,name_zh\n1,1,红\n", 1, "code"),
        ("code,name_zh\n", 1, "line"),
        ("code,name_zh\n01,红,\n", 2, "line"),
        ("code,name_zh\n01\n", 2, "line"),
        ("code,name_zh\n,红\n", 2, "code"),
        ("code,name_zh\n01 ,红\n", 2, "code"),
        (f"code,name_zh\n{'9' * 65},红\n", 2, "code"),
        ("code,name_zh\n01,\n", 2, "name_zh"),
        ("code,name_zh\n01,红\n01,蓝\n", 3, "code"),
        ("code,name_zh\n01,红\x00\n", 2, "name_zh"),
        ('code,name_zh\n01,"红\n蓝"\n', 3, "name_zh"),
        ('code,name_zh\n01,"红\n', 2, "line"),
        ("code,name_zh,effective_from\n01,红,2021-02-30\n", 2, "effective_from"),
        ("code,name_zh,effective_from\n01,红,20210201\n", 2, "effective_from"),
        ("code,name_zh,effective_from,effective_until\n01,红,2021-02-01,2021-01-31\n", 2, "effective_until"),
        ("code,name_zh,replaced_by\n01,红,02\n", 2, "replaced_by"),
        ("code,name_zh,replaced_by\n01,红,01\n", 2, "replaced_by"),
    ],
)
def test_a_broken_table_is_refused_at_its_line_and_field(text: str, line: int, field: str) -> None:
    assert (line, field) in places(refusal(text))


def test_a_file_in_another_encoding_is_refused_at_its_first_bad_line() -> None:
    content = "code,name_zh\n01,red\n02,蓝\n".encode("gb18030")

    with pytest.raises(PackInvalid) as refused:
        parse_code_system("colours", "1", PackFile(content))

    assert places(refused.value) == [(3, "file")]


def test_all_problems_are_listed_not_only_the_first() -> None:
    assert places(refusal("code,name_zh\n,红\n02,\n03\n")) == [(2, "code"), (3, "name_zh"), (4, "line")]


def test_a_file_of_nothing_but_faults_stops_at_fifty() -> None:
    assert len(refusal("code,name_zh\n" + ",\n" * 1000).problems) == 50


def test_the_error_carries_line_field_and_remedy_for_the_caller() -> None:
    refused = refusal("code,name_zh\n01,红\n01,蓝\n")

    assert refused.reason == "CODE_PACK_INVALID"
    assert refused.metadata == {"line": "3", "field": "code"}
    assert "line 3, code: 01 stands twice" in refused.violations[0].description
    assert "effective_until" in refused.violations[0].description


def test_a_code_may_change_its_name_when_the_periods_are_apart() -> None:
    renamed = table(
        "code,name_zh,effective_from,effective_until\n01,东郊区,1980-12-01,1992-11-30\n01,东丽区,1992-12-01,\n"
    )

    before, after = renamed.look_up("01", date(1992, 11, 30)), renamed.look_up("01", date(1992, 12, 1))

    assert before is not None
    assert after is not None
    assert (before.name_zh, after.name_zh) == ("东郊区", "东丽区")


def test_a_code_no_longer_in_use_is_still_found_by_its_name() -> None:
    ended = table("code,name_zh,effective_until\n01,红,1999-12-31\n").look_up("01", date(2020, 1, 1))

    assert ended is not None
    assert ended.name_zh == "红"
    assert not ended.active(date(2020, 1, 1))


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        ("from_code,to_code\n09,R\n", 2, "from_code"),
        ("from_code,to_code\n01,X\n", 2, "to_code"),
        ("from_code,to_code\n01,\n", 2, "to_code"),
        ("from_code,to_code,equivalence\n01,R,similar\n", 2, "equivalence"),
        ("from_code,to_code,equivalence\n01,R,none\n", 2, "to_code"),
        ("from_code,to_code\n01,R\n01,R\n", 3, "from_code"),
        ("from_code,to_code,equivalence\n01,R,exact\n01,,none\n", 3, "from_code"),
        ("from_code,to_code,effective_from\n01,R,soon\n", 2, "effective_from"),
        ("from_code\n01\n", 1, "to_code"),
    ],
)
def test_a_broken_map_is_refused_at_its_line_and_field(text: str, line: int, field: str) -> None:
    assert (line, field) in places(map_refusal(text))


def test_a_direction_that_no_row_has_is_refused() -> None:
    with pytest.raises(PackInvalid, match="no row has 'c2p'"):
        colour_map("direction,from_code,to_code\np2c,01,R\n", direction="c2p")


def test_only_rows_of_the_direction_are_read() -> None:
    both = "direction,from_code,to_code\nc2p,01,R\np2c,R,01\n"

    assert [(pair.from_code, pair.to_code) for pair in colour_map(both, direction="c2p").pairs] == [("01", "R")]


def test_a_stated_equivalence_is_kept() -> None:
    stated = colour_map("from_code,to_code,equivalence\n01,R,narrower\n02,,none\n")

    assert [pair.equivalence for pair in stated.pairs] == [Equivalence.NARROWER, Equivalence.NONE]


def test_an_unstated_equivalence_is_exact_for_the_same_name_only() -> None:
    unstated = colour_map("from_code,to_code\n01,R\n02,R\n03,B\n")

    assert {pair.from_code: pair.equivalence for pair in unstated.pairs} == {
        "01": Equivalence.EXACT,
        "02": Equivalence.BROADER,
        "03": Equivalence.NARROWER,
    }


CODES = st.text("0123456789ABC-", min_size=1, max_size=6)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=10)


@settings(deadline=None)
@given(st.dictionaries(CODES, NAMES, min_size=1, max_size=20))
def test_a_table_written_as_csv_reads_back_code_by_code(names: dict[str, str]) -> None:
    quoted = "".join(f'"{code}","{name.replace(chr(34), chr(34) * 2)}"\n' for code, name in names.items())

    read = table(f"code,name_zh\n{quoted}")

    assert names == {entry.code: entry.name_zh for entry in read.entries}
