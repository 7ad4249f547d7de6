"""The key provider that a configuration asks for."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from casemesh.dossier.config import Config, KmsConfig, PassphraseConfig
from casemesh.dossier.keys.kms import HttpKms, KmsKeyProvider
from casemesh.dossier.keys.local import LocalKeyProvider, wrapping_key_from_file, wrapping_key_from_passphrase
from casemesh.dossier.keys.provider import KeyProvider, KeyProviderError, KeyRing


def key_provider_of(config: Config) -> KeyProvider:
    """What wraps this deployment's case keys, and what still unwraps earlier ones.

    Reads key files and derives from passphrases, which takes some tenths of a second each. Raises KeyProviderError.
    Does not watch the files: a change takes effect on restart.
    """
    retired = list(_retired_keys(config))
    if config.kms is not None:
        active: KeyProvider = _kms(config.kms)
        return KeyRing(active, [LocalKeyProvider(retired[0], retired[1:])] if retired else [])
    if config.wrapping_passphrase is not None:
        local = LocalKeyProvider(_derived(config.wrapping_passphrase), retired)
    elif config.wrapping_key is not None:
        local = LocalKeyProvider(wrapping_key_from_file(config.wrapping_key), retired)
    else:
        raise KeyProviderError("no wrapping key is configured")
    return KeyRing(local, [] if config.retired_kms is None else [_kms(config.retired_kms)])


def _retired_keys(config: Config) -> Iterator[bytes]:
    for path in config.retired_wrapping_keys:
        yield wrapping_key_from_file(path)
    for passphrase in config.retired_wrapping_passphrases:
        yield _derived(passphrase)


def _derived(config: PassphraseConfig) -> bytes:
    return wrapping_key_from_passphrase(config.passphrase_file, config.scrypt_file)


def _kms(config: KmsConfig) -> KmsKeyProvider:
    tls = ssl.create_default_context(cafile=config.ca_file)
    if config.tls is not None:
        tls.load_cert_chain(config.tls / "tls.pem", config.tls / "tls.key")
    return KmsKeyProvider(HttpKms(config.address, tls), config.key_name)
