"""The catalogue of nodes as routing uses it."""

from pathlib import Path

import pytest

from casemesh.core.names import NODE
from casemesh.data import CollaborationNode, nodes
from casemesh.errors import FailedPrecondition, NotFound
from casemesh.routing.csv_tables import TableError, read_table
from casemesh.routing.node_messages import node_message, schema_message
from casemesh.routing.nodes import NodeCatalogue, dossier_required, shipped_catalogue


@pytest.fixture(scope="module")
def catalogue() -> NodeCatalogue:
    return shipped_catalogue()


def node(catalogue: NodeCatalogue, code: str) -> CollaborationNode:
    return catalogue.get(f"nodes/{code}")


def test_every_node_of_the_catalogue_is_found_by_its_name(catalogue: NodeCatalogue) -> None:
    assert len({node_message(catalogue, catalogue.get(NODE.format(node=each.code))).name for each in nodes()}) == 746


def test_an_unknown_node_is_refused_by_name(catalogue: NodeCatalogue) -> None:
    with pytest.raises(NotFound) as refusal:
        catalogue.get("nodes/XX999")
    assert (refusal.value.reason, refusal.value.metadata) == ("NODE_UNKNOWN", {"node": "nodes/XX999"})


@pytest.mark.parametrize("organ", ["GA", "GA_UP", "HGJS", "HJ", "GAQ", "JY", "JCY"])
def test_the_investigating_organ_is_a_role(catalogue: NodeCatalogue, organ: str) -> None:
    assert catalogue.plays(organ, node(catalogue, "QS001").from_organ)
    assert organ in node_message(catalogue, node(catalogue, "QS001")).from_organs


@pytest.mark.parametrize("organ", ["FY", "KSS"])
def test_an_organ_that_cannot_play_the_part_does_not(catalogue: NodeCatalogue, organ: str) -> None:
    assert not catalogue.plays(organ, node(catalogue, "QS001").from_organ)


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
    assert catalogue.answers_only(node(catalogue, "QS002")) == node(catalogue, "QS001")
    assert catalogue.answers_only(node(catalogue, "QS001")) is None


def test_every_node_can_be_sent_one_way_or_the_other(catalogue: NodeCatalogue) -> None:
    for each in nodes():
        if (asked := catalogue.answers_only(each)) is not None:
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
    shown = node_message(catalogue, node(catalogue, "YS001"))
    assert list(shown.feedback_nodes) == ["nodes/YS002", "nodes/YS003", "nodes/YS005", "nodes/YS037"]
    assert list(shown.interim_nodes) == ["nodes/YS002", "nodes/YS003"]
    assert shown.dossier_required
    assert shown.title_zh == "提起公诉"


def test_a_node_shows_its_limit_custody_effect_and_source(catalogue: NodeCatalogue) -> None:
    arrest = node_message(catalogue, node(catalogue, "DB007"))
    assert (["TL015"], 3, "day") == (list(arrest.limit.limit_ids), arrest.limit.length, arrest.limit.unit)
    assert node_message(catalogue, node(catalogue, "HY001")).custody_effect == "换押→检察院"
    assert all(node_message(catalogue, each).source for each in nodes())


@pytest.mark.parametrize("code", ["DB001", "DB002", "DB005", "DB007", "DB020"])
def test_a_chain_is_the_same_from_each_of_its_nodes(catalogue: NodeCatalogue, code: str) -> None:
    chain = [each.code for each in catalogue.chain(node(catalogue, code))]
    assert chain == ["DB001", "DB002", "DB003", "DB005", "DB007", "DB020", "DB006", "DB008"]


def test_every_node_stands_in_its_chain_after_what_it_answers(catalogue: NodeCatalogue) -> None:
    for each in nodes():
        chain = [link.code for link in catalogue.chain(each)]
        assert len(set(chain)) == len(chain)
        if each.answers_node:
            assert chain.index(each.answers_node) < chain.index(each.code)
        else:
            assert chain[0] == each.code


def test_a_schema_shows_what_is_asked_of_each_field(catalogue: NodeCatalogue) -> None:
    shown = {field.key: field for field in schema_message(catalogue.schema(node(catalogue, "YS037"))).fields}
    assert (shown["outcome"].required, shown["judgment_number"].expected) == (True, True)
    assert shown["judgment_number"].number_kind == "court-case"
    assert (shown["charge"].code_role, shown["charge"].repeated, shown["charge"].per_party) == ("charge", True, True)
    assert (shown["page_count"].minimum, shown["page_count"].HasField("maximum")) == (0, False)


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
