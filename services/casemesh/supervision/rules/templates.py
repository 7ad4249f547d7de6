"""Explanations: a sentence with expressions in braces, filled with the facts a finding rests on."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal

from casemesh.core.clock import CHINA
from casemesh.data import nodes
from casemesh.data.tables import shipped_bytes
from casemesh.supervision.rules.dictionary import Subject
from casemesh.supervision.rules.expressions import Activation, Expression

_PLACE = re.compile(r"\{([^{}]+)\}")
_ABSENT = "-"
_FILE = "supervision/wording.toml"

Language = Literal["zh", "en"]


class Template:
    """A sentence to fill. `inputs` are the facts it shows."""

    def __init__(self, text: str, subject: Subject, language: Language) -> None:
        """Compile what stands in braces.

        Raises ExpressionError.
        """
        self.language = language
        self.text = " ".join(text.split())
        parts = _PLACE.split(self.text)
        self._words = parts[::2]
        self._places = [Expression(place, subject, None) for place in parts[1::2]]
        self.inputs = tuple(dict.fromkeys(name for place in self._places for name in place.inputs))

    def fill(self, facts: Activation) -> str:
        """Return the sentence with the facts in it, moments in civil time of China, "-" for what is absent.

        Raises EvaluationFailed.
        """
        shown = [shown_value(place.value(facts), self.language) for place in self._places]
        return "".join(word + value for word, value in zip(self._words, [*shown, ""], strict=True))


def shown_value(value: Any, language: Language) -> str:
    """Return a value as people read it: a node with its name, a stage and a state by their words."""
    match value:
        case None:
            return _ABSENT
        case bool():
            return "✓" if value else "✗"
        case datetime():
            local = value.astimezone(CHINA)
            at_midnight = local.hour == local.minute == local.second == 0
            return f"{local:%Y-%m-%d}" if at_midnight else f"{local:%Y-%m-%d %H:%M}"
        case list():
            return ", ".join(str(item) for item in value) or _ABSENT
        case str():
            return _names(language).get(value, value) or _ABSENT
        case _:
            return str(value)


@cache
def wording() -> Mapping[str, Mapping[str, Any]]:
    """Return the words in which findings are written."""
    return tomllib.loads(shipped_bytes(_FILE).decode("utf-8"))


@cache
def _names(language: Language) -> Mapping[str, str]:
    of_nodes = {node.code: f"{node.code} {node.name_zh if language == 'zh' else node.name_en}" for node in nodes()}
    return {**of_nodes, **{value: words[language] for value, words in wording()["value"].items()}}
