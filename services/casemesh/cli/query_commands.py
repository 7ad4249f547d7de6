"""`casemesh query`: ask other agencies' data services, and answer one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.invocation import Failure, Invocation, RequestId, command

if TYPE_CHECKING:
    from casemesh.client.session import Session
    from casemesh.routing.v1.data_service_pb2 import DataQuery, DataService

app = typer.Typer(help="Ask data services, and answer them.  数据查询。", no_args_is_help=True)

_TEMPLATES = "identity-number, company-record, detention-status"

ServiceName = Annotated[
    str, typer.Argument(help="A data service: its name, or its code.  数据服务。", metavar="DATA_SERVICE")
]


@command(app, "services", example="casemesh query services")
async def services(run: Invocation) -> None:
    """List the data services your agency may ask or provides.  列出数据服务。"""
    from casemesh.cli.message_json import plain

    async with run.session() as session:
        found = await _services(session)
    run.output.table(
        [plain(service) for service in found],
        ["DATA SERVICE 数据服务", "CODE 代码", "TITLE 名称", "PROVIDER 提供单位", "PURPOSES 目的", ""],
        [
            (
                service.name,
                service.code,
                service.title_zh,
                service.provider,
                ", ".join(purpose.code for purpose in service.purposes),
                "retired 停用" if service.retired else "",
            )
            for service in found
        ],
    )


@command(app, "describe", example="casemesh query describe identity-number")
async def describe(run: Invocation, service: ServiceName) -> None:
    """Show what a data service is asked, what it answers, and for what.  查看数据服务。"""
    from casemesh.cli.message_json import enum_name, plain

    async with run.session() as session:
        found = await _service(session, service)

    def said(schema: Any) -> list[str]:
        return [
            f"{field.key} {field.title_zh} ({enum_name(field.DESCRIPTOR.fields_by_name['type'].enum_type, field.type)})"
            + (" *" if field.required else "")
            for field in schema
        ]

    run.output.fields(
        plain(found),
        [
            ("data service 数据服务", found.name),
            ("title 名称", found.title_zh),
            ("", found.title_en),
            ("provider 提供单位", found.provider),
            *(("question 提问", line) for line in said(found.question)),
            *(("answer 答复", line) for line in said(found.answer)),
            *(("purpose 目的", f"{purpose.code} {purpose.title_zh}") for purpose in found.purposes),
            ("per day 每日上限", found.questions_per_day),
            ("within 时限", f"{found.answer_within.ToSeconds()} s"),
        ],
    )


@command(
    app,
    "ask",
    example="casemesh query ask identity-number --case cases/0199e3f0-... --purpose case-filing "
    "--field full_name=某甲 --field birth_date:date=2000-01-01",
)
async def ask(
    run: Invocation,
    service: ServiceName,
    case: Annotated[str, typer.Option("--case", help="The case it is asked for.  所办案件。")],
    purpose: Annotated[str, typer.Option("--purpose", help="What for: a code of `describe`.  查询目的。")],
    field: Annotated[list[str], typer.Option("--field", help="KEY=TEXT, KEY:date=2026-01-31, ...  提问内容。")],
    wait: Annotated[int, typer.Option("--wait", min=0, max=60, help="Seconds to wait.  等待秒数。")] = 30,
    request_id: RequestId = "",
) -> None:
    """Ask within a case and wait for the answer; later, `query show` has it.  提出查询。"""
    from casemesh.cli.payload_fields import parse_field
    from casemesh.routing.v1 import data_query_service_pb2

    request = data_query_service_pb2.AskQueryRequest(
        request_id=run.use_request_id(request_id),
        case=case_name(case),
        purpose=purpose,
        question=[parse_field(text) for text in field],
        wait_seconds=wait,
    )
    async with run.session() as session:
        request.data_service = (await _service(session, service)).name
        query = (await session.data_queries.AskQuery(request, timeout=wait + 10)).query
    _print(run, query)


@command(app, "show", example="casemesh query show dataQueries/0199e3f0-... --wait 30")
async def show(
    run: Invocation,
    query: Annotated[str, typer.Argument(help="dataQueries/ID or just the ID.  查询。", metavar="QUERY")],
    wait: Annotated[int, typer.Option("--wait", min=0, max=60, help="Seconds to wait.  等待秒数。")] = 0,
) -> None:
    """Show a question and its answer.  查看查询及答复。"""
    from casemesh.routing.v1 import data_query_service_pb2

    name = query if "/" in query else f"dataQueries/{query}"
    request = data_query_service_pb2.GetQueryRequest(name=name, wait_seconds=wait)
    async with run.session() as session:
        found = (await session.data_queries.GetQuery(request, timeout=wait + 10)).query
    _print(run, found)


@command(app, "list", example="casemesh query list cases/0199e3f0-...")
async def list_queries(run: Invocation, case: CaseName) -> None:
    """List what your agency asked for a case.  列出本案查询。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import data_query_service_pb2

    request = data_query_service_pb2.ListQueriesRequest(case=case_name(case), page_size=1000)
    async with run.session() as session:
        found = [query async for query in paged(session.data_queries.ListQueries, request, "queries")]
    run.output.table(
        [plain(query) for query in found],
        ["QUERY 查询", "DATA SERVICE 数据服务", "PURPOSE 目的", "STATE 状态", "OUTCOME 结果", "ASKED 提出时间"],
        [
            (
                query.name,
                query.data_service,
                query.purpose,
                plain(query).get("state", ""),
                plain(query).get("outcome", ""),
                query.ask_time.ToJsonString(),
            )
            for query in found
        ],
    )


@command(app, "template", example="casemesh query template identity-number > identity-number.toml")
def template(
    run: Invocation,
    name: Annotated[str, typer.Argument(help=f"One of {_TEMPLATES}.  模板。")],
) -> None:
    """Print the description of a data service to begin from.  输出数据服务模板。"""
    from casemesh.data.tables import shipped_bytes

    if name not in _TEMPLATES.split(", "):
        raise Failure(2, "query.no_template", name=name, known=_TEMPLATES)
    described = shipped_bytes(f"data_services/{name}.toml").decode()
    run.output.result({"name": name, "toml": described}, described.rstrip())


@command(app, "publish", example="casemesh query publish identity-number.toml")
async def publish(
    run: Invocation,
    file: Annotated[Path, typer.Argument(help="A description as `template` prints it.  数据服务定义文件。")],
    request_id: RequestId = "",
) -> None:
    """Publish a data service of your agency, or its next revision.  发布数据服务。"""
    from casemesh.cli.data_service_file import read_data_service
    from casemesh.cli.message_json import plain
    from casemesh.routing.v1 import data_provider_service_pb2

    request = data_provider_service_pb2.PublishDataServiceRequest(
        request_id=run.use_request_id(request_id), data_service=read_data_service(file)
    )
    async with run.session(as_system=True) as session:
        published = (await session.data_provider.PublishDataService(request)).data_service
    run.output.notice("query.published", name=published.name, revision=published.revision)
    run.output.result(plain(published))


@command(app, "retire", example="casemesh query retire identity-number")
async def retire(run: Invocation, service: ServiceName, request_id: RequestId = "") -> None:
    """Take no more questions for a data service of your agency.  停用数据服务。"""
    from casemesh.cli.message_json import plain
    from casemesh.routing.v1 import data_provider_service_pb2

    request = data_provider_service_pb2.RetireDataServiceRequest(request_id=run.use_request_id(request_id))
    async with run.session(as_system=True) as session:
        request.name = (await _service(session, service)).name
        retired = (await session.data_provider.RetireDataService(request)).data_service
    run.output.notice("query.retired", name=retired.name)
    run.output.result(plain(retired))


@command(app, "serve", example="casemesh query serve --with ./find_identity_number.py")
async def serve(
    run: Invocation,
    program: Annotated[
        Path,
        typer.Option(
            "--with", help="A program that reads a question as JSON and prints its answer as JSON.  答复程序。"
        ),
    ],
    count: Annotated[
        int, typer.Option("--count", min=0, help="End after so many; 0 goes on until Ctrl-C.  答复几件后结束。")
    ] = 0,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds the program may take.  程序时限。")] = 20.0,
) -> None:
    """Answer the questions to your agency, each by one run of a program; see the guide.  答复查询。"""
    import asyncio

    from casemesh.cli.query_program import answer_by
    from casemesh.client.answering import Answering
    from casemesh.client.receiving import run_until

    done = asyncio.Event()
    answered = 0

    def told(name: str) -> None:
        nonlocal answered
        answered += 1
        run.output.notice("query.answered", name=name)
        if answered == count:
            done.set()

    async with run.session(as_system=True) as session:
        answer = answer_by(program, timeout, lambda failure: run.output.notice(failure.key, **failure.values))
        await run_until(Answering(session.data_provider, answer, on_answered=told).run(), done)
    run.output.result({"answered": answered})


async def _services(session: Session) -> list[DataService]:
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import data_query_service_pb2

    request = data_query_service_pb2.ListDataServicesRequest(page_size=1000)
    return [service async for service in paged(session.data_queries.ListDataServices, request, "data_services")]


async def _service(session: Session, text: str) -> DataService:
    """Return a data service by name, or by its code where only one provider has that."""
    from casemesh.routing.v1 import data_query_service_pb2

    if "/" in text:
        request = data_query_service_pb2.GetDataServiceRequest(name=text)
        return (await session.data_queries.GetDataService(request)).data_service
    fitting = [service for service in await _services(session) if service.code == text]
    if len(fitting) != 1:
        raise Failure(3, "query.no_service" if not fitting else "query.many_services", code=text)
    return fitting[0]


def _print(run: Invocation, query: DataQuery) -> None:
    from casemesh.cli.message_json import plain

    said = plain(query)

    def shown(part: str) -> list[tuple[str, object]]:
        fields = said.get(part, [])
        return [
            (f"{part}: {field['key']}", next(value for key, value in field.items() if key not in ("key", "party")))
            for field in fields
        ]

    run.output.fields(
        said,
        [
            ("query 查询", query.name),
            ("data service 数据服务", f"{query.data_service} ({query.revision})"),
            ("purpose 目的", query.purpose),
            ("state 状态", said.get("state", "")),
            ("outcome 结果", said.get("outcome", "")),
            *shown("question"),
            *shown("answer"),
            ("refusal 不予答复", query.refusal),
            ("expires 时限", query.expire_time.ToJsonString()),
        ],
    )
