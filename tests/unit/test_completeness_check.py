"""The completeness check says what is wrong, all of it, and nothing that is not."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from casemesh.data import nodes
from casemesh.data.dossier_catalogue import load
from casemesh.dossier.completeness.check import KINDS, Entry, Finding, check
from casemesh.dossier.completeness.order import longest_in_order, places_in_volumes
from casemesh.dossier.completeness.rules import Rules

RULES = Rules()
PARTIES = ("cases/c/parties/a", "cases/c/parties/b")
TYPES = sorted(load().types)


def entry(index: int, type_code: str = "", **changes: object) -> Entry:
    """A readable document of its own content."""
    digest = hashlib.sha256(str(index).encode()).digest()
    confidence = 0.95 if type_code else 0.0
    made = Entry(
        index, f"dossiers/d/documents/{index}", "卷一", f"{index}.pdf", 10, digest, 1, type_code, confidence,
        examined=True, found_page_count=1,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def kinds(found: list[Finding]) -> list[str]:
    return [finding.kind for finding in found]


def missing(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.type_name, finding.party) for finding in found if finding.kind == "MISSING"]


# Types that may cross, so that what is drawn is a dossier somebody could send.
drawn = st.builds(
    lambda type_code, volume, parties, content, pages, problem, size: (
        type_code, volume, parties, content, pages, problem, size,
    ),
    st.sampled_from(["", *TYPES]),
    st.sampled_from(["卷一", "卷二", "侦查工作卷"]),
    st.sampled_from([(), PARTIES[:1], PARTIES[1:]]),
    st.integers(0, 5),
    st.integers(0, 2),
    st.sampled_from([(), (), ("UNREADABLE",), ("ENCRYPTED",), ("EMPTY",), ("TOO_LARGE_TO_EXAMINE",)]),
    st.sampled_from([0, 10, 10]),
)  # fmt: skip
dossiers = st.lists(drawn, max_size=12).map(
    lambda items: [
        entry(
            index, type_code, volume=volume, parties=parties, sha256=bytes([content]) * 32, found_page_count=pages,
            problems=problem, size_bytes=size,
        )
        for index, (type_code, volume, parties, content, pages, problem, size) in enumerate(items)
    ]
)  # fmt: skip
codes = st.sampled_from(["", "QS001", "DB001", "YS001", "ES001", "TB010", "WS012", "QS015"])


def test_a_dossier_without_fault_gives_no_findings() -> None:
    rules = RULES.of("TB010")
    assert [] == check([entry(0, "G042"), entry(1, "G042")], rules)
    assert [] == check([], RULES.of(""))


def test_of_two_that_a_node_names_under_one_type_one_is_not_enough() -> None:
    found = check([entry(0, "G042")], RULES.of("TB010"))
    assert [("强制医疗决定书、强制医疗执行通知书", "")] == missing(found)
    assert "1 of 2" in found[0].detail


def test_one_of_several_alternatives_is_enough() -> None:
    rules = RULES.of("XZ030")
    assert [("批准逮捕决定书 或 不批准逮捕决定书", "")] == missing(check([], rules))
    for code in ("E003", "E004"):
        assert [] == missing(check([entry(0, code)], rules))


def test_what_is_of_a_person_is_required_for_each_party_and_what_is_of_the_case_once() -> None:
    rules = RULES.of("QS001")
    found = missing(check([entry(0, "B001", parties=PARTIES[:1])], rules, PARTIES))
    assert [PARTIES[1]] == [party for name, party in found if name == "犯罪嫌疑人讯问笔录"]
    assert [""] == [party for name, party in found if name == "起诉意见书"]
    for parties in ((), PARTIES):
        found = missing(check([entry(0, "B001", parties=parties)], rules, PARTIES))
        assert "犯罪嫌疑人讯问笔录" not in [name for name, _ in found]


def test_a_document_without_a_type_of_its_own_is_known_by_its_name() -> None:
    rules = RULES.of("WS012")
    assert [("会见通知", "")] == missing(check([], rules))
    assert [] == missing(check([entry(0, file_name="003 会见 通知(甲).pdf")], rules))


def test_a_whole_volume_is_known_by_the_name_it_was_sent_under() -> None:
    rules = RULES.of("QS015")
    held = [entry(0, "D001"), entry(1, "A064")]
    assert [("补充侦查卷", "")] == missing(check(held, rules))
    assert [] == missing(check([*held, entry(2, "B001", volume="第一次补充侦查卷")], rules))


def test_any_evidence_stands_for_evidence() -> None:
    rules = RULES.of("TB015")
    for code, expected in (("B040", False), ("B058", False), ("A003", True)):
        assert expected == ("证据材料" in [name for name, _ in missing(check([entry(0, code)], rules))])


def test_every_fault_of_a_file_has_its_finding() -> None:
    cases = [
        ({"size_bytes": 0}, "EMPTY", True),
        ({"problems": ("EMPTY",)}, "EMPTY", True),
        ({"problems": ("UNREADABLE",)}, "UNREADABLE", False),
        ({"problems": ("ENCRYPTED",)}, "UNREADABLE", False),
        ({"examined": False}, "NOT_EXAMINED", False),
        ({"problems": ("TOO_LARGE_TO_EXAMINE",)}, "NOT_EXAMINED", False),
        ({"found_page_count": 3}, "PAGE_COUNT", False),
    ]
    for changes, kind, blocking in cases:
        (found,) = check([entry(0, "A003", **changes)], RULES.of(""))
        assert (kind, blocking, "A003", "立案决定书") == (found.kind, found.blocking, found.type_code, found.type_name)
        assert (0, "dossiers/d/documents/0") == (found.index, found.document)
        assert found.detail
        assert found.remedy


def test_pages_that_could_not_be_counted_are_not_held_against_a_document() -> None:
    assert [] == check([entry(0, "A003", found_page_count=0)], RULES.of(""))


def test_a_document_an_officer_left_without_a_type_is_classified() -> None:
    assert ["UNCLASSIFIED"] == kinds(check([entry(0)], RULES.of("")))
    assert [] == check([entry(0, type_settled=True)], RULES.of(""))


def test_the_same_content_twice_is_told_at_the_later_one_and_once() -> None:
    copy = entry(0, "A003").sha256
    found = check([entry(0, "A003"), entry(1, "A003", sha256=copy), entry(2, "A004")], RULES.of(""))
    assert [("DUPLICATE", 1)] == [(finding.kind, finding.index) for finding in found]
    assert "document 0" in found[0].detail


def test_a_type_that_stands_once_in_a_case_is_a_duplicate_the_second_time() -> None:
    found = check([entry(0, "A003"), entry(1, "A003")], RULES.of(""))
    assert [("DUPLICATE", 1)] == [(finding.kind, finding.index) for finding in found]
    assert [] == check([entry(0, "B001"), entry(1, "B001")], RULES.of(""))


def test_empty_files_are_not_copies_of_each_other() -> None:
    held = [entry(n, "B001", size_bytes=0, sha256=bytes(32)) for n in range(2)]
    assert ["EMPTY", "EMPTY"] == kinds(check(held, RULES.of("")))


def test_of_documents_out_of_order_the_fewest_are_named() -> None:
    order = ["A001", "A064", "A003", "A029", "A033"]
    found = check([entry(n, code) for n, code in enumerate(order)], RULES.of(""))
    assert [("OUT_OF_ORDER", 1)] == [(finding.kind, finding.index) for finding in found]


def test_order_is_of_one_volume_one_party_and_one_agencys_papers() -> None:
    assert [] == check([entry(0, "A064", volume="卷一"), entry(1, "A001", volume="卷二")], RULES.of(""))
    assert [] == check([entry(0, "A033", parties=PARTIES[:1]), entry(1, "A029", parties=PARTIES[1:])], RULES.of(""))
    # The procuratorate's decision lies between the police's own instruments.
    assert [] == check([entry(0, "A032"), entry(1, "E003"), entry(2, "A033")], RULES.of(""))


def test_a_type_added_behind_the_last_volume_may_stand_anywhere() -> None:
    assert "A081" not in places_in_volumes()
    assert [] == check([entry(0, "A081"), entry(1, "A017")], RULES.of(""))


def test_what_may_never_cross_by_a_weak_guess_is_a_warning() -> None:
    sure, weak = (check([entry(0, "G031", confidence=confidence)], RULES.of("")) for confidence in (0.9, 0.5))
    assert ([("NEVER_CROSSES", True)], [("NEVER_CROSSES", False)]) == tuple(
        [(finding.kind, finding.blocking) for finding in found] for found in (sure, weak)
    )


@given(st.lists(st.integers(0, 6), max_size=8))
def test_what_is_kept_in_order_is_as_long_as_any_run_in_order(places: list[int]) -> None:
    kept = sorted(longest_in_order(places))
    assert sorted(places[n] for n in kept) == [places[n] for n in kept]
    longest = max(
        size
        for size in range(len(places) + 1)
        if any(list(run) == sorted(run) for run in combinations(places, size))
    )  # fmt: skip
    assert longest == len(kept)


@given(dossiers, codes, st.sampled_from([(), PARTIES]), st.randoms())
def test_the_order_in_which_documents_are_given_does_not_matter(
    held: list[Entry], code: str, parties: tuple[str, ...], source: random.Random
) -> None:
    rules = RULES.of(code)
    shuffled = source.sample(held, len(held))
    assert check(held, rules, parties) == check(shuffled, rules, parties)


@given(dossiers, codes, st.sampled_from([(), PARTIES]), drawn)
def test_a_document_more_never_makes_one_missing(
    held: list[Entry], code: str, parties: tuple[str, ...], more: tuple[object, ...]
) -> None:
    rules = RULES.of(code)
    added = entry(len(held), str(more[0]), volume=more[1], parties=more[2])
    assert set(missing(check([*held, added], rules, parties))) <= set(missing(check(held, rules, parties)))


@given(dossiers, st.sampled_from(["QS001", "DB001", "YS001"]))
def test_adding_each_missing_document_leaves_none_missing(held: list[Entry], code: str) -> None:
    rules = RULES.of(code)
    volume_types = {kind.volume: kind.code for kind in load().types.values()}
    lacking = [rule for rule in rules.required for _ in range(rule.count)]
    added = [
        entry(len(held) + n, rule.types[0] if rule.types[0] in load().types else volume_types[rule.types[0]])
        for n, rule in enumerate(lacking)
    ]
    assert [] == missing(check([*held, *added], rules, PARTIES))


@given(dossiers, codes)
def test_findings_come_blocking_first_and_each_names_a_document_there_is(held: list[Entry], code: str) -> None:
    found = check(held, RULES.of(code), PARTIES)
    assert [*sorted(found, key=lambda one: (not one.blocking, KINDS.index(one.kind)))] == found
    assert {finding.document for finding in found} <= {"", *(document.document for document in held)}
    assert all((finding.document == "") == (finding.kind == "MISSING") for finding in found)
    assert len({(one.kind, one.index, one.type_name, one.party, one.detail) for one in found}) == len(found)


def test_every_node_of_the_catalogue_is_checked_and_satisfied_by_what_it_names() -> None:
    kinds_of = load().types.values()
    for node in nodes():
        rules = RULES.of(node.code)
        assert len(rules.required) == len(check([], rules))
        accepted = {code for rule in rules.required for code in rule.types}
        held = [
            entry(2 * n + copy, kind.code)
            for n, kind in enumerate(kinds_of)
            if kind.code in accepted or kind.volume in accepted
            for copy in (0, 1)
        ]
        named = entry(9000, file_name=f"{'、'.join(node.documents)}.pdf")
        assert [] == missing(check([*held, named], rules)), node.code
