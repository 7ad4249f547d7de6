"""Where things lie in a PKI directory.

    mesh/ca.pem, ca.key                              the mesh's CA
    mesh/<service|gateway|operator|monitor>/         tls.pem, tls.key, ca.pem (whom to trust: the mesh)
    mesh/operator-<name>/                            the same, of one administrator
    agencies/<agency>/ca.pem, ca.key                 an agency's CA
    agencies/<agency>/systems/<name>/                tls.pem, tls.key, ca.pem (whom to trust: the mesh)
    agencies/<agency>/workstations/<name>/           the same
    signing/ca.pem, ca.key                           the root of document signing
    signing/<service>/                               signing.pem (leaf and root), signing.key
    bundles/<trust domain>.pem                       each agency's CA, for whoever checks agencies
    bundles/spiffe.json                              the same as one SPIFFE bundle map; the gateway watches it
    bundles/shut-out/<trust domain>                  agencies that the gateway refuses for now; see `shutting_out`

A PKI on a real platform hands out the same files from its own CA; nothing but this module knows the names.
"""

from dataclasses import dataclass
from pathlib import Path

from casemesh.pki.names import agency_trust_domain, require_name

MESH = "mesh"
AGENCIES = "agencies"
SIGNING = "signing"
BUNDLE_MAP = "spiffe.json"


@dataclass(frozen=True)
class CredentialFiles:
    """The three files a process is given: its certificate (with chain), its key, and whom it trusts."""

    certificate: Path
    key: Path
    trust: Path


@dataclass(frozen=True)
class PkiLayout:
    """The paths of one PKI directory. Checks names, touches no file."""

    root: Path

    @property
    def bundles(self) -> Path:
        """The directory of the agencies' trust bundles."""
        return self.root / "bundles"

    @property
    def bundle_map(self) -> Path:
        """All agencies' trust bundles in one SPIFFE bundle map."""
        return self.bundles / BUNDLE_MAP

    @property
    def shut_out(self) -> Path:
        """The directory that names the agencies that are shut out, a file each."""
        return self.bundles / "shut-out"

    @property
    def mesh_trust(self) -> Path:
        """The mesh's CA certificate."""
        return self.root / MESH / "ca.pem"

    @property
    def signing_trust(self) -> Path:
        """The root certificate of document signing."""
        return self.root / SIGNING / "ca.pem"

    def bundle(self, agency: str) -> Path:
        """One agency's trust bundle."""
        return self.bundles / f"{agency_trust_domain(agency)}.pem"

    def authority(self, entry: str) -> CredentialFiles:
        """The CA of `entry`: "mesh", "signing" or "agencies/<agency>"."""
        directory = self.root / entry
        return CredentialFiles(directory / "ca.pem", directory / "ca.key", directory / "ca.pem")

    def agency(self, agency: str) -> CredentialFiles:
        """An agency's CA."""
        agency_trust_domain(agency)
        return self.authority(f"{AGENCIES}/{agency}")

    def service(self, name: str) -> CredentialFiles:
        """TLS files of a service, of the gateway, or of a caller of the mesh."""
        require_name(name)
        return self.leaf(f"{MESH}/{name}")

    def administrator(self, name: str) -> CredentialFiles:
        """TLS files of one administrator."""
        require_name(name)
        return self.leaf(f"{MESH}/operator-{name}")

    def system(self, agency: str, name: str) -> CredentialFiles:
        """TLS files of an agency's system."""
        agency_trust_domain(agency)
        require_name(name)
        return self.leaf(f"{AGENCIES}/{agency}/systems/{name}")

    def workstation(self, agency: str, name: str) -> CredentialFiles:
        """TLS files of a workstation."""
        agency_trust_domain(agency)
        require_name(name)
        return self.leaf(f"{AGENCIES}/{agency}/workstations/{name}")

    def signing(self, name: str) -> CredentialFiles:
        """Document-signing files of a service."""
        require_name(name)
        return self.leaf(f"{SIGNING}/{name}")

    def leaf(self, entry: str) -> CredentialFiles:
        """The files of a leaf by its entry, for example "mesh/audit" or "signing/audit"."""
        directory = self.root / entry
        if entry.startswith(f"{SIGNING}/"):
            return CredentialFiles(directory / "signing.pem", directory / "signing.key", self.signing_trust)
        return CredentialFiles(directory / "tls.pem", directory / "tls.key", directory / "ca.pem")

    def authorities(self) -> list[str]:
        """The entries that are CAs and exist, in a fixed order."""
        agencies = sorted(path.parent.name for path in self.root.glob(f"{AGENCIES}/*/ca.pem"))
        found = [entry for entry in (MESH, SIGNING) if (self.root / entry / "ca.pem").exists()]
        return found + [f"{AGENCIES}/{agency}" for agency in agencies]

    def leaves(self) -> list[str]:
        """The entries that are leaves and exist, in a fixed order."""
        patterns = (f"{MESH}/*/tls.pem", f"{SIGNING}/*/signing.pem", f"{AGENCIES}/*/*/*/tls.pem")
        paths = (path for pattern in patterns for path in sorted(self.root.glob(pattern)))
        return [path.parent.relative_to(self.root).as_posix() for path in paths]
