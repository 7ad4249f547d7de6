"""The table of nodes in docs/nodes.md: node, required documents, limit, article. Made from the shipped data."""

from __future__ import annotations

from collections.abc import Iterator

from casemesh.data import CollaborationNode, StatutoryLimit, nodes, organ_kinds
from casemesh.data.required_documents import CompletenessRule, shipped_rules

_UNITS = {"hour": "小时", "day": "日", "workday": "个工作日", "month": "个月", "year": "年"}
_COLUMNS = "| node 节点 | 收发 | documents 文书 | limit 期限 | article 依据 |"
_HEADER = """# Collaboration nodes  协同节点

All {count} nodes of the catalogue that ships with CaseMesh: what each is, between whom, the documents it requires, the
statutory limit it stands under and the article. `casemesh node show CODE` explains any of them further, `casemesh node
chain CODE` what it answers and what may follow, `casemesh node show CODE --schema` what its payload may hold. A site
changes the catalogue without a release: `casemeshd node import`.

平台随附的全部协同节点:名称、收发机关、应附文书、法定期限和法律依据。节点目录可由管理员导入新版本,无需升级程序。
期限栏为空表示尚未绑定期限,不表示没有期限;`※` 表示附条件的文书。

This file is written by `casemeshd node table --out docs/nodes.md`; do not edit it. 本文件由命令生成,请勿手工修改。
"""


def node_table() -> str:
    """Return the whole page, in Markdown, grouped by stage in the catalogue's order."""
    names = {kind.code: kind.name_zh for kind in organ_kinds()}
    required: dict[str, list[CompletenessRule]] = {}
    for rule in shipped_rules():
        if rule.finding == "MISSING" and rule.count:
            required.setdefault(rule.node, []).append(rule)
    stages: dict[str, list[CollaborationNode]] = {}
    for node in nodes():
        stages.setdefault(node.stage, []).append(node)
    lines = [_HEADER.format(count=len(nodes()))]
    for stage, members in stages.items():
        lines += [
            f"\n## {stage}\n",
            "| node 节点 | 收发 | documents 文书 | limit 期限 | article 依据 |",
            "|" + "---|" * 5,
        ]
        lines += _rows(members, names, required)
    return "\n".join(lines) + "\n"


def limit_text(limit: StatutoryLimit | None) -> str:
    """Return a limit as a person reads it; empty for none."""
    if limit is None:
        return ""
    length = f"{limit.length}{_UNITS.get(limit.unit, '')}" if limit.length is not None else ""
    return " ".join(part for part in (length, ", ".join(limit.ids)) if part)


def _rows(
    members: list[CollaborationNode], names: dict[str, str], required: dict[str, list[CompletenessRule]]
) -> Iterator[str]:
    for node in members:
        documents = "、".join(
            f"{rule.title}※" if rule.condition else rule.title for rule in required.get(node.code, ())
        )
        yield (
            "| "
            + " | ".join(
                _cell(text)
                for text in (
                    f"{node.code} {node.name_zh}<br>{node.name_en}",
                    f"{names[node.from_organ]} → {names[node.to_organ]}",
                    documents,
                    limit_text(node.limit),
                    node.legal_basis,
                )
            )
            + " |"
        )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
