"""Packs as JSON and compressed, rules and priorities in them, chains of successors: what is refused and where."""

from __future__ import annotations

import gzip
import json
from datetime import date

import pytest

from casemesh.translation import pack_content, pack_rows
from casemesh.translation.code_system_pack import CodeSystemColumns, parse_code_system
from casemesh.translation.code_systems import CodeEntry, CodeSystem
from casemesh.translation.concept_map_pack import parse_concept_map
from casemesh.translation.concept_maps import ConceptMap
from casemesh.translation.pack_content import unpacked
from casemesh.translation.pack_problems import PackInvalid, Problems
from casemesh.translation.pack_rows import PackFile, PackFormat

COLOURS = CodeSystem("colours", "1", [CodeEntry("01", "红"), CodeEntry("02", "深红")])
PAINTS = CodeSystem("paints", "1", [CodeEntry("R", "红"), CodeEntry("B", "天蓝")])
DAY = date(2025, 6, 1)


def table(text: str, columns: CodeSystemColumns | None = None) -> CodeSystem:
    return parse_code_system("colours", "1", PackFile(text.encode()), columns or CodeSystemColumns())


def json_table(document: object) -> CodeSystem:
    return parse_code_system("colours", "1", PackFile(json.dumps(document).encode(), PackFormat.JSON))


def colour_map(text: str) -> ConceptMap:
    return parse_concept_map("c-to-p", "1", PackFile(text.encode()), source=COLOURS, target=PAINTS)


def places(refused: PackInvalid) -> list[tuple[int, str]]:
    return [(problem.line, problem.field) for problem in refused.problems]


def test_json_holds_what_csv_holds() -> None:
    rows = [{"code": "01", "name_zh": "红", "shade": "invented"}, {"code": "02", "name_zh": "深红", "shade": ""}]

    assert json_table({"rows": rows}).entries == table("code,name_zh,shade\n01,红,invented\n02,深红,\n").entries


@pytest.mark.parametrize(
    ("document", "line", "field"),
    [
        ([], 0, "rows"),
        ({"codes": []}, 0, "rows"),
        ({"rows": {}}, 0, "rows"),
        ({"rows": []}, 1, "line"),
        ({"rows": ["01"]}, 1, "line"),
        ({"rows": [{"code": "01", "name_zh": "红"}, {"code": 2, "name_zh": "蓝"}]}, 2, "code"),
        ({"rows": [{"code": "01"}]}, 1, "name_zh"),
        ({"rows": [{"code": "01", "name_zh": "红\u0000"}]}, 1, "name_zh"),
        ({"rows": [{"code": "01", "name_zh": "红"}, {"code": "01", "name_zh": "蓝"}]}, 2, "code"),
    ],
)
def test_broken_json_is_refused_at_its_row_and_column(document: object, line: int, field: str) -> None:
    with pytest.raises(PackInvalid) as refused:
        json_table(document)
    assert (line, field) in places(refused.value)


@pytest.mark.parametrize("text", ["{", '{"rows": [{"code": "1", "code": "2"}]}', '{"rows": [1.5]}', "\ud800"])
def test_what_is_no_plain_json_is_refused_whole(text: str) -> None:
    with pytest.raises(PackInvalid) as refused:
        parse_code_system("colours", "1", PackFile(text.encode("utf-8", "surrogatepass"), PackFormat.JSON))
    assert places(refused.value) == [(0, "file")]


def test_a_compressed_pack_is_the_pack() -> None:
    content = "code,name_zh\n01,红\n".encode()

    assert content == unpacked(gzip.compress(content), Problems("colours 1"))


@pytest.mark.parametrize("damage", ["cut", "none", "more"])
def test_a_compressed_pack_that_is_not_whole_is_refused(damage: str) -> None:
    whole = gzip.compress("code,name_zh\n01,红\n".encode())
    content = {"cut": whole[:-6], "none": b"code,name_zh\n", "more": whole + whole}[damage]

    with pytest.raises(PackInvalid) as refused:
        unpacked(content, Problems("colours 1"))
    assert places(refused.value) == [(0, "file")]


def test_a_hundred_megabytes_behind_a_small_file_are_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    within = pack_content.MAX_UNPACKED_BYTES

    class Watched:
        def __init__(self, kind: int) -> None:
            self._reader = real(kind)

        def decompress(self, data: bytes, most: int) -> bytes:
            plain = self._reader.decompress(data, most)
            read.append(len(plain))
            return plain

        def __getattr__(self, name: str) -> object:
            return getattr(self._reader, name)

    real = pack_content.zlib.decompressobj
    monkeypatch.setattr(pack_content.zlib, "decompressobj", Watched)
    bomb = gzip.compress(bytes(100 << 20), compresslevel=1)

    with pytest.raises(PackInvalid) as refused:
        unpacked(bomb, Problems("colours 1"))
    assert places(refused.value) == [(0, "file")]
    assert max(read) == within


def test_more_rows_than_a_table_may_have_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_rows, "MAX_ROWS", 100)
    text = "code,name_zh\n" + "".join(f"{number},名\n" for number in range(101))

    with pytest.raises(PackInvalid) as refused:
        table(text)
    assert places(refused.value) == [(102, "line")]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("1,甲,2\n2,乙,1\n", 2),
        ("1,甲,2\n2,乙,3\n3,丙,2\n", 3),
        ("9,壬,\n1,甲,2;3\n2,乙,\n3,丙,1\n", 3),
    ],
)
def test_successors_that_lead_back_are_refused_at_a_step_of_the_circle(rows: str, line: int) -> None:
    with pytest.raises(PackInvalid) as refused:
        table(f"code,name_zh,replaced_by\n{rows}")
    assert places(refused.value) == [(line, "replaced_by")]


def test_a_long_chain_of_successors_is_followed_to_its_end() -> None:
    last = 3000
    rows = "".join(f"{number},名,2020-01-01,{number + 1}\n" for number in range(last))
    chain = table(f"code,name_zh,effective_until,replaced_by\n{rows}{last},名,,\n")
    steps = chain.succession("0", DAY)

    assert len(steps) == last
    assert (steps[-1].entry.code, steps[-1].replaces, steps[-1].replaced_on) == (str(last), "2999", date(2020, 1, 2))


def test_an_active_code_has_no_succession_and_a_split_has_both() -> None:
    split = table("code,name_zh,effective_until,replaced_by\n1,甲,2020-12-31,2;3\n2,乙,2022-12-31,4\n3,丙,,\n4,丁,,\n")

    assert split.succession("1", date(2020, 1, 1)) == []
    assert [(step.entry.code, step.replaces) for step in split.succession("1", DAY)] == [
        ("2", "1"),
        ("3", "1"),
        ("4", "2"),
    ]


def test_revisions_are_periods_and_the_newest_has_no_end() -> None:
    columns = CodeSystemColumns(first_day="first", last_day="last", open_last_day="201904", several_meanings=True)
    history = table("code,name_zh,first,last\n1,甲县,198012,199512\n1,甲市,199612,201904\n", columns)
    old, new = history.look_up("1", date(1990, 1, 1)), history.look_up("1", DAY)

    assert old is not None
    assert new is not None
    assert (old.name_zh, old.active(DAY)) == ("甲县", False)
    assert (new.name_zh, new.active(DAY)) == ("甲市", True)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("01,R,-1,", "priority"),
        ("01,R,1000,", "priority"),
        ("01,R,1.5,", "priority"),
        ("01,R,１,", "priority"),
        ("01,R,,place", "when"),
        ("01,R,,place=", "when"),
    ],
)
def test_a_rule_or_priority_that_is_none_is_refused_at_its_column(row: str, field: str) -> None:
    with pytest.raises(PackInvalid) as refused:
        colour_map(f"from_code,to_code,priority,when\n{row}\n")
    assert places(refused.value) == [(2, field)]


def test_one_target_under_two_rules_is_no_repeat_and_under_one_rule_is() -> None:
    two = colour_map("from_code,to_code,when\n01,R,a=1\n01,R,a=2\n")

    assert len(two.pairs) == 2
    with pytest.raises(PackInvalid) as refused:
        colour_map("from_code,to_code,when\n01,R,a=1\n01,R,a=1\n")
    assert places(refused.value) == [(3, "from_code")]
