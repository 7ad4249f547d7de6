"""Subjects from names, page tokens, and whom a certificate may speak for."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemesh.errors import InvalidArgument, PermissionDenied
from casemesh.identity.assertions import asserted_subject, officer_id_of
from casemesh.identity.directory_store import CertificateHolder
from casemesh.identity.page_tokens import (
    FIRST_UUID,
    LAST_UUID,
    cut_page,
    is_agency_code,
    read_page_token,
)
from casemesh.identity.subjects import Subject, subject_of

# Fixed, since they stand in the names of test cases.
AGENCY_ID, OTHER_AGENCY_ID, SYSTEM_ID, WORKSTATION_ID, OFFICER_ID, COLLEAGUE_ID = (
    f"019a0000-0000-7000-8000-00000000000{number}" for number in range(6)
)
SYSTEM, WORKSTATION = f"agencies/{AGENCY_ID}/systems/{SYSTEM_ID}", f"agencies/{AGENCY_ID}/workstations/{WORKSTATION_ID}"
OFFICER, COLLEAGUE, FOREIGN = (
    f"agencies/{AGENCY_ID}/officers/{OFFICER_ID}",
    f"agencies/{AGENCY_ID}/officers/{COLLEAGUE_ID}",
    f"agencies/{OTHER_AGENCY_ID}/officers/{OFFICER_ID}",
)


def test_a_subject_keeps_the_names_it_was_made_of() -> None:
    by_system = subject_of(SYSTEM, OFFICER)
    assert Subject(AGENCY_ID, "system", SYSTEM_ID, OFFICER_ID) == by_system
    assert (f"agencies/{AGENCY_ID}", OFFICER) == (by_system.agency, by_system.name)
    assert subject_of(SYSTEM, None).name == SYSTEM
    assert Subject(AGENCY_ID, "workstation", WORKSTATION_ID, OFFICER_ID) == subject_of(WORKSTATION, OFFICER)


@pytest.mark.parametrize(
    ("client", "officer"),
    [
        (OFFICER, OFFICER),
        ("", None),
        (f"{SYSTEM}/x", None),
        (SYSTEM, FOREIGN),
        (SYSTEM, SYSTEM),
        (SYSTEM, ""),
        (WORKSTATION, None),
        (WORKSTATION, FOREIGN),
    ],
)
def test_names_that_do_not_fit_each_other_are_no_subject(client: str, officer: str | None) -> None:
    with pytest.raises(ValueError, match=r"agenc|form|officer|system"):
        subject_of(client, officer)


def holder(kind: str, assertable: str | None, own: str | None = None) -> CertificateHolder:
    return CertificateHolder(AGENCY_ID, kind, SYSTEM_ID if kind == "system" else WORKSTATION_ID, own, assertable)


def test_a_system_speaks_for_itself_and_for_an_officer_of_its_agency() -> None:
    assert Subject(AGENCY_ID, "system", SYSTEM_ID, None) == asserted_subject(holder("system", None), "")
    assert Subject(AGENCY_ID, "system", SYSTEM_ID, OFFICER_ID) == asserted_subject(
        holder("system", OFFICER_ID), OFFICER
    )


def test_a_workstation_speaks_for_its_officer_named_or_not() -> None:
    for named in ("", OFFICER):
        assert Subject(AGENCY_ID, "workstation", WORKSTATION_ID, OFFICER_ID) == asserted_subject(
            holder("workstation", OFFICER_ID, OFFICER_ID), named
        )


@pytest.mark.parametrize(
    ("held", "officer"),
    [
        (holder("system", None), OFFICER),
        (holder("system", OFFICER_ID), FOREIGN),
        (holder("system", OFFICER_ID), COLLEAGUE),
        (holder("workstation", None, OFFICER_ID), ""),
        (holder("workstation", None, OFFICER_ID), OFFICER),
        (holder("workstation", COLLEAGUE_ID, OFFICER_ID), COLLEAGUE),
        (holder("workstation", OFFICER_ID, OFFICER_ID), FOREIGN),
        (holder("workstation", OFFICER_ID, OFFICER_ID), COLLEAGUE),
    ],
    ids=[
        "inactive or unknown officer",
        "the same identifier under another agency",
        "another officer than asked for",
        "workstation of an inactive officer",
        "workstation of an inactive officer, named",
        "workstation for a colleague",
        "workstation for a foreign officer",
        "workstation for another name",
    ],
)
def test_nobody_else_is_spoken_for_and_all_refusals_are_alike(held: CertificateHolder, officer: str) -> None:
    with pytest.raises(PermissionDenied) as error:
        asserted_subject(held, officer)
    assert error.value.reason == "OFFICER_NOT_ASSERTABLE"
    assert str(error.value).endswith("officer is not one that this certificate may speak for")
    assert error.value.metadata == {}


def test_an_officers_identifier_is_read_from_the_name() -> None:
    assert (officer_id_of(OFFICER), officer_id_of("")) == (OFFICER_ID, None)


@given(items=st.lists(st.uuids().map(str), max_size=30, unique=True), size=st.integers(1, 8))
def test_pages_put_together_are_the_whole_list(items: list[str], size: int) -> None:
    items.sort()
    seen: list[str] = []
    token, rounds = "", 0
    while rounds == 0 or token:
        rounds += 1
        after = read_page_token(token, FIRST_UUID)
        rest = [item for item in items if item > after]
        page, token = cut_page(rest[: size + 1], size, lambda item: item)
        seen += page
    assert items == seen
    assert max(1, -(-len(items) // size)) == rounds


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "????",
        "é",
        base64.urlsafe_b64encode(b"not a uuid").decode(),
        base64.urlsafe_b64encode(b"\xff\xff").decode(),
        base64.urlsafe_b64encode(b"' OR 1=1 --").decode(),
        base64.urlsafe_b64encode(LAST_UUID.upper().encode()).decode(),
    ],
)
def test_a_token_that_no_list_gave_is_refused_by_field(token: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        read_page_token(token, FIRST_UUID)
    assert [violation.field for violation in error.value.violations] == ["page_token"]


@pytest.mark.parametrize("code", ["beihu-police", "0", "a" * 40])
def test_an_agencys_code_is_a_key(code: str) -> None:
    assert is_agency_code(code)


@pytest.mark.parametrize("code", ["", "-a", "A", "a" * 41, "a\n", "a b"])
def test_other_text_is_no_agencys_code(code: str) -> None:
    assert not is_agency_code(code)
