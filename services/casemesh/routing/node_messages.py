"""Nodes and their schemas as the contract shows them."""

from __future__ import annotations

from casemesh.core.names import NODE
from casemesh.data import CollaborationNode
from casemesh.data.payload_schemas import NodeSchema, PayloadFieldRule
from casemesh.routing.nodes import NodeCatalogue, dossier_required
from casemesh.routing.v1 import collaboration_node_pb2


def node_message(catalogue: NodeCatalogue, node: CollaborationNode) -> collaboration_node_pb2.CollaborationNode:
    """Return a node of `catalogue`."""
    answers = catalogue.answers_of(node)
    shown = collaboration_node_pb2.CollaborationNode(
        name=NODE.format(node=node.code),
        title_zh=node.name_zh,
        title_en=node.name_en,
        stage=node.stage,
        kind=node.kind.value,
        from_organ=node.from_organ,
        to_organ=node.to_organ,
        answers_node=NODE.format(node=node.answers_node) if node.answers_node else "",
        feedback_nodes=[NODE.format(node=code) for code in answers],
        documents=node.documents,
        dossier_required=dossier_required(node),
        legal_basis=node.legal_basis,
        release_tier=node.release_tier,
        interim_nodes=[NODE.format(node=code) for code in catalogue.interim_answers_of(node)],
        subject=node.subject,
        dossier=node.dossier,
        custody_effect=node.custody_effect,
        legal_basis_checked=node.legal_basis_checked,
        note=node.note,
        source=node.source,
        review=node.review,
        from_organs=catalogue.players_of(node.from_organ),
        to_organs=catalogue.players_of(node.to_organ),
        catalogue_version=catalogue.version,
        external_code=catalogue.external_codes.get(node.code, ""),
        province=catalogue.province,
    )
    if node.limit is not None:
        shown.limit.CopyFrom(
            collaboration_node_pb2.NodeLimit(
                limit_ids=node.limit.ids,
                length=node.limit.length or 0,
                unit=node.limit.unit,
                trigger=node.limit.trigger,
            )
        )
    return shown


def schema_message(schema: NodeSchema) -> collaboration_node_pb2.NodeSchema:
    """Return a schema, its fields in the order of its subjects."""
    return collaboration_node_pb2.NodeSchema(
        node=NODE.format(node=schema.node),
        subjects=schema.subjects,
        fields=[_field_message(schema, rule) for rule in schema.fields.values()],
    )


def _field_message(schema: NodeSchema, rule: PayloadFieldRule) -> collaboration_node_pb2.PayloadFieldSchema:
    shown = collaboration_node_pb2.PayloadFieldSchema(
        key=rule.key,
        title_zh=rule.zh,
        title_en=rule.en,
        subject=rule.subject,
        type=f"PAYLOAD_FIELD_TYPE_{rule.type.upper()}",
        required=rule.key in schema.required,
        expected=rule.key in schema.expected,
        repeated=rule.repeated,
        per_party=rule.per_party,
        code_role=rule.role,
        number_kind=rule.number,
        pattern=rule.pattern.pattern if rule.pattern is not None else "",
    )
    if rule.minimum is not None:
        shown.minimum = rule.minimum
    if rule.maximum is not None:
        shown.maximum = rule.maximum
    return shown
