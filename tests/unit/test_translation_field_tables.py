"""The tables of the field, as published by others, go through the same reader. They are not shipped with CaseMesh."""

import os
from datetime import date
from pathlib import Path

import pytest

from casemesh.translation.code_system_pack import CodeSystemColumns, parse_code_system
from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.concept_map_pack import ConceptMapColumns, parse_concept_map
from casemesh.translation.concept_maps import ConceptMap, Equivalence, Outcome, translate

SHARED = Path(os.environ.get("CASEMESH_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared")).resolve()
TODAY = date(2026, 1, 1)
PLAIN = CodeSystemColumns()
TABLES = {
    "civil_cause_groups_2025": (59, CodeSystemColumns(code="group")),
    "court_case_numbers_observed": (514, CodeSystemColumns(code="case_number", name="")),
    "court_case_type": (215, PLAIN),
    "court_codes_observed": (246, CodeSystemColumns(code="court_code_代字", name="court_name_zh")),
    "criminal_charges": (483, CodeSystemColumns(code="charge_id", first_day="name_in_force_since")),
    "criminal_charges_abolished": (59, CodeSystemColumns(code="former_name", name="", successors="none")),
    "ga_case_category_6digit": (693, PLAIN),
    "ga_case_category_8digit": (962, PLAIN),
    "ga_cert_type": (144, PLAIN),
    "ga_marital_local": (8, PLAIN),
    "ga_special_identity_local": (24, PLAIN),
    "ga_special_population_local": (8, PLAIN),
    "ga_xzqh_fpt5_2017": (3441, PLAIN),
    "gb2260_history_1980_2019": (6900, CodeSystemColumns(several_meanings=True)),
    "gbt2260_current": (3217, PLAIN),
    "gbt2261_1_sex": (4, PLAIN),
    "gbt2261_2_marital": (8, PLAIN),
    "gbt2659_country_numeric": (221, PLAIN),
    "gbt3304_ethnic": (59, PLAIN),
    "gbt4658_education_1984": (36, PLAIN),
    "gbt4658_education_2006": (40, PLAIN),
    "gbt4762_political_local": (14, PLAIN),
    "local_ethnic_alphabetical": (56, CodeSystemColumns(code="local_code")),
    "procuratorate_doc_numbers_observed": (46, CodeSystemColumns(code="document_number", name="")),
}
MAPS = {"ga_case_category_6_8_map"}


def tables() -> Path:
    """Return the folder of the tables, or skip saying where it was looked for."""
    folder = SHARED / "domain" / "codes"
    if not folder.is_dir():
        pytest.skip(f"the field's tables are not at {folder}; set CASEMESH_SHARED to where they are")
    return folder


def content(name: str) -> bytes:
    return (tables() / f"{name}.csv").read_bytes()


def load(name: str) -> CodeSystem:
    return parse_code_system(name.replace("_", "-"), "1", content(name), TABLES[name][1])


def category_maps() -> tuple[CodeSystem, CodeSystem, ConceptMap, ConceptMap]:
    six, eight = load("ga_case_category_6digit"), load("ga_case_category_8digit")
    rows = content("ga_case_category_6_8_map")
    forward = parse_concept_map("six-to-eight", "1", rows, source=six, target=eight, direction="6to8")
    back = parse_concept_map("eight-to-six", "1", rows, source=eight, target=six, direction="8to6")
    return six, eight, forward, back


def test_every_table_of_the_folder_is_named_here() -> None:
    assert {path.stem for path in tables().glob("*.csv")} == set(TABLES) | MAPS


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_field_loads_whole(name: str) -> None:
    assert len(load(name)) == TABLES[name][0]


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
    local, national = load("local_ethnic_alphabetical"), load("gbt3304_ethnic")
    joined = parse_concept_map(
        "local-to-national",
        "1",
        content("local_ethnic_alphabetical"),
        source=local,
        target=national,
        columns=ConceptMapColumns("local_code", "gbt3304_code"),
    )

    assert [(pair.to_code, pair.equivalence) for pair in joined.targets("1", TODAY)] == [("39", Equivalence.EXACT)]
    assert not joined.targets("01", TODAY)


def test_charges_join_the_police_categories_by_the_column_of_their_table() -> None:
    charges, eight = load("criminal_charges"), load("ga_case_category_8digit")
    joined = parse_concept_map(
        "charges-to-categories",
        "1",
        content("criminal_charges"),
        source=charges,
        target=eight,
        columns=ConceptMapColumns("charge_id", "ga_case_category_8digit_by_name", skip_without_target=True),
    )

    unmapped = {entry.code for entry in charges.entries} - {pair.from_code for pair in joined.pairs}

    assert len(unmapped) == 38
