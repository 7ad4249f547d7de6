"""What becomes of coded values, with a translation service of a few lines."""

from collections.abc import Iterable

import pytest

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.errors import CaseMeshError, InvalidArgument, NotFound, PermissionDenied, Unauthenticated, Unavailable
from casemesh.routing.coding import Coding
from casemesh.routing.dependencies import asking
from casemesh.routing.organ_tables import OrganTables
from casemesh.routing.payload import CodedPlace
from casemesh.translation.v1 import translation_pb2 as pb2
from casemesh.translation.v1 import translation_service_pb2 as service_pb2

TABLES = OrganTables(
    [
        {"organ": "GA", "subject": "charge", "code_system": "police"},
        {"organ": "JCY", "subject": "charge", "code_system": "charges"},
        {"organ": "FY", "subject": "charge", "code_system": "not-loaded"},
    ]
)


class FakeTranslation:
    """Maps `n` of the police's table to `Xn` for even n; knows the codes 0 to 4999."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    async def TranslateCodes(
        self, request: service_pb2.TranslateCodesRequest, timeout: float
    ) -> service_pb2.TranslateCodesResponse:
        self.batches.append(len(request.items))
        return service_pb2.TranslateCodesResponse(translations=[self._one(item) for item in request.items])

    def _one(self, item: service_pb2.TranslateCodesItem) -> pb2.Translation:
        value, target = item.value, item.target_code_system
        for table in (value.code_system, target):
            if table not in ("police", "charges"):
                raise NotFound("CODE_SYSTEM_UNKNOWN", "no such table", {"code_system": table})
        translation = pb2.Translation(original=value)
        if not 0 <= int(value.code) < 5000:
            translation.outcome = pb2.TRANSLATION_OUTCOME_UNKNOWN_CODE
        elif target == value.code_system:
            translation.outcome = pb2.TRANSLATION_OUTCOME_SAME_SYSTEM
            translation.targets.add(value=CodedValue(code_system=target, code=value.code, display=f"name {value.code}"))
        elif int(value.code) % 2:
            translation.outcome = pb2.TRANSLATION_OUTCOME_UNMAPPED
        else:
            translation.outcome = pb2.TRANSLATION_OUTCOME_MAPPED
            translation.targets.add(value=CodedValue(code_system=target, code=f"X{value.code}"))
        return translation


def places(codes: Iterable[str], table: str = "police") -> list[CodedPlace]:
    return [
        CodedPlace(f"place{index}", CodedValue(code_system=table, code=code, display=f"as written {index}"))
        for index, code in enumerate(codes)
    ]


@pytest.fixture
def translation() -> FakeTranslation:
    return FakeTranslation()


@pytest.fixture
def coding(translation: FakeTranslation) -> Coding:
    return Coding(translation, TABLES)  # type: ignore[arg-type]


async def test_each_value_is_translated_for_its_reader_and_keeps_what_was_written(coding: Coding) -> None:
    mapped, unmapped = await coding.for_reader(places(["2", "3"]), "JCY")
    assert (mapped.field, mapped.translation.targets[0].value.code) == ("place0", "X2")
    assert mapped.translation.original.display == "as written 0"
    assert unmapped.translation.outcome == pb2.TRANSLATION_OUTCOME_UNMAPPED
    assert not unmapped.translation.targets


async def test_a_thousand_codes_are_asked_at_a_time_and_each_only_once(
    coding: Coding, translation: FakeTranslation
) -> None:
    codes = [str(number) for number in range(2500)] * 2
    translated = await coding.for_reader(places(codes), "JCY")
    assert sorted(translation.batches, reverse=True) == [1000, 1000, 500]
    assert codes == [entry.translation.original.code for entry in translated]
    assert [f"as written {index}" for index in range(5000)] == [
        entry.translation.original.display for entry in translated
    ]


async def test_without_codes_nobody_is_asked(coding: Coding, translation: FakeTranslation) -> None:
    assert await coding.for_reader([], "JCY") == []
    assert translation.batches == []


async def test_codes_that_no_table_has_are_all_named(coding: Coding) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await coding.for_reader(places(["1", "9999", "8888"]), "JCY")
    expected = {"field": "place1", "code_system": "police", "code": "9999"}
    assert ("PAYLOAD_CODE_UNKNOWN", expected) == (refusal.value.reason, refusal.value.metadata)
    assert [violation.field for violation in refusal.value.violations] == ["place1", "place2"]


async def test_a_table_that_is_not_loaded_is_the_writers_fault_when_he_named_it(coding: Coding) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await coding.for_reader(places(["1"], table="nowhere"), "JCY")
    expected = {"field": "place0", "code_system": "nowhere", "code": "1"}
    assert ("PAYLOAD_CODE_UNKNOWN", expected) == (refusal.value.reason, refusal.value.metadata)


async def test_a_readers_table_that_is_not_loaded_is_not_the_writers_fault(coding: Coding) -> None:
    with pytest.raises(Unavailable) as refusal:
        await coding.for_reader(places(["1"]), "FY")
    assert refusal.value.metadata == {"dependency": "translation"}


async def test_a_value_without_a_display_shows_the_tables_own_name(coding: Coding) -> None:
    written = CodedPlace("a", CodedValue(code_system="police", code="1", display="mine"))
    bare = CodedPlace("b", CodedValue(code_system="police", code="2"))
    assert await coding.displays([written, bare]) == ["mine", "name 2"]


@pytest.mark.parametrize(
    "failure",
    [
        Unavailable("DATABASE_UNAVAILABLE", "down"),
        PermissionDenied("CALLER_NOT_ALLOWED", "not listed"),
        Unauthenticated("CERTIFICATE_EXPIRED", "ours"),
        NotFound("UNKNOWN", "from a proxy"),
        CaseMeshError("INTERNAL", "broken"),
    ],
)
def test_a_failure_between_services_is_not_put_on_the_caller(failure: CaseMeshError) -> None:
    with pytest.raises(Unavailable) as refusal, asking("translation", NotFound, PermissionDenied):
        raise failure
    expected = ("DEPENDENCY_UNAVAILABLE", {"dependency": "translation"})
    assert expected == (refusal.value.reason, refusal.value.metadata)


@pytest.mark.parametrize(
    "answer", [NotFound("NOT_FOUND", "no such version"), Unauthenticated("TOKEN_EXPIRED", "get another")]
)
def test_an_answer_of_a_service_and_the_end_of_a_token_reach_the_caller(answer: CaseMeshError) -> None:
    with pytest.raises(type(answer)) as refusal, asking("dossier", NotFound):
        raise answer
    assert answer is refusal.value
