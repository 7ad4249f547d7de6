"""The shipped tables keep their own rules, and lose nothing of what they were made from."""

import csv
import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from casemesh import data
from casemesh.data import tables
from casemesh.data.catalogue import read_nodes
from casemesh.translation.code_system_pack import parse_code_system
from casemesh.translation.code_systems import CodeSystem
from casemesh.translation.concept_map_pack import parse_concept_map
from casemesh.translation.concept_maps import ConceptMap, Equivalence, Outcome, translate
from casemesh.translation.pack_rows import PackFile

SHARED = Path(os.environ.get("CASEMESH_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared")).resolve()
TODAY = date(2026, 1, 1)
CHARGES = "criminal-charges"
CATEGORIES = "police-case-categories"


def systems() -> dict[str, CodeSystem]:
    return {
        pack.code_system: parse_code_system(pack.code_system, pack.version, PackFile(pack.csv))
        for pack in data.code_system_packs()
    }


def maps() -> list[ConceptMap]:
    known = systems()
    return [
        parse_concept_map(
            pack.concept_map,
            pack.version,
            PackFile(pack.csv),
            source=known[pack.source_code_system],
            target=known[pack.target_code_system],
        )
        for pack in data.concept_map_packs()
    ]


def domain_rows(name: str) -> list[dict[str, str]]:
    path = SHARED / "domain" / name
    if not path.is_file():
        pytest.skip(f"the tables this data was made from are not at {path}; set CASEMESH_SHARED to where they are")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shipped_rows(name: str) -> dict[str, dict[str, str]]:
    reader = csv.DictReader(tables.shipped_bytes(name).decode().splitlines())
    return {row["code"]: row for row in reader}


def test_the_node_catalogue_is_whole() -> None:
    assert Counter(A=166, B=403, C=69, draft=108) == Counter(node.release_tier for node in data.nodes())


def test_the_nodes_of_the_main_chain_are_there_and_answer_each_other() -> None:
    nodes = {node.code: node for node in data.nodes()}

    assert (
        nodes["QS001"].name_zh,
        nodes["QS001"].from_organ,
        nodes["QS001"].to_organ,
        nodes["QS001"].dossier,
    ) == ("移送审查起诉", "GA", "JCY", "full")
    assert nodes["QS002"].answers_node == "QS001"
    assert nodes["YS001"].feedback_nodes == ("YS002", "YS003", "YS005")


def test_every_organ_kind_has_a_name_in_both_languages() -> None:
    assert [kind.code for kind in data.organ_kinds() if not (kind.name_zh and kind.name_en and kind.group)] == []


def test_every_limit_has_a_length_and_unit_or_names_a_limit() -> None:
    limits = [node.limit for node in data.nodes() if node.limit is not None]

    assert len(limits) > 100
    assert all(bool(limit.unit) == (limit.length is not None) for limit in limits)
    assert all(limit.ids or limit.length is not None for limit in limits)


def test_charges_are_the_483_in_force_and_59_former_ones() -> None:
    charges = systems()[CHARGES]

    assert Counter({True: 483, False: 59}) == Counter(entry.active(TODAY) for entry in charges.entries)
    assert len({entry.name_zh for entry in charges.entries}) == 542


def test_every_former_charge_but_the_repealed_one_names_its_successor() -> None:
    former = [entry for entry in systems()[CHARGES].entries if not entry.active(TODAY)]

    assert [entry.name_zh for entry in former if not entry.successors] == ["嫖宿幼女罪"]
    assert [entry.properties["succession"] for entry in former if not entry.successors] == ["none"]


def test_38_charges_have_no_category_and_stay_unmapped() -> None:
    charges, joined = systems()[CHARGES], maps()
    outcomes = Counter(
        translate(entry.code, source=charges, target_code_system=CATEGORIES, maps=joined, day=TODAY).outcome
        for entry in charges.entries
        if entry.active(TODAY)
    )

    assert Counter({Outcome.MAPPED: 445, Outcome.UNMAPPED: 38}) == outcomes


def test_a_charge_in_force_comes_back_from_its_category() -> None:
    known, joined = systems(), maps()
    for entry in known[CHARGES].entries:
        there = translate(entry.code, source=known[CHARGES], target_code_system=CATEGORIES, maps=joined, day=TODAY)
        if there.outcome is Outcome.MAPPED:
            category = there.targets[0]
            back = translate(
                category.code, source=known[CATEGORIES], target_code_system=CHARGES, maps=joined, day=TODAY
            )
            assert [entry.code] == [target.code for target in back.targets]
            opposite = {Equivalence.NARROWER: Equivalence.BROADER}.get(category.equivalence, category.equivalence)
            assert opposite is back.targets[0].equivalence


def test_a_widened_charge_is_exact_under_its_former_name_until_the_day_before() -> None:
    known, joined = systems(), maps()

    def charge_on(day: date) -> tuple[str, Equivalence]:
        answer = translate("03010200", source=known[CATEGORIES], target_code_system=CHARGES, maps=joined, day=day)
        entry = known[CHARGES].meanings(answer.targets[0].code)[0]
        return entry.name_zh, answer.targets[0].equivalence

    assert charge_on(date(2021, 2, 28)) == ("生产、销售假药罪", Equivalence.EXACT)
    assert charge_on(date(2021, 3, 1)) == ("生产、销售、提供假药罪", Equivalence.BROADER)


def test_exact_pairs_have_the_same_name_and_others_never_do() -> None:
    known = systems()
    joined = next(each for each in maps() if each.source_code_system == CHARGES)
    for pair in joined.pairs:
        charge = known[CHARGES].meanings(pair.from_code)[0].name_zh.removesuffix("罪")
        category = known[CATEGORIES].meanings(pair.to_code)[0].name_zh.removesuffix("案")
        assert (charge == category) == (pair.equivalence is Equivalence.EXACT)


def test_no_police_category_ships_that_no_charge_points_to() -> None:
    pointed_to = {row["ga_case_category_8digit_by_name"] for row in domain_rows("codes/criminal_charges.csv")} - {""}

    assert pointed_to == {entry.code for entry in systems()[CATEGORIES].entries}


def test_no_node_row_was_lost_or_altered() -> None:
    shipped = shipped_rows("nodes.csv")
    kept = {
        "name_zh": "name_zh",
        "name_en": "name_en",
        "stage": "stage",
        "kind": "kind",
        "from_agency": "from_organ",
        "feedback_nodes": "feedback_nodes",
        "documents": "documents",
        "dossier": "dossier",
        "custody_effect": "custody_effect",
        "limit_id": "limit_id",
        "limit_length": "limit_length",
        "legal_basis": "legal_basis",
        "release_tier": "release_tier",
        "note": "note",
    }
    original = domain_rows("nodes.csv")

    assert {row["node_code"] for row in original} == set(shipped)
    for row in original:
        ours = shipped[row["node_code"]]
        # Four rows name limits as they were called before they had their numbers.
        assert [row[name].replace("NEWTL", "TL2") for name in kept] == [ours[name] for name in kept.values()]
        assert ours["review"].startswith(row["review"])
        corrected = {name for name, own in (("to_agency", "to_organ"), ("answers_node",) * 2) if row[name] != ours[own]}
        assert bool(corrected) == (ours["review"] != row["review"])


def test_a_node_that_names_a_missing_one_is_refused_with_its_line() -> None:
    damaged = tables.shipped_bytes("nodes.csv").replace(b",QS002;QS003,", b",QS002;QS999,")
    with pytest.raises(data.ShippedDataError, match=r"nodes\.csv:\d+: feedback_nodes: QS999"):
        read_nodes("nodes.csv", damaged)


def test_the_limits_are_whole() -> None:
    assert Counter(
        deadline=178,
        before_event=9,
        measure_cap=5,
        validity=5,
        rule=4,
        probation_period=2,
        min_gap=1,
        count=1,
        threshold=1,
    ) == Counter(limit.kind.value for limit in data.time_limits())


def test_the_limits_lose_nothing_of_their_source() -> None:
    shipped = shipped_rows("time_limits.csv")
    for row in domain_rows("time_limits.csv"):
        ours = shipped[row["limit_id"]]
        assert (row["length"], row["unit"], row["trigger_event"], row["end_event"], row["legal_articles"]) == (
            ours["length"],
            ours["unit"],
            ours["trigger"],
            ours["end"],
            ours["legal_basis"],
        )


def test_a_node_stands_under_limits_that_exist_and_have_its_length() -> None:
    limits = {limit.code: limit for limit in data.time_limits()}
    for node in data.nodes():
        if node.limit is not None and node.limit.ids:
            lengths = {(limits[code].length.count, limits[code].length.unit.value) for code in node.limit.ids}
            assert node.limit.length is None or (node.limit.length, node.limit.unit) in lengths, node.code
