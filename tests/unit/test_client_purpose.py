"""A purpose is what was said, or is refused with what can be said."""

from __future__ import annotations

import pytest

from casemesh.client.purpose import KIND_KEY, TEXT_KEY, Purpose, PurposeError, purpose_of
from casemesh.data.viewing_purposes import viewing_purposes
from casemesh.errors import InvalidArgument


@pytest.mark.parametrize("text", ["handling", "other: 领导交办核查", "supervision:抽查"])
def test_what_is_stated_arrives(text: str) -> None:
    stated = Purpose.parse(text)
    assert stated == purpose_of([("authorization", "Bearer x"), *stated.metadata()])


@pytest.mark.parametrize(
    "text", ["other\uff1a抽查:\u3000一次", "other:抽查:\u3000一次"], ids=["full width", "half width"]
)
def test_what_a_chinese_keyboard_types_is_understood_and_kept(text: str) -> None:
    assert Purpose("other", "抽查:\u3000一次") == Purpose.parse(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no kind"),
        ("curiosity", "curiosity"),
        ("other", "asks for words"),
        ("other:  ", "asks for words"),
        ("other:" + "字" * 201, "at most 200"),
        ("other:a\nb", "one line"),
    ],
)
def test_what_says_nothing_is_no_purpose(text: str, named: str) -> None:
    with pytest.raises(PurposeError, match=named):
        Purpose.parse(text)


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        [(KIND_KEY, "curiosity")],
        [(KIND_KEY, "other")],
        [(KIND_KEY, "handling"), (KIND_KEY, "handling")],
        [(KIND_KEY, "other"), (TEXT_KEY, b"\xff")],
        [(KIND_KEY, "other"), (TEXT_KEY, b"a"), (TEXT_KEY, b"b")],
    ],
    ids=["none", "unknown", "no words", "twice", "not UTF-8", "words twice"],
)
def test_a_call_that_states_no_purpose_is_told_which_there_are(metadata: list[tuple[str, str | bytes]]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        purpose_of(metadata)
    assert ("PURPOSE_MISSING", {"kinds": ",".join(viewing_purposes())}) == (
        refused.value.reason, refused.value.metadata,
    )  # fmt: skip


def test_every_purpose_is_named_in_both_languages() -> None:
    for purpose in viewing_purposes().values():
        assert purpose.name_en.isascii()
        assert not purpose.name_zh.isascii()
    assert ["supervision", "quality", "retrial", "other"] == [
        purpose.code for purpose in viewing_purposes().values() if purpose.asks_for_text
    ]
