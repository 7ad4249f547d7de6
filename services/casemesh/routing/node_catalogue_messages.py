"""Versions of the catalogue as the contract shows them."""

from __future__ import annotations

import hashlib

from google.type import date_pb2

from casemesh.routing.node_catalogue_store import CatalogueVersion
from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as pb2


def version_message(version: CatalogueVersion) -> pb2.NodeCatalogueVersion:
    """Return a version without its content."""
    day = version.effective_from
    message = pb2.NodeCatalogueVersion(
        version=version.version,
        province=version.province,
        effective_from=date_pb2.Date(year=day.year, month=day.month, day=day.day),
        state=pb2.NODE_CATALOGUE_STATE_PREVIEW,
        node_count=version.node_count,
        sha256=hashlib.sha256(version.content).digest(),
        imported_by=version.imported_by,
        activated_by=version.activated_by,
        note=version.note,
    )
    message.import_time.FromDatetime(version.import_time)
    if version.activate_time is not None:
        message.state = pb2.NODE_CATALOGUE_STATE_ACTIVE
        message.activate_time.FromDatetime(version.activate_time)
    return message
