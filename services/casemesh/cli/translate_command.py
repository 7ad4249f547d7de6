"""`casemesh translate`: codes between the agencies' tables (信息转换)."""

from __future__ import annotations

from typing import Annotated

import typer

from casemesh.cli.invocation import Invocation, command


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @command(app, "translate", example="casemesh translate police-case-categories:05000200 --to criminal-charges")
    async def translate(
        run: Invocation,
        codes: Annotated[list[str], typer.Argument(help="SYSTEM:CODE, any number.  代码。", metavar="SYSTEM:CODE...")],
        to: Annotated[str, typer.Option("--to", help="The table to translate to.  目标代码表。", metavar="SYSTEM")],
        date: Annotated[str, typer.Option("--date", help="Whose maps to use; else today.  日期。")] = "",
    ) -> None:
        """Translate codes into another table. A code that does not map is an answer.  代码转换。"""
        from casemesh.cli.message_json import enum_name, plain
        from casemesh.cli.payload_fields import parse_code, parse_date
        from casemesh.translation.v1 import translation_pb2, translation_service_pb2

        request = translation_service_pb2.TranslateCodesRequest(
            items=[
                translation_service_pb2.TranslateCodesItem(value=parse_code(code), target_code_system=to)
                for code in codes
            ]
        )
        if date:
            request.date.CopyFrom(parse_date(date))
        async with run.session() as session:
            answers = (await session.translation.TranslateCodes(request)).translations
        rows = []
        for answer in answers:
            outcome = enum_name(translation_pb2.TranslationOutcome.DESCRIPTOR, answer.outcome).lower()
            source = f"{answer.original.code_system}:{answer.original.code}"
            basis = f"{answer.concept_map} {answer.concept_map_version}".strip()
            rows += [
                (
                    source,
                    f"{target.value.code} {target.value.display}".strip(),
                    enum_name(translation_pb2.Equivalence.DESCRIPTOR, target.equivalence).lower(),
                    basis,
                )
                for target in answer.targets
            ] or [(source, "-", outcome, basis)]
        run.output.table(
            [plain(answer) for answer in answers], ["FROM 原", "TO 目标", "RELATION 关系", "MAP 映射"], rows
        )
