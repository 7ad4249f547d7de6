"""What the pages say, in English and Chinese: `words.toml`, and what the commands say already."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from casemesh.cli import messages
from casemesh.cli.messages import Language


def text(key: str, language: Language, **values: object) -> str:
    """Return the sentence `key` with `values` in it, from the pages' own catalogue or the commands'.

    Raises KeyError for a key that neither has.
    """
    own = catalogue().get(key)
    return own[language.value].format(**values) if own is not None else messages.text(key, language, **values)


def choice(group: str, name: str, language: Language) -> str:
    """Return what a value of an enumeration is called, or its own name where a later release brought it."""
    key = f"{group}.{name.lower()}"
    return text(key, language) if {key} & (catalogue().keys() | messages.keys()) else name


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return the pages' own sentences by key."""
    source = files("casemesh.console").joinpath("words.toml").read_text(encoding="utf-8")
    return {
        f"{group}.{name}": sentence
        for group, sentences in tomllib.loads(source).items()
        for name, sentence in sentences.items()
    }
