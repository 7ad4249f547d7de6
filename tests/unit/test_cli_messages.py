"""Both languages say the same, and nothing that the commands say is missing."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

import casemesh.cli
from casemesh.cli import messages
from casemesh.cli.messages import Language, choose_language, reason_text, text
from casemesh.common.v1.error_reason_pb2 import ErrorReason

SOURCES = sorted(Path(casemesh.cli.__file__).parent.glob("*.py"))
GROUPS = {key.partition(".")[0] for key in messages.keys()}


def used_keys() -> set[str]:
    found: set[str] = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                group, _, name = node.value.partition(".")
                if group in GROUPS and re.fullmatch("[a-z0-9_]*[a-z0-9]", name):
                    found.add(node.value)
    return found


def demo_steps() -> set[str]:
    found = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "step":
                assert isinstance(node.args[0], ast.Constant)
                found.add(f"demo.{node.args[0].value}")
    return found


def test_every_message_used_is_in_the_catalogue() -> None:
    assert used_keys() - messages.keys() == set()
    assert demo_steps() - messages.keys() == set()


def test_no_message_is_left_over() -> None:
    of_enums = ("stage.", "measure.", "next.", "aspect.", "succession.")
    composed = {
        key
        for key in messages.keys()
        if key.startswith(
            (
                "reason.",
                "access.kind_",
                "access.state_",
                "access.rule_",
                "warning.rank_",
                "warning.state_",
                "warning.move_",
                "demo.column_",
                "demo.result_",
                "demo.failed_",
                *of_enums,
            )
        )
    }
    assert messages.keys() - used_keys() - demo_steps() - composed == set()


@pytest.mark.parametrize("key", sorted(messages.keys()))
def test_both_languages_have_the_same_places(key: str) -> None:
    places = [
        {name for _, name, _, _ in string.Formatter().parse(messages._catalogue()[key][language.value]) if name}
        for language in Language
    ]
    assert places[0] == places[1]


@pytest.mark.parametrize("reason", [name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()[1:]])
def test_every_error_reason_has_a_sentence(reason: str) -> None:
    assert reason_text(reason, Language.CHINESE)
    assert reason_text(reason, Language.ENGLISH)


def test_an_unknown_reason_has_none() -> None:
    assert reason_text("OF_A_LATER_RELEASE", Language.ENGLISH) is None


@pytest.mark.parametrize(
    ("asked", "environ", "language"),
    [
        ("", {"LANG": "zh_CN.UTF-8"}, Language.CHINESE),
        ("", {"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US"}, Language.ENGLISH),
        ("", {}, Language.ENGLISH),
        ("", {"LANG": "fr_FR"}, Language.ENGLISH),
        ("zh", {"LANG": "en_US"}, Language.CHINESE),
        ("en", {"LANG": "zh_CN"}, Language.ENGLISH),
    ],
)
def test_the_language_follows_the_users_wish(asked: str, environ: dict[str, str], language: Language) -> None:
    assert choose_language(asked, environ) is language


def test_values_stand_in_their_places() -> None:
    assert text("case.registered", Language.CHINESE, name="cases/1") == "已登记 cases/1"
