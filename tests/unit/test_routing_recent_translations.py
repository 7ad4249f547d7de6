"""What translation answered lately is not asked again, and what had no answer is."""

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.routing.recent_translations import KEPT_SECONDS, RecentTranslations
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.v1.translation_service_pb2 import TranslateCodesItem, TranslateCodesRequest
from casemesh.translation.v1.translation_service_pb2 import TranslateCodesResponse as Response
from tests.support.clock import FakeClock

MAPPED = translation_pb2.TRANSLATION_OUTCOME_MAPPED
UNMAPPED = translation_pb2.TRANSLATION_OUTCOME_UNMAPPED


class FakeTranslation:
    """Maps codes that do not begin with a zero; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def TranslateCodes(self, request: TranslateCodesRequest, *, timeout: float) -> Response:
        self.asked.append([item.value.code for item in request.items])
        return Response(
            translations=[
                translation_pb2.Translation(
                    original=item.value, outcome=UNMAPPED if item.value.code.startswith("0") else MAPPED
                )
                for item in request.items
            ]
        )


def request(*codes: str) -> TranslateCodesRequest:
    return TranslateCodesRequest(
        items=[
            TranslateCodesItem(value=CodedValue(code_system="s", code=code), target_code_system="t") for code in codes
        ]
    )


async def answered(recent: RecentTranslations, *codes: str) -> list[str]:
    return [item.original.code for item in (await recent.TranslateCodes(request(*codes), timeout=1)).translations]


async def test_what_was_mapped_is_asked_once_in_two_seconds_and_answers_keep_their_order() -> None:
    translation, clock = FakeTranslation(), FakeClock()
    recent = RecentTranslations(translation, clock)  # type: ignore[arg-type]
    assert ["1", "2"] == await answered(recent, "1", "2")
    assert ["3", "2", "1"] == await answered(recent, "3", "2", "1")
    clock.move(KEPT_SECONDS)
    assert ["2"] == await answered(recent, "2")
    assert [["1", "2"], ["3"], ["2"]] == translation.asked


async def test_what_has_no_answer_is_asked_each_time_and_so_is_what_depends_on_more_than_the_code() -> None:
    translation = FakeTranslation()
    recent = RecentTranslations(translation, FakeClock())  # type: ignore[arg-type]
    for _ in range(2):
        await answered(recent, "01")
    dated = request("1")
    dated.date.year = 2025
    for _ in range(2):
        await recent.TranslateCodes(dated, timeout=1)
    assert [["01"], ["01"], ["1"], ["1"]] == translation.asked
