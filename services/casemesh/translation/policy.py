"""Who may do what with tables and maps.

Reading is for everyone with a token: code tables are no secret. Routing asks for itself, without an officer's token,
since a translation tells nothing of a case. Changing is the operator's, inside the mesh.
"""

from __future__ import annotations

from casemesh.runtime.peers import Peer
from casemesh.runtime.policy import AGENCY_WITH_TOKEN, MethodPolicy, PolicyTable, Proof

READ_SERVICE = "casemesh.translation.v1.TranslationService"
ADMIN_SERVICE = "casemesh.translation.v1.TranslationAdminService"

CODE_SYSTEM_IMPORTED = "translation.code_system.imported"
CONCEPT_MAP_IMPORTED = "translation.concept_map.imported"

_READERS = {**AGENCY_WITH_TOKEN, Peer.ROUTING: Proof.NOTHING, Peer.OPERATOR: Proof.NOTHING}
_ADMIN = {Peer.OPERATOR: Proof.NOTHING}

POLICIES: PolicyTable = {
    f"{READ_SERVICE}/TranslateCodes": MethodPolicy(_READERS),
    f"{READ_SERVICE}/LookUpCode": MethodPolicy(_READERS),
    f"{READ_SERVICE}/ListCodeSystems": MethodPolicy(_READERS),
    f"{READ_SERVICE}/ListConceptMaps": MethodPolicy(_READERS),
    f"{ADMIN_SERVICE}/ImportCodeSystem": MethodPolicy(_ADMIN, audited=CODE_SYSTEM_IMPORTED),
    f"{ADMIN_SERVICE}/ImportConceptMap": MethodPolicy(_ADMIN, audited=CONCEPT_MAP_IMPORTED),
}
