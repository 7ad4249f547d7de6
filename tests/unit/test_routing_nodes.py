"""The catalogue of nodes as routing uses it."""

from pathlib import Path

import pytest

from casemesh.core.names import NODE
from casemesh.data import CollaborationNode, nodes
from casemesh.errors import FailedPrecondition, NotFound
from casemesh.routing.csv_tables import TableError, read_table
from casemesh.routing.nodes import NodeCatalogue, dossier_required, shipped_catalogue


@pytest.fixture(scope="module")
def catalogue() -> NodeCatalogue:
    return shipped_catalogue()


def node(catalogue: NodeCatalogue, code: str) -> CollaborationNode:
    return catalogue.get(f"nodes/{code}")


def test_every_node_of_the_catalogue_is_found_by_its_name(catalogue: NodeCatalogue) -> None:
    assert len({catalogue.message(catalogue.get(NODE.format(node=each.code))).name for each in nodes()}) == 746


def test_an_unknown_node_is_refused_by_name(catalogue: NodeCatalogue) -> None:
    with pytest.raises(NotFound) as refusal:
        catalogue.get("nodes/XX999")
    assert (refusal.value.reason, refusal.value.metadata) == ("NODE_UNKNOWN", {"node": "nodes/XX999"})


def test_a_node_leads_between_the_organs_it_names(catalogue: NodeCatalogue) -> None:
    catalogue.require_organs(node(catalogue, "QS001"), "GA", "JCY")


@pytest.mark.parametrize("organ", ["GA_UP", "HGJS", "HJ", "GAQ", "JY", "JCY"])
def test_the_investigating_organ_is_a_role(catalogue: NodeCatalogue, organ: str) -> None:
    catalogue.require_organs(node(catalogue, "QS001"), organ, "JCY")


@pytest.mark.parametrize(("sender", "recipient", "at_fault"), [("FY", "JCY", "FY"), ("GA", "KSS", "KSS")])
def test_an_organ_that_cannot_play_the_part_is_refused_and_named(
    catalogue: NodeCatalogue, sender: str, recipient: str, at_fault: str
) -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        catalogue.require_organs(node(catalogue, "QS001"), sender, recipient)
    expected = ("NODE_ORGAN_MISMATCH", {"node": "nodes/QS001", "organ": at_fault})
    assert expected == (refusal.value.reason, refusal.value.metadata)


def test_a_role_is_not_played_the_other_way_round(catalogue: NodeCatalogue) -> None:
    assert catalogue.plays("HGJS", "GA")
    assert not catalogue.plays("GA", "HGJS")


def test_the_feedback_of_a_node_answers_it_and_nothing_else_does(catalogue: NodeCatalogue) -> None:
    catalogue.require_answer(node(catalogue, "QS001"), node(catalogue, "QS002"))
    with pytest.raises(FailedPrecondition) as refusal:
        catalogue.require_answer(node(catalogue, "QS001"), node(catalogue, "QS006"))
    assert (refusal.value.reason, refusal.value.metadata) == ("NODE_NOT_AN_ANSWER", {"node": "nodes/QS006"})


def test_the_judgment_answers_the_prosecution(catalogue: NodeCatalogue) -> None:
    prosecution, receipt, judgment = (node(catalogue, code) for code in ("YS001", "YS002", "YS037"))
    catalogue.require_answer(prosecution, judgment)
    assert catalogue.is_interim(prosecution, receipt)
    assert not catalogue.is_interim(prosecution, judgment)


def test_an_answer_is_no_opening(catalogue: NodeCatalogue) -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        catalogue.require_opening(node(catalogue, "QS002"))
    expected = ("NODE_ANSWERS_ONLY", {"node": "nodes/QS002", "answers_node": "nodes/QS001"})
    assert expected == (refusal.value.reason, refusal.value.metadata)


def test_every_node_can_be_sent_one_way_or_the_other(catalogue: NodeCatalogue) -> None:
    by_code = {each.code: each for each in nodes()}
    for each in nodes():
        try:
            catalogue.require_opening(each)
        except FailedPrecondition:
            asked = by_code[each.answers_node]
            catalogue.require_answer(asked, each)
            # The one that was asked answers the one that asked.
            assert catalogue.plays(asked.to_organ, each.from_organ)
            assert catalogue.plays(asked.from_organ, each.to_organ)


def test_every_exchange_can_be_closed_by_an_answer_that_its_recipient_can_send(catalogue: NodeCatalogue) -> None:
    by_code = {each.code: each for each in nodes()}
    for each in nodes():
        answers = [by_code[code] for code in catalogue.answers_of(each)]
        answerable = [
            answer
            for answer in answers
            if catalogue.plays(each.to_organ, answer.from_organ) and catalogue.plays(each.from_organ, answer.to_organ)
        ]
        if answerable:
            assert any(not catalogue.is_interim(each, answer) for answer in answerable), each.code


def test_a_dossier_is_asked_for_whole_in_part_or_as_a_supplement(catalogue: NodeCatalogue) -> None:
    asked_for = {each.dossier for each in nodes() if dossier_required(each)}
    assert {"full", "partial", "supplement"} == asked_for


def test_a_node_shows_its_answers_and_which_leave_it_open(catalogue: NodeCatalogue) -> None:
    shown = catalogue.message(node(catalogue, "YS001"))
    assert list(shown.feedback_nodes) == ["nodes/YS002", "nodes/YS003", "nodes/YS005", "nodes/YS037"]
    assert list(shown.interim_nodes) == ["nodes/YS002", "nodes/YS003"]
    assert shown.dossier_required
    assert shown.title_zh == "提起公诉"


def test_a_selection_goes_on_after_a_code(catalogue: NodeCatalogue) -> None:
    whole = [each.code for each in catalogue.select(stage="一审", from_organ="JCY", to_organ="FY", after="")]
    assert whole[1:] == [
        each.code for each in catalogue.select(stage="一审", from_organ="JCY", to_organ="FY", after=whole[0])
    ]
    assert sorted(whole) == whole
    assert "YS001" in whole


def test_a_table_with_another_header_a_ragged_or_a_repeated_line_is_refused(tmp_path: Path) -> None:
    for text, line in (("a,c\n1,2\n", ":1"), ("a,b\n1\n", ":2"), ("a,b\n1,2\n1,2\n", ":3")):
        path = tmp_path / "table.csv"
        path.write_text(text)
        with pytest.raises(TableError, match=line):
            read_table("shipped.csv", ("a", "b"), path)
    with pytest.raises(TableError, match=r"missing\.csv"):
        read_table("shipped.csv", ("a", "b"), tmp_path / "missing.csv")


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("roles", "role,played_by,basis\nGA,NOBODY,law\n"),
        ("roles", "role,played_by,basis\nGA,HJ,\n"),
        ("answers", "node,answer,effect,why\nQS001,XX999,interim,x\n"),
        ("answers", "node,answer,effect,why\nQS001,QS002,perhaps,x\n"),
        ("answers", "node,answer,effect,why\nQS001,QS002,final,x\n"),
        ("answers", "node,answer,effect,why\nQS001,YS037,interim,x\n"),
    ],
)
def test_a_table_that_names_what_does_not_exist_is_refused(table: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=table):
        shipped_catalogue(**{table: path})
