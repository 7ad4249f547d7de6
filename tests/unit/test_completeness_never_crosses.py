"""What never leaves an agency is known by type and by the volume's name, without false alarms."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from casemesh.data.dossier_catalogue import load
from casemesh.dossier.never_crosses import (
    never_crosses,
    require_transferable,
    type_never_crosses,
    volume_never_crosses,
)
from casemesh.errors import FailedPrecondition


@dataclass(frozen=True)
class Sent:
    index: int = 0
    volume: str = "证据卷一"
    type_code: str = ""
    confidence: float = 0.0


@pytest.mark.parametrize(
    "name",
    [
        "侦查工作卷", "侦查 工作卷(副卷)", "3_工作卷", "工作卷", "副卷", "法院副卷一", "正副卷", "检察内卷",
        "内卷", "02-内卷", "密卷", "机密卷", "证人保护卷", "证人保护", "合议庭评议笔录", "审委会讨论记录",
        "未成年人犯罪记录封存卷", "犯罪记录封存", "封存卷", "封存",
        "Police working volume", "inner file", "Witness protection file", "sealed juvenile records",
    ],
)  # fmt: skip
def test_a_volume_is_held_back_by_its_name(name: str) -> None:
    assert volume_never_crosses(name)


@pytest.mark.parametrize(
    "name",
    [
        "诉讼文书卷", "证据卷一", "侦查卷", "正卷", "正副本", "副本", "起诉书副本卷", "涉密卷", "加密卷", "省内卷宗",
        "卷内目录", "补充侦查卷", "社会工作卷宗", "电子数据封存卷", "封存电子数据清单", "法院正卷", "证人证言",
        "evidence volume 1", "working papers",
        *(volume.name_zh for volume in load().volumes.values() if volume.transferable),
    ],
)  # fmt: skip
def test_other_volumes_are_not(name: str) -> None:
    assert not volume_never_crosses(name)


def test_every_volume_that_the_catalogue_holds_back_is_known_by_its_name_in_both_languages() -> None:
    held = [volume for volume in load().volumes.values() if not volume.transferable]
    assert {"C", "F", "H"} == {volume.code for volume in held}
    for volume in held:
        assert volume_never_crosses(volume.name_zh)
        assert volume_never_crosses(volume.name_en)


def test_a_type_is_held_back_that_says_so_or_lies_in_a_volume_that_does() -> None:
    catalogue = load()
    expected = {
        code
        for code, kind in catalogue.types.items()
        if not kind.transferable or not catalogue.volumes[kind.volume].transferable
    }
    assert {"A075", "E045", "E061", "E080", "G031", "G032"} == expected
    assert expected == {code for code in catalogue.types if type_never_crosses(code)}
    assert not type_never_crosses("")


def test_a_sure_guess_holds_a_document_back_and_a_weak_one_does_not() -> None:
    assert never_crosses(Sent(type_code="G031", confidence=0.8))
    assert not never_crosses(Sent(type_code="G031", confidence=0.79))


def test_an_innocent_type_does_not_free_a_document_from_its_volume() -> None:
    assert never_crosses(Sent(volume="侦查工作卷", type_code="A003", confidence=1.0))


def test_the_refusal_names_the_first_and_counts_all() -> None:
    sent = [Sent(0), Sent(1, volume="副卷"), Sent(2, type_code="E061", confidence=1.0), Sent(3, type_code="A003")]
    with pytest.raises(FailedPrecondition) as caught:
        require_transferable(sent)
    assert caught.value.reason == "DOCUMENT_NEVER_CROSSES"
    assert {"document_index": "1", "type_code": "", "document_count": "2"} == caught.value.metadata
    require_transferable([Sent(0), Sent(3, type_code="A003")])
