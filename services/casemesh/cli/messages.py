"""What the commands say, in English and Chinese. The sentences stand in messages.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib.resources import files


class Language(Enum):
    """A language the commands speak."""

    ENGLISH = "en"
    CHINESE = "zh"


def choose_language(asked: str, environ: Mapping[str, str]) -> Language:
    """Return the language asked for, or that of the locale; English for every other."""
    locale = asked or environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return Language.CHINESE if locale.lower().startswith("zh") else Language.ENGLISH


def text(key: str, language: Language, **values: object) -> str:
    """Return the sentence `key` with `values` in it.

    Raises KeyError for a key the catalogue does not have.
    """
    return _catalogue()[key][language.value].format(**values)


def reason_text(reason: str, language: Language) -> str | None:
    """Return what an error's reason means, or None where only the platform's own words tell."""
    sentence = _catalogue().get(f"reason.{reason}")
    return sentence[language.value] if sentence is not None else None


def keys() -> frozenset[str]:
    """Return all keys of the catalogue."""
    return frozenset(_catalogue())


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    source = files("casemesh.cli").joinpath("messages.toml").read_text(encoding="utf-8")
    return {
        f"{group}.{name}": sentence
        for group, sentences in tomllib.loads(source).items()
        for name, sentence in sentences.items()
    }
