"""`casemesh code`: look up, validate, list and translate codes of the agencies' tables (代码查询与转换)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from casemesh.translation.v1.translation_pb2 import Translation

app = typer.Typer(help="Codes of the agencies' tables.  代码查询与转换。", no_args_is_help=True)

Code = Annotated[str, typer.Argument(help="SYSTEM:CODE.  代码。", metavar="SYSTEM:CODE")]
Day = Annotated[str, typer.Option("--date", help="As of which day; else today.  日期。", metavar="DAY")]


@command(app, "lookup", example="casemesh code lookup criminal-charges:XF001 --date 2001-05-01")
async def lookup(run: Invocation, code: Code, date: Day = "") -> None:
    """Show a code: its name, whether it is used, what took its place.  查看代码。"""
    from casemesh.cli.message_json import plain
    from casemesh.cli.payload_fields import parse_code, parse_date
    from casemesh.translation.v1 import translation_service_pb2 as pb

    request = pb.LookUpCodeRequest(value=parse_code(code), date=parse_date(date) if date else None)
    async with run.session() as session:
        found = await session.translation.LookUpCode(request)
    run.output.fields(
        plain(found),
        [
            ("code 代码", f"{found.value.code_system}:{found.value.code}"),
            ("name 名称", found.value.display),
            ("table version 代码表版本", found.code_system_version),
            ("used 在用", "yes 是" if found.active else "no 否"),
            ("from 起", day_text(found, "effective_from")),
            ("until 止", day_text(found, "effective_until")),
            *(
                (
                    f"{step.replaces} -> 替代",
                    f"{step.value.code} {step.value.display} {day_text(step, 'replaced_on')}"
                    f"{'' if step.active else ' (no longer used 已停用)'}",
                )
                for step in found.succession
            ),
            *sorted(found.properties.items()),
        ],
    )


@command(app, "validate", example="casemesh code validate criminal-charges:XZ232 --name 盗窃罪")
async def validate(
    run: Invocation,
    code: Code,
    name: Annotated[str, typer.Option("--name", help="The name it should have.  名称。")] = "",
    date: Day = "",
) -> None:
    """Say whether a code may be used; exit code 4 when it may not.  校验代码。"""
    from casemesh.cli.exit_codes import ExitCode
    from casemesh.cli.message_json import plain
    from casemesh.cli.payload_fields import parse_code, parse_date
    from casemesh.translation.v1 import translation_service_pb2 as pb

    value = parse_code(code)
    value.display = name
    request = pb.ValidateCodeRequest(value=value, date=parse_date(date) if date else None)
    async with run.session() as session:
        found = await session.translation.ValidateCode(request)
    run.output.fields(
        {"valid": found.valid, **plain(found)},
        [
            ("valid 有效", "yes 是" if found.valid else "no 否"),
            ("name 名称", found.display),
            ("why 原因", found.message),
            ("use 应改用", " ".join(found.successors)),
        ],
    )
    if not found.valid:
        raise typer.Exit(ExitCode.INVALID_INPUT)


@command(app, "list", example="casemesh code list police-case-categories --prefix 05 --contains 盗窃")
async def list_codes(
    run: Invocation,
    table: Annotated[str, typer.Argument(help="The table.  代码表。", metavar="SYSTEM")],
    prefix: Annotated[str, typer.Option("--prefix", help="How the codes begin.  代码前缀。")] = "",
    contains: Annotated[str, typer.Option("--contains", help="A part of their names.  名称包含。")] = "",
    active: Annotated[bool, typer.Option("--active", help="Only what is used on the day.  仅在用代码。")] = False,
    date: Day = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to list.  最多条数。")] = 1000,
) -> None:
    """List the codes of a table, or those that a search finds.  列出代码。"""
    from casemesh.cli.message_json import plain
    from casemesh.cli.payload_fields import parse_date
    from casemesh.client.paging import paged
    from casemesh.translation.v1 import translation_service_pb2 as pb

    request = pb.ListCodesRequest(
        code_system=table, code_prefix=prefix, display_contains=contains, active_only=active,
        date=parse_date(date) if date else None, page_size=min(limit, 1000),
    )  # fmt: skip
    async with run.session() as session:
        found = [each async for each in paged(session.translation.ListCodes, request, "codes", limit=limit)]
    run.output.table(
        [plain(each) for each in found],
        ["CODE 代码", "NAME 名称", "USED 在用", "FROM 起", "UNTIL 止", "SUCCESSORS 替代"],
        [
            (
                each.value.code, each.value.display, "✓" if each.active else "", day_text(each, "effective_from"),
                day_text(each, "effective_until"), " ".join(each.successors),
            )
            for each in found
        ],
    )  # fmt: skip


@command(
    app,
    "translate",
    example="casemesh code translate police-case-categories:05000200 --to criminal-charges --field place=dwelling",
)
async def translate(
    run: Invocation,
    codes: Annotated[list[str], typer.Argument(help="SYSTEM:CODE, any number.  代码。", metavar="SYSTEM:CODE...")],
    to: Annotated[str, typer.Option("--to", help="The table to translate to.  目标代码表。", metavar="SYSTEM")],
    field: Annotated[
        list[str] | None,
        typer.Option("--field", help="A field of the record, for maps with rules.  记录字段。", metavar="KEY=TEXT"),
    ] = None,
    date: Day = "",
) -> None:
    """Translate codes into another table, rules decided by fields of the record.  代码转换。"""
    from casemesh.cli.message_json import plain
    from casemesh.cli.payload_fields import parse_code, parse_date, parse_field
    from casemesh.translation.v1 import translation_pb2
    from casemesh.translation.v1 import translation_service_pb2 as pb

    given = [parse_field(text) for text in field or []]
    request = pb.TranslateCodesRequest(
        items=[pb.TranslateCodesItem(value=parse_code(code), target_code_system=to) for code in codes],
        date=parse_date(date) if date else None,
        record=[
            translation_pb2.RecordValue(field=each.key, coded=each.coded)
            if each.WhichOneof("value") == "coded"
            else translation_pb2.RecordValue(field=each.key, text=each.text)
            for each in given
        ],
    )
    async with run.session() as session:
        answers = (await session.translation.TranslateCodes(request)).translations
    run.output.table(
        [plain(answer) for answer in answers],
        ["FROM 原", "TO 目标", "RELATION 关系", "MAP 映射", "RULE 条件", "SAYS 说明"],
        [row for answer in answers for row in translation_rows(answer)],
    )


def translation_rows(answer: Translation) -> list[tuple[str, ...]]:
    """Return what became of one code, a row for each target, or one row that says why there is none."""
    from casemesh.cli.message_json import enum_name
    from casemesh.translation.v1 import translation_pb2

    source = f"{answer.original.code_system}:{answer.original.code}"
    basis = f"{answer.concept_map} {answer.concept_map_version}".strip()
    outcome = enum_name(translation_pb2.TranslationOutcome.DESCRIPTOR, answer.outcome).lower()
    return [
        (
            source,
            f"{target.value.code} {target.value.display}".strip(),
            enum_name(translation_pb2.Equivalence.DESCRIPTOR, target.equivalence).lower(),
            basis,
            target.condition,
            target.note or answer.message,
        )
        for target in answer.targets
    ] or [(source, "-", outcome, basis, "", answer.message)]


def day_text(message: object, field: str) -> str:
    """Return the day in a field as 2026-01-31, empty when it is unset."""
    if not message.HasField(field):  # type: ignore[attr-defined]
        return ""
    day = getattr(message, field)
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}"
