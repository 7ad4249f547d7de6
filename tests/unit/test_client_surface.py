"""Every call that agencies may make is a method of the SDK, and its request says whether it may be repeated."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import MethodDescriptor

from casemesh.client.profile import Profile
from casemesh.client.session import Session

AGENCY_FACING = {
    "directory": "identity.v1.directory_service",
    "tokens": "identity.v1.token_service",
    "enrolment": "identity.v1.enrolment_service",
    "access_admin": "identity.v1.access_admin_service",
    "case_protection": "identity.v1.case_protection_service",
    "translation": "translation.v1.translation_service",
    "dossiers": "dossier.v1.dossier_service",
    "dossier_read": "dossier.v1.dossier_read_service",
    "cases": "routing.v1.case_service",
    "nodes": "routing.v1.collaboration_node_service",
    "exchanges": "routing.v1.exchange_service",
    "preflight": "routing.v1.exchange_preflight_service",
    "corrections": "routing.v1.exchange_correction_service",
    "drafts": "routing.v1.exchange_draft_service",
    "single_tracks": "routing.v1.single_track_service",
    "audit": "audit.v1.audit_query_service",
    "supervision": "supervision.v1.supervision_service",
}
"""Attribute of a session: module of the service it speaks to."""

READS = ("Get", "List", "Read", "LookUp", "Query", "Translate", "Validate", "Download", "Explain", "Preflight")
SHORT_LIVED = {"IssueToken": "a token", "PullDeliveries": "leases"}


def methods(module: str) -> list[MethodDescriptor]:
    [service] = importlib.import_module(f"casemesh.{module}_pb2").DESCRIPTOR.services_by_name.values()
    return list(service.methods)


@pytest.fixture
async def session(mesh_pki: Any) -> Any:
    certificate: Path = mesh_pki.layout.root / "agencies" / "beihu-police" / "systems" / "cms"
    async with Session(Profile("p", "127.0.0.1:1", certificate)) as opened:
        yield opened


@pytest.mark.parametrize("attribute", AGENCY_FACING)
async def test_every_call_of_an_agency_facing_service_is_an_sdk_method(session: Session, attribute: str) -> None:
    stub = getattr(session, attribute)
    assert [
        method.name for method in methods(AGENCY_FACING[attribute]) if not callable(getattr(stub, method.name, 0))
    ] == []


@pytest.mark.parametrize("module", AGENCY_FACING.values())
def test_a_unary_call_without_a_request_id_changes_nothing(module: str) -> None:
    without = [
        method.name
        for method in methods(module)
        if not method.server_streaming and "request_id" not in method.input_type.fields_by_name
    ]
    assert [name for name in without if not name.startswith(READS) and name not in SHORT_LIVED] == []
