"""What the dossier service's database holds that the log must tell of."""

from __future__ import annotations

from typing import Final

from casemesh.dossier.policy import (
    DRAFT_CREATED,
    VERSION_CONFIRMED,
    VERSION_FINALIZED,
    VERSION_GRANTED,
    VERSION_READ,
)
from casemesh.runtime.logged_facts import FactKind

_VERSION = "'dossiers/' || dossier_id || '/versions/' || version_id AS resource"

FACTS: Final = (
    FactKind(
        "dossier begun",
        (DRAFT_CREATED,),
        "SELECT case_name, 'dossiers/' || dossier_id AS resource, '' AS mark, created_at AS at FROM dossier",
    ),
    FactKind(
        "version finalised",
        (VERSION_FINALIZED,),
        f"SELECT case_name, {_VERSION}, '' AS mark, finalized_at AS at FROM dossier_version",  # noqa: S608
    ),
    FactKind(
        "version handed on",
        (VERSION_GRANTED,),
        f"SELECT case_name, {_VERSION}, exchange AS mark, granted_at AS at "  # noqa: S608
        "FROM version_grant JOIN dossier_version USING (version_id)",
        mark="exchange",
    ),
    FactKind(
        "version read by its recipient",
        (VERSION_READ,),
        f"SELECT case_name, {_VERSION}, version_delivery.agency AS mark, started_at AS at "  # noqa: S608
        "FROM version_delivery JOIN dossier_version USING (version_id) "
        "WHERE started_at IS NOT NULL AND started_at IS DISTINCT FROM confirmed_at",
        mark="actor.agency",
        both_ways=False,
    ),
    FactKind(
        "version confirmed",
        (VERSION_CONFIRMED,),
        f"SELECT case_name, {_VERSION}, version_delivery.agency AS mark, confirmed_at AS at "  # noqa: S608
        "FROM version_delivery JOIN dossier_version USING (version_id) WHERE confirmed_at IS NOT NULL",
        mark="recipient",
    ),
)

GRANTED: Final = f"""
SELECT case_name, exchange, {_VERSION.replace(" AS resource", "")} AS dossier_version, version_grant.agency,
    granted_at AS at
FROM version_grant JOIN dossier_version USING (version_id)
WHERE granted_at >= $1 AND granted_at < $2 AND ($3 = '' OR case_name = $3)
"""  # noqa: S608
"""The versions that agencies may read, and by which exchange."""
