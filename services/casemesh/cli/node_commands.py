"""`casemesh node`: the catalogue of collaboration nodes (协同节点)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.invocation import Invocation, command
from casemesh.cli.messages import Language

if TYPE_CHECKING:
    from casemesh.routing.v1.collaboration_node_pb2 import CollaborationNode

app = typer.Typer(help="Look up collaboration nodes.  协同节点目录。", no_args_is_help=True)


def node_name(text: str) -> str:
    """Return the resource name of a node given by name or by code."""
    return text if "/" in text else f"nodes/{text}"


@command(app, "list", example="casemesh node list --from GA --to JCY")
async def list_nodes(
    run: Invocation,
    stage: Annotated[str, typer.Option("--stage", help="Only this stage, e.g. 审查起诉.  诉讼阶段。")] = "",
    sender: Annotated[str, typer.Option("--from", help="Only nodes this kind of organ sends, e.g. GA.  发送方。")] = "",
    recipient: Annotated[str, typer.Option("--to", help="Only nodes it receives, e.g. JCY.  接收方。")] = "",
    external: Annotated[str, typer.Option("--external", help="Only this code of your province.  省内代码。")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to list.  最多条数。")] = 1000,
) -> None:
    """List nodes by code.  列出协同节点。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import collaboration_node_service_pb2

    request = collaboration_node_service_pb2.ListNodesRequest(
        stage=stage, from_organ=sender, to_organ=recipient, external_code=external, page_size=min(limit, 1000)
    )
    async with run.session() as session:
        nodes = [node async for node in paged(session.nodes.ListNodes, request, "nodes", limit=limit)]
    run.output.table(
        [plain(node) for node in nodes],
        ["NODE 节点", "NAME 名称", "STAGE 阶段", "KIND 类型", "FROM 发送", "TO 接收"],
        [
            (node.name.removeprefix("nodes/"), node.title_zh, node.stage, node.kind, node.from_organ, node.to_organ)
            for node in nodes
        ],
    )


NodeCode = Annotated[str, typer.Argument(help="The node's code, e.g. QS001.  节点代码。", metavar="NODE")]


@command(app, "chain", example="casemesh node chain QS001")
async def chain(run: Invocation, node: NodeCode) -> None:
    """Show the chain a node stands in: what opens it and all that may follow.  查看节点链。"""
    from casemesh.cli.message_json import plain
    from casemesh.routing.v1 import collaboration_node_service_pb2

    async with run.session() as session:
        request = collaboration_node_service_pb2.GetNodeChainRequest(node=node_name(node))
        found = (await session.nodes.GetNodeChain(request)).nodes
    run.output.table(
        [plain(each) for each in found],
        ["NODE 节点", "NAME 名称", "FROM 发送", "TO 接收", "ANSWERS 答复", "LIMIT 期限"],
        [
            (
                each.name.removeprefix("nodes/"),
                each.title_zh,
                each.from_organ,
                each.to_organ,
                each.answers_node.removeprefix("nodes/"),
                _limit(each),
            )
            for each in found
        ],
    )


@command(app, "show", example="casemesh node show QS001")
async def show(
    run: Invocation,
    node: NodeCode,
    schema: Annotated[bool, typer.Option("--schema", help="Show what its payload may hold.  数据项。")] = False,
) -> None:
    """Show one node: between whom, with which documents and limit, answered by what.  查看协同节点。"""
    from casemesh.cli.message_json import plain
    from casemesh.routing.v1 import collaboration_node_service_pb2

    if schema:
        await _show_schema(run, node_name(node))
        return
    async with run.session() as session:
        request = collaboration_node_service_pb2.GetNodeRequest(name=node_name(node))
        found = (await session.nodes.GetNode(request)).node
    run.output.fields(
        plain(found),
        [
            ("node 节点", found.name),
            ("name 名称", found.title_zh),
            ("", found.title_en),
            ("stage 阶段", found.stage),
            ("kind 类型", found.kind),
            ("from 发送", ", ".join(found.from_organs)),
            ("to 接收", ", ".join(found.to_organs)),
            ("answers 答复", found.answers_node),
            ("answered by 反馈", ", ".join(found.feedback_nodes)),
            ("documents 文书", "、".join(found.documents)),
            ("dossier 卷宗", "required 须附" if found.dossier_required else ""),
            ("limit 期限", _limit(found)),
            ("custody 羁押", found.custody_effect),
            ("law 依据", found.legal_basis),
            ("law checked 核对", found.legal_basis_checked),
            ("note 说明", found.note),
            ("review 复核", found.review),
            ("source 来源", found.source),
            ("province's code 省内代码", found.external_code),
            ("catalogue 目录版本", found.catalogue_version),
        ],
    )


async def _show_schema(run: Invocation, node: str) -> None:
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.routing.v1 import collaboration_node_pb2, collaboration_node_service_pb2

    async with run.session() as session:
        request = collaboration_node_service_pb2.GetNodeSchemaRequest(node=node)
        schema = (await session.nodes.GetNodeSchema(request)).schema
    types = collaboration_node_pb2.PayloadFieldType.DESCRIPTOR
    run.output.table(
        plain(schema),
        ["FIELD 数据项", "NAME 名称", "TYPE 类型", "OF 种类", "", "SUBJECT 主题"],
        [
            (
                field.key,
                field.title_zh if run.output.language is Language.CHINESE else field.title_en,
                enum_name(types, field.type).lower(),
                field.code_role or field.number_kind,
                " ".join(mark for mark in ("required", "expected", "repeated", "per_party") if getattr(field, mark)),
                field.subject,
            )
            for field in schema.fields
        ],
    )


def _limit(node: CollaborationNode) -> str:
    length = f"{node.limit.length} {node.limit.unit}" if node.limit.unit else ""
    return " ".join(part for part in (length, ", ".join(node.limit.limit_ids), node.limit.trigger) if part)
