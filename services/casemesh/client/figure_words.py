"""Figures as people read them, in Chinese and in English."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from casemesh.data.catalogue import nodes
from casemesh.data.return_reasons import return_reasons

if TYPE_CHECKING:
    from casemesh.supervision.v1.figures_service_pb2 import Figure

Words = tuple[str, str]
"""The same in Chinese and in English."""

MEASURES: Final[Mapping[str, Words]] = {
    "sent": ("发出", "sent"),
    "sent_on_paper": ("其中纸质补录", "of them on paper"),
    "sent_on_single_track": ("其中单轨", "of them on single track"),
    "withdrawn": ("撤回", "withdrawn"),
    "received": ("接收", "received"),
    "accepted": ("受理", "accepted"),
    "answered": ("反馈", "answered"),
    "expired": ("逾期未答复", "expired"),
    "undelivered": ("未能送达", "undelivered"),
    "online": ("线上办理", "on the platform"),
    "to_delivery": ("发出至送达", "submission to delivery"),
    "to_acceptance": ("送达至受理", "delivery to acceptance"),
    "to_answer": ("受理至反馈", "acceptance to answer"),
    "stage": ("诉讼阶段历时", "time at a stage"),
    "returned": ("退回补正", "returned"),
    "returned_for": ("退回原因", "returned for"),
    "handed_over": ("移交卷宗", "handed over"),
    "taken_over": ("接收卷宗", "taken over"),
    "paper_saved": ("节约用纸", "paper saved"),
    "near": ("临近期限", "near"),
    "passed": ("超过期限", "passed"),
    "late": ("逾期办结", "kept too late"),
    "alerts": ("异常查阅提示", "alerts on access"),
}
_STAGES: Final[Mapping[str, Words]] = {
    "INVESTIGATION": ("侦查", "investigation"),
    "PROSECUTION": ("审查起诉", "examination and prosecution"),
    "TRIAL": ("审判", "trial"),
    "EXECUTION": ("执行", "execution"),
}
_ALERTS: Final[Mapping[str, Words]] = {
    "reads_neared": ("每小时阅卷偏多", "many readings an hour"),
    "reads_reached": ("每小时阅卷达上限", "limit of readings an hour"),
    "cases_neared": ("每日查阅案件偏多", "many cases a day"),
    "cases_reached": ("每日查阅案件达上限", "limit of cases a day"),
    "bytes_neared": ("每日下载偏多", "many bytes a day"),
    "bytes_reached": ("每日下载达上限", "limit of bytes a day"),
    "refusals": ("短时多次被拒", "refused many times"),
    "unusual_hour": ("非工作时段阅卷", "read at an unusual hour"),
    "break_glass": ("紧急查看", "emergency"),
}


def measure_words(figure: Figure) -> Words:
    """Return what was counted."""
    return MEASURES.get(figure.measure, (figure.measure, figure.measure))


def detail_words(figure: Figure) -> Words:
    """Return what its measure tells apart; a code that has no words stands for itself."""
    code, other = figure.detail, (figure.detail, figure.detail)
    match figure.measure:
        case "stage":
            return _STAGES.get(code, other)
        case "alerts":
            return _ALERTS.get(code, other)
        case "near" | "passed" | "late":
            zh, en = _rule_words().get(code, ("", ""))
            return f"{code} {zh}".strip(), f"{code} {en}".strip()
        case "returned_for" if (reason := return_reasons().get(code)) is not None:
            return reason.name_zh, reason.name_en
        case _:
            return other


@cache
def _rule_words() -> Mapping[str, Words]:
    """Return the names of the shipped rules of supervision."""
    folder = files("casemesh.data").joinpath("supervision", "rules")
    shipped = [
        tomllib.loads(file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.name.endswith(".toml")
    ]
    return {rule["id"]: (rule["zh"], rule["en"]) for content in shipped for rule in content["rule"]}


def node_words() -> Callable[[str], Words]:
    """Return what names a node by its code; one that the shipped catalogue lacks stands for itself."""
    names = {node.code: (node.name_zh, node.name_en) for node in nodes()}
    return lambda code: names.get(code, (code, code))


def share(figure: Figure) -> float | None:
    """Return the share from 0 to 1, None where the figure is none or of nothing."""
    return figure.count / figure.of_count if figure.of_count else None


def mean_seconds(figure: Figure) -> float:
    """Return the mean of a time."""
    return figure.amount / figure.count if figure.count else 0.0


def duration(seconds: float) -> Words:
    """Return a length of time as people say it, in the unit in which it is at least one."""
    for length, chinese, english in ((86400, "天", "d"), (3600, "小时", "h"), (60, "分", "min")):
        if seconds >= length:
            return f"{seconds / length:.1f} {chinese}", f"{seconds / length:.1f} {english}"
    return f"{seconds:.0f} 秒", f"{seconds:.0f} s"
