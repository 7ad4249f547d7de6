"""The tables of the field, as published by others, go through the same reader. They are not shipped with CaseMesh."""

import csv
import os
from datetime import date
from pathlib import Path

import pytest

from casemesh.translation.code_system_pack import parse_code_system
from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.concept_map_pack import parse_concept_map
from casemesh.translation.concept_maps import ConceptMap, Equivalence, Outcome, translate
from casemesh.translation.coverage import Coverage, coverage
from casemesh.translation.importing import pair_columns, table_columns
from casemesh.translation.pack_rows import PackFile
from casemesh.translation.reversing import reverse
from casemesh.translation.table_layouts import map_layouts, table_layouts

SHARED = Path(os.environ.get("CASEMESH_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared")).resolve()
TODAY = date(2026, 1, 1)
MAPS_ALONE = {layout.file for layout in map_layouts().values()} - set(table_layouts())


def tables() -> Path:
    """Return the folder of the tables, or skip saying where it was looked for."""
    folder = SHARED / "domain" / "codes"
    if not folder.is_dir():
        pytest.skip(f"the field's tables are not at {folder}; set CASEMESH_SHARED to where they are")
    return folder


def content(name: str) -> PackFile:
    return PackFile((tables() / f"{name}.csv").read_bytes())


def load(name: str) -> CodeSystem:
    layout = table_layouts()[name]
    return parse_code_system(layout.code_system, "1", content(name), table_columns(layout.columns))


def load_map(name: str) -> tuple[CodeSystem, CodeSystem, ConceptMap]:
    """Return source, target and map as a site loads them by their layouts."""
    layout = map_layouts()[name]
    files = {table.code_system: file for file, table in table_layouts().items()}
    source, target = load(files[layout.source_code_system]), load(files[layout.target_code_system])
    joined = parse_concept_map(
        layout.concept_map,
        "1",
        content(layout.file),
        source=source,
        target=target,
        direction=layout.direction,
        columns=pair_columns(layout.columns),
    )
    return source, target, joined


def category_maps() -> tuple[CodeSystem, CodeSystem, ConceptMap, ConceptMap]:
    six, eight, forward = load_map("police_6_to_8")
    return six, eight, forward, load_map("police_8_to_6")[2]


def counted(name: str) -> tuple[list[int], Coverage]:
    source, _, joined = load_map(name)
    found = coverage(joined, source, TODAY)
    return [found.by_equivalence.get(each, 0) for each in (*Equivalence, None)], found


def test_every_table_of_the_folder_has_a_layout() -> None:
    assert {path.stem for path in tables().glob("*.csv")} == set(table_layouts()) | MAPS_ALONE


@pytest.mark.parametrize("name", table_layouts())
def test_a_table_of_the_field_loads_whole(name: str) -> None:
    with (tables() / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1

    assert len(load(name)) == rows


def test_the_police_conversion_is_counted_both_ways_with_what_it_folds() -> None:
    there, folded = counted("police_6_to_8")
    home, unfolded = counted("police_8_to_6")

    # exact, broader, narrower, none, unmapped
    assert there == [482, 148, 60, 0, 3]
    assert home == [480, 0, 74, 0, 408]
    assert (len(folded.folded), sum(map(len, folded.folded.values())), folded.reached_targets) == (60, 196, 554)
    assert (unfolded.folded, unfolded.reached_targets) == ({}, 554)


def test_a_derived_way_back_claims_less_and_offers_every_code_that_folded() -> None:
    _, _, forward = load_map("police_6_to_8")
    back = reverse(forward)
    robbery = [pair for pair in back.pairs if pair.from_code == "05000100"]

    assert len(back.pairs) == 690
    assert len(robbery) == len(back.folded["05000100"])
    assert "050101" in back.folded["05000100"]
    exact = {pair.from_code for pair in back.pairs if pair.equivalence is Equivalence.EXACT}
    assert exact == {pair.to_code for pair in forward.pairs if pair.equivalence is Equivalence.EXACT}


def test_a_place_that_is_no_longer_one_is_told_by_its_name_and_not_used() -> None:
    places = load("gb2260_history_1980_2019")
    retired = [entry for entry in places.entries if entry.properties.get("retired_before_201904") == "1"]
    code = next(entry for entry in retired if all(one in retired for one in places.meanings(entry.code)))
    found = places.look_up(code.code, TODAY)

    assert len(retired) > 3000
    assert found is not None
    assert not found.active(TODAY)
    assert all(entry.active(TODAY) for entry in places.entries if entry.properties["retired_before_201904"] == "0")


def test_six_to_eight_to_six_comes_back_for_554_codes_and_no_others() -> None:
    six, eight, forward, back = category_maps()
    returned = set()
    for pair in forward.pairs:
        there = translate(pair.from_code, source=six, target_code_system=eight.code_system, maps=[forward], day=TODAY)
        home = translate(
            there.targets[0].code, source=eight, target_code_system=six.code_system, maps=[back], day=TODAY
        )
        assert home.outcome is Outcome.MAPPED
        if home.targets[0].code == pair.from_code:
            returned.add(pair.from_code)

    assert len(forward.pairs) == 690
    assert len(returned) == 554


def test_a_code_that_does_not_come_back_is_never_called_exact_unless_the_names_agree() -> None:
    six, eight, forward, back = category_maps()
    home = {pair.from_code: pair.to_code for pair in back.pairs}
    lost = [pair for pair in forward.pairs if home[pair.to_code] != pair.from_code]
    called_exact = [pair for pair in lost if pair.equivalence is Equivalence.EXACT]

    assert len(lost) == 136
    for pair in called_exact:
        assert six.meanings(pair.from_code)[0].name_zh == eight.meanings(pair.to_code)[0].name_zh


def test_robbery_in_a_dwelling_says_that_detail_is_lost() -> None:
    six, eight, forward, _ = category_maps()

    answer = translate("050101", source=six, target_code_system=eight.code_system, maps=[forward], day=TODAY)

    assert [(target.code, target.equivalence) for target in answer.targets] == [("05000100", Equivalence.BROADER)]


def test_the_slip_in_the_published_conversion_asks_for_a_person() -> None:
    six, eight, forward, _ = category_maps()

    answer = translate("060442", source=six, target_code_system=eight.code_system, maps=[forward], day=TODAY)

    assert six.meanings("060442")[0].name_zh == "盗掘古墓葬案"
    assert eight.meanings(answer.targets[0].code)[0].name_zh == "故意损毁名胜古迹案"
    assert answer.targets[0].equivalence is Equivalence.NARROWER


def test_a_local_code_is_not_taken_for_the_national_one_of_the_same_digits() -> None:
    _, _, joined = load_map("ethnic_alphabetical_to_national")

    assert [(pair.to_code, pair.equivalence) for pair in joined.targets("1", TODAY)] == [("39", Equivalence.EXACT)]
    assert not joined.targets("01", TODAY)


def test_charges_join_the_police_categories_by_the_column_of_their_table() -> None:
    charges, _, joined = load_map("charges_to_police_8")
    unmapped = {entry.code for entry in charges.entries} - {pair.from_code for pair in joined.pairs}

    assert len(unmapped) == 38
