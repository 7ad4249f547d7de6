"""Resource names: `cases/{case}`, `dossiers/{dossier}/versions/{version}` and so on.

A segment in braces is a UUID, except where a resource's identifier is a code known to people (`nodes/{node}`) or a
digest (`agencies/{agency}/certificates/{certificate}`).
A case number, a person's name or an id number never stands in a resource name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from casemesh.core.ids import UUID_PATTERN

CODE_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_CODED_SEGMENTS = frozenset({"node", "certificate"})
_VARIABLE = re.compile(r"\{([a-z_]+)\}")


def regex_of(pattern: str) -> str:
    """Return the regular expression for names of `pattern`, with a named group per variable."""
    return _VARIABLE.sub(
        lambda match: f"(?P<{match[1]}>{CODE_PATTERN if match[1] in _CODED_SEGMENTS else UUID_PATTERN})", pattern
    )


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(regex_of(pattern))


@dataclass(frozen=True)
class ResourceName:
    """One kind of resource name."""

    pattern: str

    def format(self, **segments: str) -> str:
        """Return the name with the given segments."""
        return self.pattern.format(**segments)

    def parse(self, name: str) -> dict[str, str]:
        """Return the segments of `name`.

        Raises ValueError when the name is not of this kind.
        """
        match = _compiled(self.pattern).fullmatch(name)
        if match is None:
            raise ValueError(f"{name!r} is not of the form {self.pattern}")
        return match.groupdict()


AGENCY = ResourceName("agencies/{agency}")
SYSTEM = ResourceName("agencies/{agency}/systems/{system}")
WORKSTATION = ResourceName("agencies/{agency}/workstations/{workstation}")
OFFICER = ResourceName("agencies/{agency}/officers/{officer}")
UNIT = ResourceName("agencies/{agency}/units/{unit}")
CERTIFICATE = ResourceName("agencies/{agency}/certificates/{certificate}")
CASE = ResourceName("cases/{case}")
PARTY = ResourceName("cases/{case}/parties/{party}")
DOSSIER = ResourceName("dossiers/{dossier}")
DOCUMENT = ResourceName("dossiers/{dossier}/documents/{document}")
DOSSIER_VERSION = ResourceName("dossiers/{dossier}/versions/{version}")
NODE = ResourceName("nodes/{node}")
SUCCESSION = ResourceName("cases/{case}/successions/{succession}")
EXCHANGE = ResourceName("exchanges/{exchange}")
DELIVERY = ResourceName("exchanges/{exchange}/deliveries/{delivery}")
DELIVERY_REPORT = ResourceName("exchanges/{exchange}/reports/{report}")
DATA_SERVICE = ResourceName("dataServices/{data_service}")
DATA_QUERY = ResourceName("dataQueries/{data_query}")
RECEIPT = ResourceName("exchanges/{exchange}/receipts/{receipt}")
SINGLE_TRACK = ResourceName("singleTracks/{single_track}")
WARNING = ResourceName("warnings/{warning}")


def agency_of(name: str) -> str:
    """Return the agency an officer, system or workstation belongs to: the first two segments of its name."""
    return "/".join(name.split("/", 2)[:2])
