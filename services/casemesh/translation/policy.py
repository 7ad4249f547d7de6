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
CODE_SYSTEM_ACTIVATED = "translation.code_system.activated"
CODE_SYSTEM_RETIRED = "translation.code_system.retired"
CONCEPT_MAP_ACTIVATED = "translation.concept_map.activated"
CONCEPT_MAP_RETIRED = "translation.concept_map.retired"
CONCEPT_MAP_DRAFTED = "translation.concept_map.drafted"
UNMAPPED_CODE_DECIDED = "translation.unmapped_code.decided"

_READERS = {**AGENCY_WITH_TOKEN, Peer.ROUTING: Proof.NOTHING, Peer.OPERATOR: Proof.NOTHING}
_ADMIN = {Peer.OPERATOR: Proof.NOTHING}
# What was resolved is asked by whoever holds exchanges for it; it tells codes and names of tables.
_RESOLVED = {Peer.OPERATOR: Proof.NOTHING, Peer.ROUTING: Proof.NOTHING}

POLICIES: PolicyTable = {
    f"{READ_SERVICE}/TranslateCodes": MethodPolicy(_READERS),
    f"{READ_SERVICE}/TranslateBatch": MethodPolicy(_READERS),
    f"{READ_SERVICE}/TranslateRecord": MethodPolicy(_READERS),
    f"{READ_SERVICE}/LookUpCode": MethodPolicy(_READERS),
    f"{READ_SERVICE}/ValidateCode": MethodPolicy(_READERS),
    f"{READ_SERVICE}/ListCodes": MethodPolicy(_READERS),
    f"{READ_SERVICE}/ListCodeSystems": MethodPolicy(_READERS),
    f"{READ_SERVICE}/ListConceptMaps": MethodPolicy(_READERS),
    f"{ADMIN_SERVICE}/ImportCodeSystem": MethodPolicy(_ADMIN, audited=CODE_SYSTEM_IMPORTED),
    f"{ADMIN_SERVICE}/ImportConceptMap": MethodPolicy(_ADMIN, audited=CONCEPT_MAP_IMPORTED),
    f"{ADMIN_SERVICE}/ActivateCodeSystem": MethodPolicy(_ADMIN, audited=CODE_SYSTEM_ACTIVATED),
    f"{ADMIN_SERVICE}/RetireCodeSystem": MethodPolicy(_ADMIN, audited=CODE_SYSTEM_RETIRED),
    f"{ADMIN_SERVICE}/ActivateConceptMap": MethodPolicy(_ADMIN, audited=CONCEPT_MAP_ACTIVATED),
    f"{ADMIN_SERVICE}/RetireConceptMap": MethodPolicy(_ADMIN, audited=CONCEPT_MAP_RETIRED),
    f"{ADMIN_SERVICE}/ListVersions": MethodPolicy(_ADMIN),
    f"{ADMIN_SERVICE}/PreviewConceptMap": MethodPolicy(_ADMIN),
    f"{ADMIN_SERVICE}/DeriveReverseMap": MethodPolicy(_ADMIN, audited=CONCEPT_MAP_DRAFTED),
    f"{ADMIN_SERVICE}/DraftResolvedMap": MethodPolicy(_ADMIN, audited=CONCEPT_MAP_DRAFTED),
    f"{ADMIN_SERVICE}/ListUnmappedCodes": MethodPolicy(_ADMIN),
    f"{ADMIN_SERVICE}/ResolveUnmappedCode": MethodPolicy(_ADMIN, audited=UNMAPPED_CODE_DECIDED),
    f"{ADMIN_SERVICE}/ListResolvedCodes": MethodPolicy(_RESOLVED),
    f"{ADMIN_SERVICE}/GetCoverage": MethodPolicy(_ADMIN),
}
