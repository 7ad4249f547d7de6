"""Who asks: a system for itself, or an officer through a system or a workstation."""

from __future__ import annotations

from dataclasses import dataclass

from casemesh.core.names import AGENCY, OFFICER, SYSTEM, WORKSTATION


@dataclass(frozen=True)
class Subject:
    """A subject by the identifiers in its names, each a UUID.

    That the names agree with each other says nothing of what is registered: the facts do.
    """

    agency_id: str
    client_kind: str
    """`system` or `workstation`: whose certificate is used."""
    client_id: str
    officer_id: str | None
    """None when a system acts for itself."""
    certificate: bytes | None = None
    """SHA-256 of the certificate that is used; None when it is not asked about."""

    @property
    def agency(self) -> str:
        """Resource name of the agency."""
        return AGENCY.format(agency=self.agency_id)

    @property
    def client(self) -> str:
        """Resource name of the system or workstation."""
        form = SYSTEM if self.client_kind == "system" else WORKSTATION
        return form.format(**{"agency": self.agency_id, self.client_kind: self.client_id})

    @property
    def name(self) -> str:
        """Resource name of the officer, or of the system that acts for itself."""
        if self.officer_id is not None:
            return OFFICER.format(agency=self.agency_id, officer=self.officer_id)
        return SYSTEM.format(agency=self.agency_id, system=self.client_id)


def subject_of(client: str, officer: str | None, certificate: bytes | None = None) -> Subject:
    """Return the subject with these resource names; see `Subject` for the certificate.

    Raises ValueError when `client` is neither a system nor a workstation, `officer` is not an officer of the same
    agency, or a workstation has no officer: it speaks for one and never for itself.
    """
    kind, segments = _client_of(client)
    officer_id = None
    if officer is not None:
        named = OFFICER.parse(officer)
        if named["agency"] != segments["agency"]:
            raise ValueError(f"{officer} is not of the agency of {client}")
        officer_id = named["officer"]
    elif kind == "workstation":
        raise ValueError(f"{client} is a workstation and needs an officer")
    return Subject(segments["agency"], kind, segments[kind], officer_id, certificate)


def _client_of(client: str) -> tuple[str, dict[str, str]]:
    for kind, form in (("system", SYSTEM), ("workstation", WORKSTATION)):
        try:
            return kind, form.parse(client)
        except ValueError:
            continue
    raise ValueError(f"{client!r} is neither a system nor a workstation")
