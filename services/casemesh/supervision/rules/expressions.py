"""Expressions over facts in CEL, checked against the dictionary before they are ever evaluated.

A fact that is absent makes an expression absent, unless `has(...)` or an alternative settles it: what is not known
raises no finding. An expression has no clock, no loops without end and no side effects.

Source: Common Expression Language, language definition (cel-spec).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from cel_expr_python import cel

from casemesh.supervision.rules.charges import charges
from casemesh.supervision.rules.dictionary import Fact, FactType, Subject, fact_of, known_facts, roots

_TYPES = {
    FactType.TEXT: cel.Type.STRING,
    FactType.FLAG: cel.Type.BOOL,
    FactType.NUMBER: cel.Type.INT,
    FactType.MOMENT: cel.Type.TIMESTAMP,
    FactType.TEXTS: cel.Type.List(cel.Type.STRING),
}
_STRING = re.compile(r'"[^"\\]*"|\'[^\'\\]*\'')
_ASKED = re.compile(r"(?<![.\w])([a-z_]+)\.([A-Za-z0-9_]+)")
_INDEXED = re.compile(r"(?<![.\w])([a-z_]+)\[\"([^\"]+)\"\]")
# A family by itself, as in `n in first` and `first[n]`.
_WHOLE = re.compile(r"(?<![.\w])([a-z_]+)(?![.\w(])")
_CODE = re.compile(r"[A-Z]{2,3}[0-9]{2,3}")
_ABSENT = "NOT_FOUND"


class ExpressionError(ValueError):
    """An expression that asks for what there is not, or is of the wrong type. The message says what."""


class EvaluationFailed(Exception):
    """An expression that broke on the facts of a case, for another reason than that one was absent."""


class Activation:
    """The facts of one subject, bound for expressions about such subjects that ask for no more than `names`."""

    def __init__(self, subject: Subject, values: Mapping[str, Any], names: Iterable[str]) -> None:
        # Binding costs by the value, and a rule asks for few of them.
        self.bound = _environment(subject).Activation({name: values[name] for name in names})


class Expression:
    """One expression. `inputs` are the facts it asks for, as it writes them."""

    def __init__(self, text: str, subject: Subject, kind: FactType | None) -> None:
        """Compile `text` for `subject`; `kind` is the type it must have, None for any.

        Raises ExpressionError.
        """
        self.text = text
        self.inputs = _inputs(text, subject)
        try:
            self._compiled = _environment(subject).compile(text)
        except RuntimeError as error:
            raise ExpressionError(" ".join(str(error).split())) from None
        if kind is not None and self._compiled.return_type() != _TYPES[kind]:
            raise ExpressionError(f"must be a {kind.value}, is {self._compiled.return_type().name()}")

    def value(self, facts: Activation) -> Any:
        """Return the value in plain Python, moments aware; None where a fact it needs is absent.

        Raises EvaluationFailed.
        """
        result = self._compiled.eval(facts.bound)
        value = result.value()
        # A problem comes as a text, so that only texts need the slower question of their type.
        if isinstance(value, str) and result.type() == cel.Type.ERROR:
            if value.startswith(_ABSENT):
                return None
            raise EvaluationFailed(f"{self.text}: {value}")
        return result.plain_value() if isinstance(value, list | dict) else value

    def holds(self, facts: Activation) -> bool:
        """Say whether a condition holds; an absent one does not. Raises EvaluationFailed."""
        return self.value(facts) is True

    def moment(self, facts: Activation) -> datetime | None:
        """Return a moment, None where it is absent. Raises EvaluationFailed."""
        found = self.value(facts)
        return found if isinstance(found, datetime) else None


@cache
def _environment(subject: Subject) -> cel.Env:
    variables = {}
    for fact in known_facts().values():
        if subject in fact.subjects:
            name = fact.root if fact.family else fact.id
            kind = _TYPES[fact.type]
            variables[name] = cel.Type.Map(cel.Type.STRING, kind) if fact.family else kind
    return cel.NewEnv(variables=variables)


def names_of(inputs: Iterable[str]) -> tuple[str, ...]:
    """Return the names under which what expressions ask for is bound: a family by its root, one value by itself."""
    facts = [(name, fact_of(*name.split(".", 1))) for name in inputs]
    return tuple(dict.fromkeys(fact.root if fact.family else name for name, fact in facts if fact is not None))


def _inputs(text: str, subject: Subject) -> tuple[str, ...]:
    bare = _STRING.sub(lambda match: " " * len(match[0]), text)
    asked = [(match[1], match[2]) for match in _ASKED.finditer(bare) if match[1] in roots()]
    asked += [(match[1], match[2]) for match in _INDEXED.finditer(text)]
    asked += [(match[1], "*") for match in _WHOLE.finditer(bare) if match[1] in roots()]
    found: dict[str, None] = {}
    for root, member in asked:
        found[f"{_known(root, member, subject).root}.{member}"] = None
    for literal in _STRING.findall(text):
        code = literal[1:-1]
        # A code in a list is not a reference that the compiler could check.
        known = fact_of("first", code) is not None or fact_of("over", code) is not None or code in charges()
        if _CODE.fullmatch(code) and not known:
            raise ExpressionError(f"neither a node, a limit nor a charge: {code}")
    return tuple(found)


def _known(root: str, member: str, subject: Subject) -> Fact:
    fact = fact_of(root, member)
    if fact is None:
        raise ExpressionError(f"not in the dictionary of facts: {root}.{member}")
    if subject not in fact.subjects:
        raise ExpressionError(f"{fact.id} is no fact of a {subject}")
    return fact
