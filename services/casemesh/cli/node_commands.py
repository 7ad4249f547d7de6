"""`casemesh node`: the catalogue of collaboration nodes (协同节点)."""

from __future__ import annotations

from typing import Annotated

import typer

from casemesh.cli.invocation import Invocation, command

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
    limit: Annotated[int, typer.Option("--limit", min=1, help="The most to list.  最多条数。")] = 1000,
) -> None:
    """List nodes by code.  列出协同节点。"""
    from casemesh.cli.message_json import plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import collaboration_node_service_pb2

    request = collaboration_node_service_pb2.ListNodesRequest(
        stage=stage, from_organ=sender, to_organ=recipient, page_size=min(limit, 1000)
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


@command(app, "show", example="casemesh node show QS001")
async def show(
    run: Invocation,
    node: Annotated[str, typer.Argument(help="The node's code, e.g. QS001.  节点代码。")],
) -> None:
    """Show one node: between whom, with which documents, answered by what.  查看协同节点。"""
    from casemesh.cli.message_json import plain
    from casemesh.routing.v1 import collaboration_node_service_pb2

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
            ("from 发送", found.from_organ),
            ("to 接收", found.to_organ),
            ("answers 答复", found.answers_node),
            ("answered by 反馈", ", ".join(found.feedback_nodes)),
            ("documents 文书", "、".join(found.documents)),
            ("dossier 卷宗", "required 须附" if found.dossier_required else ""),
            ("law 依据", found.legal_basis),
        ],
    )
