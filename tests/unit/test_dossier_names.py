"""Names of volumes and files are data: kept as sent, refused when a recipient could not write them out safely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.client.document_names import check_name, name_key
from casemesh.errors import InvalidArgument


@pytest.mark.parametrize(
    "name", ["讯问笔录（第一次）.pdf", "证据卷一", "a", "长" * 85, "..a", ".hidden", "a..b", "con"]
)
def test_ordinary_names_pass(name: str) -> None:
    check_name("file_name", name, 0)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "empty"),
        (".", "folder"),
        ("..", "folder"),
        ("../起诉意见书.pdf", "separator"),
        ("a/b", "separator"),
        ("a\\b", "separator"),
        ("/etc/passwd", "absolute"),
        ("a\x00b", "NUL"),
        ("a\nb", "control"),
        ("a\x7f", "control"),
        ("a\x85", "control"),
        ("a\u2028b", "control"),
        ("a\ud800", "control"),
        ("长" * 85 + "a", "255"),
    ],
)
def test_a_name_unsafe_to_write_out_is_refused_naming_field_and_document(name: str, fault: str) -> None:
    with pytest.raises(InvalidArgument, match=fault) as caught:
        check_name("volume", name, 7)
    assert caught.value.reason == "DOCUMENT_NAME_INVALID"
    assert caught.value.metadata == {"field": "volume", "document_index": "7"}
    assert [violation.field for violation in caught.value.violations] == ["volume"]


def test_a_refusal_never_repeats_the_name() -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_name("file_name", "张某某\x00.pdf", 1)
    assert "张某某" not in str(caught.value)


def test_names_that_differ_only_in_normalisation_have_one_key() -> None:
    composed, decomposed = "caf\u00e9.pdf", "cafe\u0301.pdf"
    assert composed != decomposed
    assert name_key("v", composed) == name_key("v", decomposed)
    assert name_key("v", composed) != name_key("w", composed)


@given(st.text(max_size=300))
def test_a_name_that_passes_is_one_path_segment_that_fits_any_file_system(name: str) -> None:
    try:
        check_name("file_name", name, 0)
    except InvalidArgument:
        return
    assert 0 < len(name.encode()) <= 255
    assert not set(name) & {"/", "\\", "\x00", "\n", "\r"}
    assert name not in (".", "..")
