"""The PKI of one machine: makes, renews and lists certificates in a directory (`casemeshd pki`).

It is for one machine, tests and demonstrations. On a platform the agencies run their own CAs and the mesh's
certificates come from the cluster; services read the same files either way.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casemesh.pki import certificates as profile
from casemesh.pki.bundles import write_bundle_map
from casemesh.pki.certificates import Authority, PrivateKey
from casemesh.pki.errors import PkiError
from casemesh.pki.files import PRIVATE_MODE, create_key_file, directory_lock, key_exists, replace_file
from casemesh.pki.layout import AGENCIES, MESH, SIGNING, CredentialFiles, PkiLayout
from casemesh.pki.names import (
    CALLERS,
    GATEWAY,
    MESH_TRUST_DOMAIN,
    administrator_spiffe_id,
    agency_trust_domain,
    mesh_spiffe_id,
    system_spiffe_id,
    workstation_spiffe_id,
)
from casemesh.pki.requests import requested_name


class KeyChoice(Enum):
    """Which key a renewed certificate gets."""

    SAME = "same"
    NEW = "new"


@dataclass(frozen=True)
class Credential:
    """A certificate that exists, and where its files are."""

    entry: str
    files: CredentialFiles
    identity: str
    fingerprint: str
    not_after: datetime


@dataclass(frozen=True)
class EntryStatus:
    """One line of `status`: `problem` says what is wrong and what to do, or is None."""

    entry: str
    identity: str
    fingerprint: str
    not_after: datetime
    days_left: int
    problem: str | None


class Pki:
    """The PKI in one directory.

    Guarantee: a private key that exists is never overwritten, except by `renew` when it is told to make a new one.
    Files appear whole; keys have mode 0600. Methods raise PkiError with the file and the remedy. Several processes
    may use one directory at a time. It revokes nothing: access ends where the certificate is registered.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.layout = PkiLayout(directory)
        self._clock = clock

    def create_mesh(self) -> None:
        """Makes the mesh's CA, the root of document signing and an empty list of agencies."""
        with directory_lock(self.layout.root):
            _refuse_existing(self.layout.authority(MESH).key)
            mesh_key, signing_key = _new_tls_key(), Ed25519PrivateKey.generate()
            mesh = profile.tls_authority(
                mesh_key, trust_domain=MESH_TRUST_DOMAIN, now=self._clock(), clients_only=False
            )
            signing = profile.signing_authority(signing_key, now=self._clock())
            write_bundle_map(self.layout)
            # Each key is written last, the mesh's last of all: a run that died before it can simply be repeated.
            if not self.layout.authority(SIGNING).key.exists():
                self._create(self.layout.authority(SIGNING), [signing], signing_key)
            self._create(self.layout.authority(MESH), [mesh], mesh_key)

    def add_agency(self, agency: str) -> str:
        """Makes an agency's CA and publishes its trust bundle; returns the agency's trust domain."""
        trust_domain = agency_trust_domain(agency)
        with directory_lock(self.layout.root):
            self._authority(MESH)
            files = self.layout.agency(agency)
            _refuse_existing(files.key)
            key = _new_tls_key()
            certificate = profile.tls_authority(key, trust_domain=trust_domain, now=self._clock(), clients_only=True)
            self._publish_agency(agency, certificate)
            self._create(files, [certificate], key)
        return trust_domain

    def issue_service(self, name: str, *, host_names: Sequence[str] = (), addresses: Sequence[str] = ()) -> Credential:
        """A certificate for a service, the gateway, the operator's CLI or the monitor.

        Services and the gateway may serve, as localhost, 127.0.0.1, their name in the cluster and the further
        `host_names` and `addresses`; operator and monitor may only call.
        """
        server = name not in CALLERS
        names = ["localhost", f"{name}.casemesh.svc", f"{name}.casemesh.svc.cluster.local", *host_names]
        entry = f"{MESH}/{name}"
        with directory_lock(self.layout.root):
            return self._issue(
                entry,
                MESH,
                lambda authority, key: profile.tls_leaf(
                    authority,
                    key,
                    spiffe_id=mesh_spiffe_id(name),
                    common_name=name if name == GATEWAY or not server else f"{name} service",
                    server=server,
                    host_names=names if server else (),
                    addresses=[ipaddress.ip_address(a) for a in ("127.0.0.1", *addresses)] if server else (),
                    now=self._clock(),
                ),
                _new_tls_key(),
            )

    def issue_administrator(self, name: str) -> Credential:
        """A client certificate for one administrator of the platform."""
        self.layout.administrator(name)
        with directory_lock(self.layout.root):
            return self._issue(
                f"{MESH}/operator-{name}",
                MESH,
                lambda authority, key: profile.tls_leaf(
                    authority,
                    key,
                    spiffe_id=administrator_spiffe_id(name),
                    common_name=f"administrator {name}",
                    server=False,
                    now=self._clock(),
                ),
                _new_tls_key(),
            )

    def issue_requested(self, agency: str, request: x509.CertificateSigningRequest) -> x509.Certificate:
        """A client certificate of the agency's CA for a request made elsewhere: the key never comes here.

        Raises PkiError when the request does not prove its key or names anything but one system or workstation of the
        agency. Writes no file.
        """
        name, key = requested_name(request, agency), request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise PkiError("the request must be for an EC key")
        with directory_lock(self.layout.root):
            authority = self._authority(f"{AGENCIES}/{agency}")
        return profile.tls_leaf(
            authority,
            key,
            spiffe_id=name,
            common_name=name.rpartition("/")[2],
            server=False,
            now=self._clock(),
        )

    def issue_system(self, agency: str, name: str) -> Credential:
        """A client certificate for an agency's own case system."""
        return self._issue_client(agency, f"systems/{name}", system_spiffe_id(agency, name))

    def issue_workstation(self, agency: str, name: str) -> Credential:
        """A client certificate for one officer's workstation."""
        return self._issue_client(agency, f"workstations/{name}", workstation_spiffe_id(agency, name))

    def issue_signing(self, name: str) -> Credential:
        """A document-signing key and certificate for a service; `signing.pem` holds the leaf and the root."""
        self.layout.signing(name)
        with directory_lock(self.layout.root):
            return self._issue(
                f"{SIGNING}/{name}",
                SIGNING,
                lambda authority, key: profile.signing_leaf(authority, key, signer=name, now=self._clock()),
                Ed25519PrivateKey.generate(),
            )

    def renew(self, entry: str, *, key: KeyChoice) -> Credential:
        """A certificate with the names of the old one and a fresh validity, put in the old one's place.

        `entry` is as `status` prints it. With KeyChoice.NEW the old key is gone afterwards; should the machine stop
        between the two files, `status` shows the pair as broken and renewing again repairs it. A CA keeps its key:
        replacing that needs both CAs in every bundle for a while, which this does not do. The fingerprint changes
        in any case, so a system must be registered again.
        """
        with directory_lock(self.layout.root):
            if entry in self.layout.authorities():
                return self._renew_authority(entry, key)
            if entry not in self.layout.leaves():
                raise PkiError(f"{self.layout.root}: no {entry!r} here; `status` lists what there is")
            files = self.layout.leaf(entry)
            authority = self._authority(_issuer_of(entry))
            previous = _read_certificate(files.certificate)
            if key is KeyChoice.NEW:
                signs = entry.startswith(f"{SIGNING}/")
                new_key: PrivateKey = Ed25519PrivateKey.generate() if signs else _new_tls_key()
                replace_file(files.key, _encode_key(new_key), PRIVATE_MODE)
            else:
                new_key = _read_key(files.key)
            certificate = profile.renewed(authority, previous, new_key, now=self._clock())
            replace_file(files.certificate, _encode_chain(entry, certificate, authority))
            return self._credential(entry, certificate)

    def credential(self, entry: str) -> Credential:
        """What `issue` returned for an entry that exists."""
        return self._credential(entry, _read_certificate(self.layout.leaf(entry).certificate))

    def status(self) -> list[EntryStatus]:
        """Every certificate of the directory, CAs first. Keys are opened to see that they fit, never shown."""
        entries = [(entry, self.layout.authority(entry)) for entry in self.layout.authorities()]
        entries += [(entry, self.layout.leaf(entry)) for entry in self.layout.leaves()]
        return [self._status(entry, files) for entry, files in entries]

    def _issue_client(self, agency: str, kind_and_name: str, spiffe_id: str) -> Credential:
        parent = f"{AGENCIES}/{agency}"
        with directory_lock(self.layout.root):
            return self._issue(
                f"{parent}/{kind_and_name}",
                parent,
                lambda authority, key: profile.tls_leaf(
                    authority,
                    key,
                    spiffe_id=spiffe_id,
                    common_name=kind_and_name.partition("/")[2],
                    server=False,
                    now=self._clock(),
                ),
                _new_tls_key(),
            )

    def _issue(
        self,
        entry: str,
        issuer: str,
        make: Callable[[Authority, PrivateKey], x509.Certificate],
        key: PrivateKey,
    ) -> Credential:
        files = self.layout.leaf(entry)
        _refuse_existing(files.key)
        authority = self._authority(issuer)
        certificate = make(authority, key)
        if files.trust.parent == files.key.parent:
            replace_file(files.trust, self._read_mesh_trust())
        chain = [certificate, authority.certificate] if issuer == SIGNING else [certificate]
        self._create(files, chain, key)
        return self._credential(entry, certificate)

    def _create(self, files: CredentialFiles, chain: Sequence[x509.Certificate], key: PrivateKey) -> None:
        replace_file(files.certificate, b"".join(_encode_certificate(c) for c in chain))
        create_key_file(files.key, _encode_key(key))

    def _renew_authority(self, entry: str, key: KeyChoice) -> Credential:
        if key is KeyChoice.NEW:
            raise PkiError(f"{self.layout.authority(entry).key}: a CA is renewed with its own key only")
        authority = self._authority(entry)
        certificate = profile.renewed(authority, authority.certificate, authority.key, now=self._clock())
        files = self.layout.authority(entry)
        replace_file(files.certificate, _encode_certificate(certificate))
        if entry == MESH:
            for leaf in self.layout.leaves():
                if not leaf.startswith(f"{SIGNING}/"):
                    replace_file(self.layout.leaf(leaf).trust, _encode_certificate(certificate))
        elif entry != SIGNING:
            self._publish_agency(entry.partition("/")[2], certificate)
        return self._credential(entry, certificate, files)

    def _publish_agency(self, agency: str, certificate: x509.Certificate) -> None:
        replace_file(self.layout.bundle(agency), _encode_certificate(certificate))
        write_bundle_map(self.layout)

    def _authority(self, entry: str) -> Authority:
        files = self.layout.authority(entry)
        if not files.key.exists():
            remedy = "add the agency first" if entry.startswith(AGENCIES) else "make the mesh first"
            raise PkiError(f"{files.key} is missing: {remedy}")
        return Authority(_read_certificate(files.certificate), _read_key(files.key))

    def _read_mesh_trust(self) -> bytes:
        try:
            return self.layout.mesh_trust.read_bytes()
        except FileNotFoundError:
            raise PkiError(f"{self.layout.mesh_trust} is missing: make the mesh first") from None

    def _credential(
        self, entry: str, certificate: x509.Certificate, files: CredentialFiles | None = None
    ) -> Credential:
        return Credential(
            entry=entry,
            files=files or self.layout.leaf(entry),
            identity=_identity(certificate),
            fingerprint=profile.fingerprint(certificate),
            not_after=certificate.not_valid_after_utc,
        )

    def _status(self, entry: str, files: CredentialFiles) -> EntryStatus:
        certificate = _read_certificate(files.certificate)
        left = certificate.not_valid_after_utc - self._clock()
        problem = None
        if not files.key.exists():
            problem = f"{files.key} is missing: issue it again"
        elif _read_key(files.key).public_key() != certificate.public_key():
            problem = f"{files.certificate} does not belong to {files.key}: renew it"
        elif left.total_seconds() <= 0:
            problem = f"{files.certificate} has expired: renew it"
        return EntryStatus(
            entry=entry,
            identity=_identity(certificate),
            fingerprint=profile.fingerprint(certificate),
            not_after=certificate.not_valid_after_utc,
            days_left=left.days,
            problem=problem,
        )


def _issuer_of(entry: str) -> str:
    parts = entry.split("/")
    return "/".join(parts[:2]) if parts[0] == AGENCIES else parts[0]


def _identity(certificate: x509.Certificate) -> str:
    return profile.spiffe_id_of(certificate) or certificate.subject.rfc4514_string()


def _refuse_existing(key: Path) -> None:
    if key.exists():
        raise key_exists(key)


def _new_tls_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _encode_certificate(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _encode_chain(entry: str, certificate: x509.Certificate, authority: Authority) -> bytes:
    # A signed document travels for years and brings its root along; a TLS peer has the root already.
    root = _encode_certificate(authority.certificate) if entry.startswith(f"{SIGNING}/") else b""
    return _encode_certificate(certificate) + root


def _encode_key(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        raise PkiError(f"{path} is missing: issue it first") from None
    except ValueError as error:
        raise PkiError(f"{path} is not a PEM certificate: restore it or issue it again") from error


def _read_key(path: Path) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        raise PkiError(f"{path} is missing: issue it first") from None
    except (ValueError, TypeError):
        # No cause attached: a parser's message may quote what it read.
        raise PkiError(f"{path} is not an unencrypted PEM private key: restore it or issue it again") from None
    if not isinstance(key, (ec.EllipticCurvePrivateKey, Ed25519PrivateKey)):
        raise PkiError(f"{path} is neither an EC nor an Ed25519 key: restore it or issue it again")
    return key
