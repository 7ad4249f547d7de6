"""`casemesh case`: register, show, list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from casemesh.cli.invocation import Failure, Invocation, RequestId, command

app = typer.Typer(help="Register cases and look at them.  案件。", no_args_is_help=True)

CaseName = Annotated[str, typer.Argument(help="The case, cases/ID or just the ID.  案件。", metavar="CASE")]


def case_name(text: str) -> str:
    """Return the resource name of a case given by name or by id."""
    return text if "/" in text else f"cases/{text}"


@command(
    app,
    "register",
    example="casemesh case register 张某等二人盗窃案 --number A2026001 "
    "--party '张某;charge=police-case-categories:05000200;custody=detained@2026-03-01@某看守所'",
)
async def register(
    run: Invocation,
    title: Annotated[str, typer.Argument(help="What people read.  案件名称。")] = "",
    number: Annotated[str, typer.Option("--number", help="Your own case number.  本单位案号。")] = "",
    party: Annotated[
        list[str] | None,
        typer.Option(
            "--party",
            help="NAME;charge=SYSTEM:CODE;custody=STATE@DATE@PLACE, any number of times.  当事人。",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="The whole request as JSON instead.  以 JSON 文件给出。")
    ] = None,
    request_id: RequestId = "",
) -> None:
    """Register a case with its parties. You are assigned to it.  登记案件。"""
    from casemesh.cli.message_json import plain
    from casemesh.cli.payload_fields import parse_party
    from casemesh.routing.v1 import case_service_pb2

    request = _from_file(file) if file is not None else case_service_pb2.RegisterCaseRequest(title=title)
    if number:
        request.local_number = number
    request.parties.extend(parse_party(text) for text in party or [])
    request.request_id = run.use_request_id(request_id or request.request_id)
    async with run.session() as session:
        case = (await session.cases.RegisterCase(request)).case
    run.output.notice("case.registered", name=case.name)
    _print_case(run, case, plain(case))


@command(app, "show", example="casemesh case show cases/0199e3f0-...")
async def show(run: Invocation, case: CaseName) -> None:
    """Show a case and its parties.  查看案件。"""
    from casemesh.cli.message_json import plain
    from casemesh.routing.v1 import case_service_pb2

    async with run.session() as session:
        found = (await session.cases.GetCase(case_service_pb2.GetCaseRequest(name=case_name(case)))).case
    _print_case(run, found, plain(found))


@command(app, "list", example="casemesh case list --limit 20")
async def list_cases(
    run: Invocation,
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to list.  最多条数。")] = 100,
) -> None:
    """List the cases you may see, newest first.  列出案件。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import case_service_pb2

    async with run.session() as session:
        request = case_service_pb2.ListCasesRequest(page_size=min(limit, 1000))
        cases = [case async for case in paged(session.cases.ListCases, request, "cases", limit=limit)]
    run.output.table(
        [plain(case) for case in cases],
        ["CASE", "TITLE 案件名称", "PARTIES 当事人", "REGISTERED 登记时间"],
        [(case.name, case.title, len(case.parties), case.create_time.ToJsonString()) for case in cases],
    )


def _from_file(path: Path) -> Any:
    from google.protobuf import json_format

    from casemesh.routing.v1 import case_service_pb2

    try:
        return json_format.Parse(path.read_bytes(), case_service_pb2.RegisterCaseRequest())
    except json_format.ParseError as error:
        raise Failure(4, "input.file", path=path, why=error) from None


def _print_case(run: Invocation, case: Any, value: Any) -> None:
    from casemesh.cli.message_json import enum_name
    from casemesh.routing.v1 import case_pb2

    rows = [
        ("case", case.name),
        ("title 名称", case.title),
        ("agency 登记单位", case.agency),
        ("registered 登记时间", case.create_time.ToJsonString()),
    ]
    rows += [("number 案号", f"{number.number}  {number.agency}") for number in case.local_numbers]
    for party in case.parties:
        charges = ", ".join(f"{charge.code} {charge.display}".strip() for charge in party.charges)
        state = enum_name(case_pb2.CustodyState.DESCRIPTOR, party.custody.state).lower()
        custody = f"{state} {party.custody.place}".strip() if party.HasField("custody") else ""
        rows.append(
            ("party 当事人", " · ".join(item for item in (party.display_name, charges, custody, party.name) if item))
        )
    run.output.fields(value, rows)
