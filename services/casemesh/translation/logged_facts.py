"""What translation's database holds that the log must tell of."""

from __future__ import annotations

from typing import Final

from casemesh.runtime.logged_facts import FactKind
from casemesh.translation.policy import CODE_SYSTEM_IMPORTED, CONCEPT_MAP_DRAFTED, CONCEPT_MAP_IMPORTED

FACTS: Final = (
    FactKind(
        "code table loaded",
        (CODE_SYSTEM_IMPORTED,),
        "SELECT '' AS case_name, 'codeSystems/' || code_system || '/versions/' || version AS resource, '' AS mark, "
        "loaded_at AS at FROM code_system_version",
        both_ways=False,
    ),
    FactKind(
        "map loaded",
        (CONCEPT_MAP_IMPORTED, CONCEPT_MAP_DRAFTED),
        "SELECT '' AS case_name, 'conceptMaps/' || concept_map || '/versions/' || version AS resource, '' AS mark, "
        "loaded_at AS at FROM concept_map_version",
        both_ways=False,
    ),
)
