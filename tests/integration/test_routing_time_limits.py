"""The limits of a case over real mTLS: seen by those who may see its progress, reckoned with every step shown."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.errors import InvalidArgument, NotFound
from casemesh.routing.v1 import time_limit_pb2 as pb
from casemesh.routing.v1 import time_limit_service_pb2 as service_pb2
from casemesh.routing.v1.time_limit_service_pb2_grpc import TimeLimitServiceStub
from tests.support.routing import TIMEOUT, ThreeOrgans


def stamp(text: str) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(datetime.fromisoformat(text))
    return moment


async def test_an_answer_is_due_once_its_request_is_received(three_organs: ThreeOrgans) -> None:
    organs = three_organs
    limits = organs.mesh.agency_stub("routing", TimeLimitServiceStub)
    case = await organs.register()
    asked = await organs.submit(case, node="nodes/JD030")

    async def listed() -> list[pb.RunningTimeLimit]:
        response = await limits.ListTimeLimits(
            service_pb2.ListTimeLimitsRequest(case=case.name),
            metadata=await organs.as_officer(organs.police),
            timeout=TIMEOUT,
        )
        return [limit for limit in response.time_limits if limit.node]

    assert [] == await listed()
    await organs.deliver(organs.procuratorate)
    (limit,) = await listed()

    assert ("nodes/JD030", asked.name, case.parties[0].name) == (limit.node, limit.exchange, limit.party)
    assert ("TL174", pb.TIME_LIMIT_STATE_RUNNING) == (limit.reckoning.limit, limit.state)
    received = limit.reckoning.start_time.ToDatetime(tzinfo=UTC)
    assert limit.reckoning.over_time.ToDatetime(tzinfo=UTC) >= received + timedelta(days=7)
    assert limit.reckoning.days_left >= 7
    assert pb.TIME_LIMIT_RULE_START_NOT_COUNTED == limit.reckoning.steps[0].rule

    await organs.assign(case.name, organs.procuratorate)
    await organs.answer(asked.name, "nodes/JD031", organs.procuratorate)
    (met,) = [limit for limit in await listed() if limit.node == "nodes/JD030"]
    assert (pb.TIME_LIMIT_STATE_MET, "nodes/JD031") == (met.state, met.met_by_node)


async def test_who_may_not_see_the_case_learns_of_no_limit(three_organs: ThreeOrgans) -> None:
    limits = three_organs.mesh.agency_stub("routing", TimeLimitServiceStub)
    case = await three_organs.register()
    for agency, officer in ((three_organs.police, "wu"), (three_organs.court, "lin")):
        with pytest.raises(NotFound):
            await limits.ListTimeLimits(
                service_pb2.ListTimeLimitsRequest(case=case.name),
                metadata=await three_organs.as_officer(agency, officer),
                timeout=TIMEOUT,
            )


async def test_any_limit_is_reckoned_from_what_is_given(three_organs: ThreeOrgans) -> None:
    limits = three_organs.mesh.agency_stub("routing", TimeLimitServiceStub)
    metadata = await three_organs.as_officer(three_organs.police)

    async def reckon(limit: str, *adjustments: service_pb2.TimeLimitAdjustment) -> pb.TimeLimitReckoning:
        request = service_pb2.ReckonTimeLimitRequest(
            limit=limit, start_time=stamp("2026-03-02T00:00+08:00"), held=True, adjustments=adjustments
        )
        response: service_pb2.ReckonTimeLimitResponse = await limits.ReckonTimeLimit(
            request, metadata=metadata, timeout=TIMEOUT
        )
        return response.reckoning

    pause = service_pb2.TimeLimitAdjustment(
        at_time=stamp("2026-03-10T00:00+08:00"),
        pause=service_pb2.TimeLimitPause(until_time=stamp("2026-03-20T00:00+08:00"), ground="精神病鉴定"),
    )
    extension = service_pb2.TimeLimitAdjustment(at_time=stamp("2026-03-30T00:00+08:00"), extension=0)
    restart = service_pb2.TimeLimitAdjustment(at_time=stamp("2026-04-20T00:00+08:00"), restart_ground="补充侦查完毕")

    reckoned = await reckon("TL064", pause, extension)
    assert (2026, 4, 27) == (reckoned.last_day.year, reckoned.last_day.month, reckoned.last_day.day)
    assert ["精神病鉴定", "重大、复杂"] == [step.ground_zh for step in reckoned.steps[2:]]
    assert (15, "day", "Grave or complex") == (
        reckoned.steps[3].length,
        reckoned.steps[3].unit,
        reckoned.steps[3].ground_en,
    )
    assert 20 == (await reckon("TL064", pause, extension, restart)).last_day.day
    assert not (
        await reckon(
            "TL064",
            service_pb2.TimeLimitAdjustment(at_time=pause.at_time, pause=service_pb2.TimeLimitPause(ground="身份不明")),
        )
    ).HasField("last_day")

    with pytest.raises(NotFound):
        await reckon("TL999")
    for limit, adjustments, field in (
        ("TL027", [], "limit"),
        ("TL029", [], "held"),
        ("TL064", [service_pb2.TimeLimitAdjustment(at_time=pause.at_time, extension=9)], "adjustments[0].extension"),
        ("TL064", [service_pb2.TimeLimitAdjustment(at_time=pause.at_time)], "adjustments[0].kind"),
    ):
        with pytest.raises(InvalidArgument) as refusal:
            await reckon(limit, *adjustments)
        assert ("TIME_LIMIT_UNRECKONABLE", field) == (refusal.value.reason, refusal.value.violations[0].field)
