"""Where a version of a table or map stands."""

from __future__ import annotations

import enum


class VersionState(enum.Enum):
    """Drafts are loaded and checked, active versions are used, retired ones only stay readable."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"
