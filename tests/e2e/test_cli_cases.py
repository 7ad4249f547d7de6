"""What an officer does with `casemesh case`, on a whole platform through its gateway."""

from __future__ import annotations

import pytest

from tests.e2e.test_cli import POLICE_THEFT, Casemesh
from tests.e2e.test_cli import casemesh as casemesh  # the fixture

pytestmark = pytest.mark.timeout(300)
LIN = "police"


def _registered(casemesh: Casemesh, *names: str) -> tuple[str, list[str]]:
    parties = [word for name in names for word in ("--party", f"{name};charge={POLICE_THEFT}")]
    case = casemesh.json(LIN, "case", "register", "虚构案件", *parties)
    return case["name"], [party["name"] for party in case["parties"]]


def test_numbers_are_linked_found_and_unlinked(casemesh: Casemesh) -> None:
    case, _ = _registered(casemesh, "甲(虚构)")
    odd = casemesh.run(LIN, "case", "number", "link", case, "虚构第1号", "--lang", "zh")
    assert "NUMBER_FORM_UNKNOWN" in odd.stderr
    casemesh.json(LIN, "case", "number", "link", case, "（2026）虚0101刑初90001号")
    found = casemesh.json(LIN, "case", "number", "find", "(2026) 虚0101刑初90001号")
    assert [case] == [item["case"] for item in found]
    casemesh.json(LIN, "case", "number", "unlink", case, "虚构第1号", "--reason", "录入有误")
    listed = casemesh.json(LIN, "case", "number", "list", case)
    assert [True, False] == ["unlink_time" in item for item in listed]
    assert 3 == casemesh.refused(LIN, "case", "number", "unlink", case, "虚构第1号", "--reason", "x")["exit_code"]


def test_parties_become_known_and_their_history_is_kept(casemesh: Casemesh) -> None:
    case, _ = _registered(casemesh, "甲(虚构)")
    added = casemesh.json(LIN, "case", "party", "add", case, "自报姓名乙(虚构)", "--unknown", "--reason", "到案")
    party = added["name"]
    assert added["identity_unknown"]
    named = casemesh.json(LIN, "case", "party", "identify", party, "乙(虚构)", "--reason", "查明")
    assert ("乙(虚构)", False) == (named["display_name"], "identity_unknown" in named)
    casemesh.json(LIN, "case", "party", "charge", party, POLICE_THEFT, "--from", "2026-03-01", "--reason", "查明")
    history = casemesh.run(LIN, "case", "party", "history", party, "--lang", "zh").stdout
    assert ["身份", "罪名"] == [line.split("\t")[1] for line in history.splitlines()]
    assert "盗窃案" in history


def test_cases_and_parties_are_merged_split_and_undone(casemesh: Casemesh) -> None:
    case, parties = _registered(casemesh, "甲(虚构)", "乙(虚构)", "丙(虚构)")
    other, others = _registered(casemesh, "甲某(虚构)")
    (merged,) = casemesh.json(
        LIN, "case", "merge", case, "--from", other, "--same", f"{others[0]}={parties[0]}", "--reason", "并案"
    )
    assert ("CASES_MERGED", 2) == (merged["kind"], len(merged["links"]))
    refused = casemesh.refused(LIN, "case", "party", "add", other, "丁(虚构)", "--reason", "到案")
    assert ("CASE_SUPERSEDED", case) == (refused["error"], refused["metadata"]["successor"])
    (undone,) = casemesh.json(LIN, "case", "undo", merged["name"], "--reason", "有误")
    assert ("UNDONE", merged["name"]) == (undone["kind"], undone["undoes"])

    (split,) = casemesh.json(
        LIN, "case", "split", case, "--party", parties[1], "--title", "乙案(虚构)", "--reason", "另案处理"
    )
    assert "CASE_SPLIT" == split["kind"]
    (one,) = casemesh.json(LIN, "case", "party", "merge", parties[0], "--from", parties[2], "--reason", "系同一人")
    (two,) = casemesh.json(
        LIN, "case", "party", "split", parties[0], "--name", "甲(虚构)", "--name", "丁(虚构)", "--reason", "系两人"
    )
    assert ("PARTIES_MERGED", "PARTY_SPLIT") == (one["kind"], two["kind"])
    told = casemesh.run(LIN, "case", "successions", case, "--lang", "zh").stdout
    assert {"并案", "撤销", "分案", "合并当事人", "拆分当事人"} <= set(told.split())


def test_progress_and_what_comes_next_are_told_in_words(casemesh: Casemesh) -> None:
    party = f"甲(虚构);charge={POLICE_THEFT};custody=bail@2026-03-01"
    registered = casemesh.json(LIN, "case", "register", "虚构盗窃案", "--party", party)
    case, name = registered["name"], registered["parties"][0]["name"]
    casemesh.json(LIN, "exchange", "submit", "--case", case, "--node", "LA001", "--to", "beihu-procuratorate")
    shown = casemesh.run(LIN, "case", "progress", case, "--lang", "zh")
    assert "办理中" in shown.stderr
    assert {"取保候审", "不在押", "待反馈"} <= set(shown.stdout.split())
    (person,) = casemesh.json(LIN, "case", "progress", case)["persons"]
    assert ["nodes/LA001"] == [item["node"] for item in person["open_exchanges"]]
    coming = casemesh.json(LIN, "case", "next", name)
    assert ["nodes/LA002"] == [item["node"] for item in coming if item["reason"] == "ANSWERS"]
    assert "反馈 LA001" in casemesh.run(LIN, "case", "next", name, "--lang", "zh").stdout
