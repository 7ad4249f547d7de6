"""`casemesh limit`: statutory time limits (法定期限): those of a case, and any reckoned offline."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.invocation import Failure, Invocation, command

if TYPE_CHECKING:
    from casemesh.data.time_limits import Length, TimeLimit
    from casemesh.limits import Adjustment, Reckoning, Step

app = typer.Typer(help="Statutory time limits, with their arithmetic.  法定期限及其计算。", no_args_is_help=True)

_MOMENT = "2026-01-31 or 2026-01-31T10:20"
_UNITS = {"hour": "小时", "day": "日", "workday": "工作日", "month": "个月", "year": "年", "times": "次"}
_RULES = {
    "start_not_counted": "limit.start_not_counted",
    "length": "limit.length",
    "last_day_of_month": "limit.last_day_of_month",
    "no_such_day": "limit.no_such_day",
    "extended": "limit.extended",
    "extended_in_all": "limit.extended_in_all",
    "paused": "limit.paused",
    "still_paused": "limit.still_paused",
    "restarted": "limit.restarted",
    "moved_to_working_day": "limit.moved_to_working_day",
    "not_moved_in_custody": "limit.not_moved_in_custody",
    "counted_back": "limit.counted_back",
}

Code = Annotated[str, typer.Argument(help="The limit's code, e.g. TL064.  期限代码。", metavar="LIMIT")]


@command(app, "list", example="casemesh limit list --stage 审查起诉")
def list_limits(
    run: Invocation,
    stage: Annotated[str, typer.Option("--stage", help="Only this stage, e.g. 一审.  诉讼阶段。")] = "",
) -> None:
    """List the limits that ship with CaseMesh.  列出期限。"""
    from casemesh.data.time_limits import time_limits

    found = [limit for limit in time_limits() if stage in ("", limit.stage)]
    run.output.table(
        [_plain(limit) for limit in found],
        ["LIMIT 期限", "NAME 名称", "STAGE 阶段", "LENGTH 期间", "FROM 起算", "LAW 依据"],
        [
            (limit.code, limit.name_zh, limit.stage, _length(limit.length, run), limit.trigger, limit.legal_basis)
            for limit in found
        ],
    )


@command(app, "show", example="casemesh limit show TL064")
def show(run: Invocation, code: Code) -> None:
    """Show one limit: what starts and meets it, how long, how extended, by which law.  查看期限。"""
    limit = _limit(code)
    run.output.fields(
        _plain(limit),
        [
            ("limit 期限", limit.code),
            ("name 名称", limit.name_zh),
            ("", limit.name_en),
            ("stage 阶段", limit.stage),
            ("kind 类型", limit.kind.value),
            ("custody 羁押", limit.custody.value),
            ("from 起算", limit.trigger),
            ("to 截止", limit.end),
            ("length 期间", _length(limit.length, run)),
            *(
                (
                    f"extension 延长 {index}",
                    f"{extension.ground_zh}: {_extension(extension.total, extension.length, run)}",
                )
                for index, extension in enumerate(limit.extensions)
            ),
            ("extension 延长", limit.extension),
            ("approver 批准", limit.approver),
            ("law 依据", limit.legal_basis),
            ("checked 核对", limit.legal_basis_checked),
            ("note 说明", limit.note),
            ("review 复核", limit.review),
        ],
    )


@command(
    app,
    "reckon",
    example="casemesh limit reckon TL064 --from 2026-03-02 --held --extend 0@2026-03-30 "
    "--pause 2026-03-10..2026-03-20:精神病鉴定",
)
def reckon_limit(
    run: Invocation,
    code: Code,
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="What started it; for a count back, the event.  起算时间。")
    ],
    held: Annotated[bool, typer.Option("--held", help="The person is in custody.  在押。")] = False,
    extend: Annotated[
        list[str] | None, typer.Option("--extend", metavar="N@TIME", help="Extended, by number in `show`.  延长。")
    ] = None,
    pause: Annotated[
        list[str] | None, typer.Option("--pause", metavar="TIME..[TIME]:WHY", help="Not counted.  不计入。")
    ] = None,
    restart: Annotated[
        list[str] | None, typer.Option("--restart", metavar="TIME:WHY", help="Anew.  重新计算。")
    ] = None,
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="Count the days left from then.  基准时间。")] = "",
) -> None:
    """Reckon a limit step by step, and the days left.  逐步计算期限。"""
    from casemesh.core.clock import CHINA
    from casemesh.limits import ReckoningError, reckon

    limit = _limit(code)
    began = _moment(start, "--from")
    now = _moment(at, "--at") if at else datetime.now(CHINA)
    try:
        reckoning = reckon(limit, began, held=held, adjustments=_adjustments(extend, pause, restart))
    except ReckoningError as error:
        raise Failure(4, "limit.unreckonable", why=error) from None
    last, left = reckoning.last_day, reckoning.days_left(now)
    if run.output.as_json:
        run.output.result(_reckoned(reckoning, began, now))
        return
    rows = [(f"{limit.code} {limit.name_zh}", _written(began, hours=True))]
    rows += [(_said(step, run), _reached(step, limit)) for step in reckoning.steps]
    run.output.table(None, ["STEP 步骤", "UNTIL 至"], rows)
    if last is None or left is None:
        run.output.result(None, run.output.text("limit.is_paused"))
    else:
        end = _written(reckoning.over_at, hours=True) if _in_hours(limit) else str(last)
        key = "limit.ends" if left >= 0 else "limit.ended"
        run.output.result(None, run.output.text(key, end=end, days=abs(left)))
    if reckoning.provisional:
        run.output.notice("limit.provisional")


@command(app, "of", example="casemesh limit of cases/0199e3f0-...")
async def limits_of(
    run: Invocation,
    case: Annotated[str, typer.Argument(help="cases/ID or just the ID.  案件。", metavar="CASE")],
) -> None:
    """Show the limits that run for the persons in a case, those that end first on top.  案件的期限。"""
    from casemesh.cli.case_commands import case_name
    from casemesh.cli.message_json import plain
    from casemesh.routing.v1 import time_limit_service_pb2

    request = time_limit_service_pb2.ListTimeLimitsRequest(case=case_name(case))
    async with run.session() as session:
        found = (await session.time_limits.ListTimeLimits(request)).time_limits
    chinese = run.output.language.value == "zh"
    run.output.table(
        [plain(limit) for limit in found],
        ["LIMIT 期限", "NAME 名称", "STATE 状态", "LAST DAY 末日", "DAYS LEFT 剩余", "NODE 节点", "PERSON 当事人"],
        [
            (
                limit.reckoning.limit,
                limit.reckoning.title_zh if chinese else limit.reckoning.title_en,
                plain(limit)["state"],
                plain(limit.reckoning).get("last_day", ""),
                limit.reckoning.days_left if limit.reckoning.HasField("days_left") else "",
                limit.node.removeprefix("nodes/"),
                limit.party,
            )
            for limit in found
        ],
    )
    for limit in found:
        if limit.unreckonable:
            run.output.notice("limit.left_out", limit=limit.reckoning.limit, why=limit.unreckonable)


def _limit(code: str) -> TimeLimit:
    from casemesh.data.time_limits import time_limits

    for limit in time_limits():
        if limit.code == code.upper():
            return limit
    raise Failure(3, "limit.unknown", code=code)


def _adjustments(extend: list[str] | None, pause: list[str] | None, restart: list[str] | None) -> list[Adjustment]:
    from casemesh.limits import Extended, Paused, Restarted

    found: list[Adjustment] = []
    for text in extend or ():
        number, separator, moment = text.partition("@")
        if not separator or not number.isdecimal():
            raise Failure(2, "limit.form", text=text, form="N@TIME")
        found.append(Extended(_moment(moment, "--extend"), int(number)))
    for text in pause or ():
        span, _, ground = _split_ground(text)
        since, separator, until = span.partition("..")
        if not separator:
            raise Failure(2, "limit.form", text=text, form="TIME..[TIME]:WHY")
        found.append(Paused(_moment(since, "--pause"), _moment(until, "--pause") if until else None, ground))
    for text in restart or ():
        moment, _, ground = _split_ground(text)
        found.append(Restarted(_moment(moment, "--restart"), ground))
    return found


def _split_ground(text: str) -> tuple[str, str, str]:
    # A time of day holds colons, too; a reason does not begin with a digit.
    for place, sign in enumerate(text):
        if sign == ":" and not text[place + 1 : place + 2].isdecimal():
            return text[:place], sign, text[place + 1 :]
    return text, "", ""


def _moment(text: str, option: str) -> datetime:
    from casemesh.core.clock import CHINA

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(2, "limit.form", text=f"{option} {text}", form=_MOMENT) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=CHINA)


def _in_hours(limit: TimeLimit) -> bool:
    return limit.length.unit.value == "hour"


def _said(step: Step, run: Invocation) -> str:
    length = _length(step.length, run) if step.length is not None else ""
    ground = step.ground
    if step.extension is not None:
        ground = step.extension.ground_zh if run.output.language.value == "zh" else step.extension.ground_en
    return run.output.text(_RULES[step.rule.value], length=length, ground=ground)


def _reached(step: Step, limit: TimeLimit) -> str:
    is_moment = step.rule.value in ("restarted", "still_paused")
    return _written(step.until, hours=is_moment or _in_hours(limit))


def _written(moment: datetime | None, *, hours: bool) -> str:
    if moment is None:
        return ""
    if hours or (moment.hour, moment.minute) != (0, 0):
        return f"{moment:%Y-%m-%d %H:%M}"
    from datetime import timedelta

    # The midnight after a day is said as that day.
    return f"{moment - timedelta(days=1):%Y-%m-%d}"


def _length(length: Length, run: Invocation) -> str:
    unit = length.unit.value
    if run.output.language.value == "zh":
        return f"{length.count}{_UNITS[unit]}" + (f"零{length.days}日" if length.days else "")
    plural = "" if unit == "times" or length.count == 1 else "s"
    return f"{length.count} {unit}{plural}" + (f" and {length.days} days" if length.days else "")


def _extension(total: bool, length: Length, run: Invocation) -> str:
    return f"{'=' if total else '+'} {_length(length, run)}"


def _plain(limit: TimeLimit) -> dict[str, Any]:
    return {
        "code": limit.code,
        "name_zh": limit.name_zh,
        "name_en": limit.name_en,
        "stage": limit.stage,
        "kind": limit.kind.value,
        "custody": limit.custody.value,
        "trigger": limit.trigger,
        "end": limit.end,
        "length": _plain_length(limit.length),
        "extensions": [
            {
                "ground_zh": extension.ground_zh,
                "ground_en": extension.ground_en,
                "total": extension.total,
                "length": _plain_length(extension.length),
                "at_most": extension.at_most,
                "see": extension.see,
            }
            for extension in limit.extensions
        ],
        "extension": limit.extension,
        "approver": limit.approver,
        "legal_basis": limit.legal_basis,
        "legal_basis_checked": limit.legal_basis_checked,
        "right_of_party": limit.right_of_party,
        "note": limit.note,
        "source": limit.source,
        "review": limit.review,
    }


def _plain_length(length: Length) -> dict[str, Any]:
    return {"count": length.count, "unit": length.unit.value, "days": length.days}


def _reckoned(reckoning: Reckoning, began: datetime, now: datetime) -> dict[str, Any]:
    over_at, last = reckoning.over_at, reckoning.last_day
    return {
        "limit": reckoning.limit.code,
        "from": began.isoformat(),
        "over_at": over_at.isoformat() if over_at else None,
        "last_day": last.isoformat() if last else None,
        "days_left": reckoning.days_left(now),
        "counted_back": reckoning.counted_back,
        "provisional": reckoning.provisional,
        "steps": [
            {
                "rule": step.rule.value,
                "until": step.until.isoformat(),
                "length": _plain_length(step.length) if step.length else None,
                "ground": step.extension.ground_zh if step.extension else step.ground,
            }
            for step in reckoning.steps
        ],
    }
