"""Configuration of the dossier service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from casemesh.dossier.packs.suites import SUITES
from casemesh.runtime.config import ConfigError, Duration, Size
from casemesh.runtime.host import HostConfig

_DAY = Duration(86_400)
DRAFT_EXPIRY_SECONDS: Final = Duration(90 * 86_400)
_HOUR = Duration(3600)
_EXAMINE_UP_TO = Size(64 << 20)


@dataclass(frozen=True)
class ObjectStoreConfig:
    """An S3-compatible store of objects."""

    endpoint: str
    """`https://host:port`, without the bucket; the bucket is the first part of each path."""
    bucket: str
    """The bucket. It must be there; objects are made, read, listed and deleted in it, and never overwritten unless an
    operator has one repaired."""
    access_key_file: Path
    """File with the access key's id. Read again every five minutes, so that a rotation needs no restart."""
    secret_key_file: Path
    """File with the secret of that key, read together with it."""
    region: str = "us-east-1"
    """The region that requests are signed for. Default us-east-1, which most stores of other makers expect."""
    prefix: str = ""
    """What all names begin with, such as `casemesh/packs`, where the bucket has other uses. Default none."""
    ca_file: Path | None = None
    """PEM certificates of a private CA, beside the system's, that the endpoint's certificate may come from."""
    allow_http: bool = False
    """Whether the endpoint may be `http`. Default false. Dossiers are sealed either way; requests then are not."""


@dataclass(frozen=True)
class PassphraseConfig:
    """A wrapping key derived from a passphrase by scrypt."""

    passphrase_file: Path
    """File with a passphrase of at least 16 characters, mode 0600."""
    scrypt_file: Path
    """File with salt and costs, from `casemeshd dossier make-salt`. Not secret, but lost, every dossier is lost."""


@dataclass(frozen=True)
class KmsConfig:
    """A key management service or hardware module, behind an agent that speaks the protocol of `keys.kms`."""

    address: str
    """`https://host:port`, or `unix:/path` of a socket that only this service may open."""
    key_name: str
    """The key there that new case keys are wrapped under. Earlier ones must stay until `rotate-keys` is through."""
    ca_file: Path | None = None
    """PEM certificates that the agent's certificate may come from. If unset, the system's."""
    tls: Path | None = None
    """Folder with `tls.pem` and `tls.key`, this service's certificate towards the agent. If unset, none is shown."""


@dataclass(frozen=True)
class Config(HostConfig):
    """What the dossier service reads at its start.

    Raises ConfigError where a suite is not known or two folders should differ and do not.
    """

    store: Path = field(kw_only=True)
    """Folder of the packs. On a disk of its own where that can be had: it takes every byte of every dossier, once.
    With `object_store` nothing is written to it, and nothing read unless `move_from` names it, too."""
    signing: Path = field(kw_only=True)
    """Folder with `signing.pem` and `signing.key`, the document-signing key of manifests."""
    wrapping_key: Path | None = field(default=None, kw_only=True)
    """File of 32 random bytes, mode 0600, that wraps the cases' data keys. Lost, every dossier is lost: back it up.
    Exactly one of this, `wrapping_passphrase` and `kms` is set."""
    wrapping_passphrase: PassphraseConfig | None = field(default=None, kw_only=True)
    """A passphrase instead of that file."""
    kms: KmsConfig | None = field(default=None, kw_only=True)
    """A key management service instead of either: the wrapping key then never is on this machine."""
    retired_wrapping_keys: tuple[Path, ...] = field(default=(), kw_only=True)
    """Files of earlier wrapping keys, which still unwrap. Remove them once `casemeshd dossier rotate-keys` is through
    and the backups that need them are gone."""
    retired_wrapping_passphrases: tuple[PassphraseConfig, ...] = field(default=(), kw_only=True)
    """Earlier passphrases, in the same way."""
    retired_kms: KmsConfig | None = field(default=None, kw_only=True)
    """An earlier key management service, in the same way, where the wrapping key is now a file or a passphrase."""
    draft_expiry: Duration = field(default=DRAFT_EXPIRY_SECONDS, kw_only=True)
    """How long a draft may rest before it is given up: 90d. Versions finalised before stay. At least 1d."""
    care_every: Duration = field(default=_HOUR, kw_only=True)
    """How often expired drafts and unused bytes are looked for: 1h. Only one replica does it at a time."""
    examine_up_to: Size = field(default=_EXAMINE_UP_TO, kw_only=True)
    """Largest document whose bytes are examined: 64MiB. One at a time lies in memory for that, in the clear."""
    ocr: bool = field(default=False, kw_only=True)
    """Whether pictures are read by Tesseract where the name does not tell the type and the machine has it, with
    simplified Chinese. Default false: a page takes a core for half a second and more, behind everything else."""
    suite: str = field(default="AES-256-GCM", kw_only=True)
    """How new packs are sealed: `AES-256-GCM`, or `SM4-GCM` where national rules ask for it. Default AES-256-GCM. Packs
    of either are read whatever stands here."""
    quota: Size | None = field(default=None, kw_only=True)
    """How many bytes the dossiers of one agency may take, such as `500GB`; a row of `agency_quota` says otherwise for
    one. Each content counts once. If unset, there is no limit."""
    object_store: ObjectStoreConfig | None = field(default=None, kw_only=True)
    """Where packs lie instead of `store`. If unset, they lie in `store`."""
    copy: Path | None = field(default=None, kw_only=True)
    """Folder of a second copy of every pack, on another disk. If unset, there is none. What cannot be written to both
    is not confirmed; what one has lost is read from the other."""
    move_from: Path | None = field(default=None, kw_only=True)
    """Folder where packs lay until now, while they move to where new ones are made. Remove it when it is empty."""

    completeness_rules: Path | None = field(default=None, kw_only=True)
    """A site's own rules of the completeness check, as docs/completeness.md describes. If unset, the shipped ones."""

    def __post_init__(self) -> None:
        if self.suite not in SUITES:
            raise ConfigError(f"suite must be one of {', '.join(SUITES)}, not {self.suite}")
        if self.copy is not None and self.copy in (self.store, self.move_from):
            raise ConfigError("copy must be a folder of its own: one folder twice is no second copy")
        if self.move_from == self.store and self.object_store is None:
            raise ConfigError("move_from must be another folder than store, unless packs move to the object_store")
        if sum(key is not None for key in (self.wrapping_key, self.wrapping_passphrase, self.kms)) != 1:
            raise ConfigError("exactly one of wrapping_key, wrapping_passphrase and kms is set")
        if self.kms is not None and self.retired_kms is not None:
            raise ConfigError("keys move from one KMS to another within it or through a file; unset retired_kms")
        if self.draft_expiry < _DAY:
            raise ConfigError("draft_expiry is at least 1d")
