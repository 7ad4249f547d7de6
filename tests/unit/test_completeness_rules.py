"""The shipped rules cover what the nodes name; a site's rows take their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from casemesh.data import nodes
from casemesh.data.dossier_catalogue import load
from casemesh.data.required_documents import CompletenessRule, shipped_rules
from casemesh.dossier.completeness.rules import Rules
from casemesh.dossier.never_crosses import type_never_crosses
from casemesh.errors import NotFound
from casemesh.runtime.config import ConfigError

HEADER = "node,finding,types,names,count,scope,severity,condition,source"


def site(tmp_path: Path, *lines: str) -> Rules:
    path = tmp_path / "rules.csv"
    path.write_text("\n".join([HEADER, *lines, ""]), encoding="utf-8")
    return Rules.read(path)


def typed() -> dict[str, str]:
    return {name: kind.code for kind in load().types.values() for name in (kind.name, *kind.aliases)}


def test_every_document_a_node_names_is_required_of_it_unless_it_never_crosses() -> None:
    types = typed()
    named = {
        (node.code, name)
        for node in nodes()
        for name in node.documents
        if not type_never_crosses(types.get(name, ""))
    }  # fmt: skip
    required = {
        (rule.node, name)
        for rule in shipped_rules()
        if rule.source == "nodes.csv, documents"
        for name in rule.names
    }  # fmt: skip
    assert named == required


def test_a_requirement_accepts_the_type_of_each_of_its_names() -> None:
    types, catalogue = typed(), load()
    # These stand for whatever evidence or papers there are.
    whole = {"B066", "D005"}
    for rule in shipped_rules():
        accepted = {
            kind.code for kind in catalogue.types.values() if kind.code in rule.types or kind.volume in rule.types
        }  # fmt: skip
        assert {types[name] for name in rule.names if name in types} - whole <= accepted, rule


def test_what_has_no_type_is_few_and_only_a_warning() -> None:
    types = typed()
    without = {name for rule in shipped_rules() for name in rule.names if name not in types}
    assert 42 == len(without)
    assert not any(rule.blocking for rule in shipped_rules() if not set(rule.names) <= set(types))


def test_as_shipped_only_an_empty_file_blocks_besides_what_never_crosses() -> None:
    rules = Rules()
    for code in ["", *(node.code for node in nodes())]:
        held = rules.of(code)
        assert {"EMPTY"} == held.blocking
        assert not any(rule.blocking for rule in (*held.required, *held.at_most))


def test_without_a_node_nothing_is_required() -> None:
    assert () == Rules().of("").required
    assert Rules().of("QS001").required != ()
    with pytest.raises(NotFound) as caught:
        Rules().of("QS999")
    assert ("NODE_UNKNOWN", {"node": "nodes/QS999"}) == (caught.value.reason, caught.value.metadata)


def test_a_sites_list_for_a_node_is_the_whole_list_and_leaves_other_nodes_alone(tmp_path: Path) -> None:
    rules = site(tmp_path, "QS001,MISSING,A064,起诉意见书,1,case,blocking,,our lawyer")
    assert [("A064",)] == [rule.types for rule in rules.of("QS001").required]
    assert rules.of("QS001").required[0].blocking
    assert Rules().of("YS001") == rules.of("YS001")


def test_a_site_can_require_nothing_of_a_node(tmp_path: Path) -> None:
    rules = site(tmp_path, "QS001,MISSING,,,0,case,warning,,our lawyer")
    assert all(rule.count == 0 for rule in rules.of("QS001").required)


def test_a_sites_word_on_a_finding_holds_everywhere_or_for_one_node(tmp_path: Path) -> None:
    rules = site(
        tmp_path, "*,UNREADABLE,,,,,blocking,,our lawyer", "QS001,UNREADABLE,,,,,warning,,x", "*,EMPTY,,,,,warning,,x"
    )
    assert {"UNREADABLE"} == rules.of("YS001").blocking
    assert set() == rules.of("QS001").blocking


def test_a_site_can_raise_how_often_a_type_may_stand(tmp_path: Path) -> None:
    def at_most(rules: Rules, code: str) -> list[int]:
        return [rule.count for rule in rules.of("").at_most if rule.types == (code,)]

    assert [1] == at_most(Rules(), "A003")
    rules = site(tmp_path, "*,DUPLICATE,A003,立案决定书,9,case,warning,,our lawyer")
    assert ([9], [1]) == (at_most(rules, "A003"), at_most(rules, "E023"))
    assert set() == rules.of("").blocking - {"EMPTY"}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("QS999,MISSING,A064,起诉意见书,1,case,warning,,x", "node"),
        ("*,NEVER_CROSSES,,,,,warning,,x", "finding"),
        ("*,MISSING,A999,起诉意见书,1,case,warning,,x", "types"),
        ("*,MISSING,A064,,1,case,warning,,x", "names"),
        ("*,MISSING,A064,起诉意见书,many,case,warning,,x", "count"),
        ("*,MISSING,A064,起诉意见书,1,item,warning,,x", "scope"),
        ("*,MISSING,A064,起诉意见书,1,case,fatal,,x", "severity"),
        ("*,MISSING,A064,起诉意见书,1,case,blocking,在押的,x", "severity"),
        ("*,MISSING,A064,起诉意见书,1,case,warning,,", "source"),
        ("*,EMPTY,,,1,,warning,,x", "count"),
        ("*,EMPTY,,,,,warning", "line"),
    ],
)
def test_a_sites_file_that_breaks_the_rules_is_refused_with_the_place(tmp_path: Path, line: str, field: str) -> None:
    with pytest.raises(ConfigError, match=rf"completeness_rules: rules\.csv:2: {field}"):
        site(tmp_path, line)


def test_a_sites_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="completeness_rules"):
        Rules.read(tmp_path / "none.csv")
    path = tmp_path / "gbk.csv"
    path.write_bytes(f"{HEADER}\n*,EMPTY,,,,,warning,,".encode() + "律师".encode("gb18030"))
    with pytest.raises(ConfigError, match=r"gbk\.csv:2: line: not UTF-8"):
        Rules.read(path)


def test_a_title_says_whether_all_names_or_one_of_them() -> None:
    def titled(count: int, condition: str = "") -> str:
        return CompletenessRule("*", "MISSING", (), ("甲", "乙"), count, False, False, condition, "x").title

    assert ("甲 或 乙", "甲、乙", "甲 或 乙(在押的)") == (titled(1), titled(2), titled(1, "在押的"))
