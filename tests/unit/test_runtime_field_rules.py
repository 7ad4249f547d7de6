"""The rules in the protos are held, each with the path of the field and what it must be."""

import pytest

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.dossier.v1.dossier_service_pb2 import DocumentFinish, UploadDocumentsRequest, UploadFrame
from casemesh.errors import InvalidArgument
from casemesh.identity.v1.directory_admin_service_pb2 import CreateAgencyRequest, CreateSystemRequest
from casemesh.routing.v1.case_service_pb2 import ListCasesRequest, PartyDraft, RegisterCaseRequest
from casemesh.routing.v1.exchange_pb2 import PayloadField
from casemesh.routing.v1.exchange_service_pb2 import SubmitExchangeRequest
from casemesh.runtime.field_rules import validate


def violations(message: object) -> dict[str, str]:
    """Return what is wrong by path."""
    try:
        validate(message)  # type: ignore[arg-type]
    except InvalidArgument as error:
        return {violation.field: violation.description for violation in error.violations}
    return {}


def register(**changes: object) -> RegisterCaseRequest:
    party = PartyDraft(kind=1, display_name="an invented person")
    return RegisterCaseRequest(**{"request_id": new_id(), "title": "invented", "parties": [party], **changes})


def test_a_request_that_keeps_the_rules_passes() -> None:
    assert violations(register()) == {}


def test_required_fields_of_every_type_must_be_set() -> None:
    assert {"request_id", "title", "parties"} == set(violations(RegisterCaseRequest()))
    assert "certificate_sha256" in violations(CreateSystemRequest())


def test_the_path_leads_into_repeated_and_nested_messages() -> None:
    bad = PartyDraft(kind=1, display_name="x", charges=[CodedValue(code_system="UPPER", code="1")])
    found = violations(register(parties=[PartyDraft(kind=1, display_name="x"), bad]))
    assert {"parties[1].charges[0].code_system"} == set(found)


def test_an_enum_value_nobody_defined_is_refused() -> None:
    assert violations(
        register(parties=[PartyDraft(kind=77, display_name="x")])  # type: ignore[arg-type]
    ) == {"parties[0].kind": "must be a value of its enum"}


def test_a_resource_name_must_have_its_form() -> None:
    wrong = SubmitExchangeRequest(
        request_id=new_id(), case="cases/1", node="nodes/../x", recipient="agencies/x", parties=["cases/1/parties/2"]
    )
    assert {"case", "node", "recipient", "parties[0]"} == set(violations(wrong))


def test_numbers_have_bounds_and_unset_ones_are_not_complained_of() -> None:
    assert violations(ListCasesRequest()) == {}
    assert violations(ListCasesRequest(page_size=-1)) == {"page_size": "must be at least 0, not -1"}
    assert violations(ListCasesRequest(page_size=1001)) == {"page_size": "must be at most 1000, not 1001"}


def test_bytes_of_a_digest_have_one_length_even_when_absent() -> None:
    frame = UploadFrame(document_finish=DocumentFinish(sha256=b"short"))
    found = violations(UploadDocumentsRequest(frames=[frame]))
    assert found == {"frames[0].document_finish.sha256": "must have at least 32 bytes, not 5"}
    empty = UploadDocumentsRequest(frames=[UploadFrame(document_finish=DocumentFinish())])
    assert {"frames[0].document_finish.sha256"} == set(violations(empty))


def test_a_member_of_a_oneof_is_checked_only_when_it_is_the_one() -> None:
    assert violations(PayloadField(key="note", flag=True)) == {}
    assert {"text"} == set(violations(PayloadField(key="note", text="x" * 10_001)))


def test_patterns_hold_for_the_whole_string() -> None:
    good = CreateAgencyRequest(request_id=new_id(), code="beihu-police", display_name="x", organ="GA")
    assert violations(good) == {}
    for code in ("Beihu", "beihu police", "-beihu", "beihu\n", "x" * 41):
        good.code = code
        assert {"code"} == set(violations(good)), code


@pytest.mark.parametrize("title", ["\x00", "a\x00b"])
def test_nul_is_refused_in_any_string(title: str) -> None:
    assert violations(register(title=title)) == {"title": "must not hold NUL"}
