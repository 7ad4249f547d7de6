"""Certificates as files: they parse, fit their key, come from the bundle beside them, and hold for a while."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from casemesh.local.doctor.findings import Finding, soon, well, wrong

CHECK: Final = "certificate"
SOON: Final = timedelta(days=14)
_RENEW: Final = "renew it: casemeshd pki renew ENTRY --dir PKI  更新证书"


def examine_certificate(directory: Path, subject: str, now: datetime, stem: str = "tls") -> Iterator[Finding]:
    """Yield what is to be said of `tls.pem`, `tls.key` and `ca.pem` of a folder, or of `signing.pem` and its key."""
    try:
        chain = x509.load_pem_x509_certificates((directory / f"{stem}.pem").read_bytes())
        key = serialization.load_pem_private_key((directory / f"{stem}.key").read_bytes(), None)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no certificate and key in PEM form"
        yield wrong(
            CHECK, subject, f"{directory}: {why}",
            f"put {stem}.pem and {stem}.key there: casemeshd pki status --dir PKI  放置证书与私钥",
        )  # fmt: skip
        return
    leaf = chain[0]
    if leaf.public_key() != key.public_key():
        yield wrong(CHECK, subject, f"{directory}/{stem}.key is not the key of the certificate", _RENEW)
    if stem == "tls" and not _is_trusted(leaf, directory / "ca.pem"):
        yield wrong(
            CHECK, subject, f"no certificate of {directory}/ca.pem issued {stem}.pem",
            "copy the mesh's bundle there, or issue the certificate from this mesh  更换 CA 证书包或重新签发",
        )  # fmt: skip
    yield _lifetime(leaf, subject, now)


def _lifetime(leaf: x509.Certificate, subject: str, now: datetime) -> Finding:
    left = leaf.not_valid_after_utc - now
    if now < leaf.not_valid_before_utc:
        return wrong(
            CHECK, subject, f"valid only from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on",
            "set this machine's clock right: chronyc tracking  校正系统时钟",
        )  # fmt: skip
    if left <= timedelta(0):
        return wrong(CHECK, subject, f"ended on {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC", _RENEW)
    if left < SOON:
        return soon(CHECK, subject, f"{left.days} days left", _RENEW)
    return well(CHECK, subject, f"{left.days} days left")


def _is_trusted(leaf: x509.Certificate, bundle: Path) -> bool:
    try:
        authorities = x509.load_pem_x509_certificates(bundle.read_bytes())
    except (OSError, ValueError):
        return False
    return any(_issued(authority, leaf) for authority in authorities)


def _issued(authority: x509.Certificate, leaf: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
