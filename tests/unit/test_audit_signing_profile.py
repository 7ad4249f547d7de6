"""The keys that the PKI issues for signing are those that statements are verified with."""

from datetime import UTC, datetime

from cryptography import x509

from casemesh.client.statements import SigningKey, sign, verify
from casemesh.pki.authority import Pki

KIND = "application/vnd.casemesh.test+json"


def test_a_statement_of_every_issued_signer_verifies_under_the_issued_root(mesh_pki: Pki) -> None:
    roots = x509.load_pem_x509_certificates(mesh_pki.layout.signing_trust.read_bytes())
    for name in ("identity", "dossier", "routing", "audit"):
        files = mesh_pki.layout.signing(name)
        envelope = sign({"of": name}, KIND, SigningKey.load(files.certificate, files.key))
        statement = verify(envelope, roots, KIND, at=datetime.now(UTC))
        assert statement.signer == f"spiffe://mesh.casemesh/signing/{name}"
