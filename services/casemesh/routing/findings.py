"""What preflight finds in a draft: each with a reason for programs, the field it stands in and a remedy for people.

The words stand in `findings.toml`, in both languages. A finding that has an error refuses a submission; one that has
none is a warning.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from casemesh.errors import CaseMeshError, FailedPrecondition, FieldViolation, InvalidArgument

_FILE = "findings.toml"
_INVALID = frozenset({"FIELD_INVALID", "PAYLOAD_INVALID", "PAYLOAD_CODE_UNKNOWN", "PARTY_NOT_OF_CASE"})


@dataclass(frozen=True)
class Finding:
    """One thing at fault or to be looked at. `error` is the reason of the refusal, empty for a warning."""

    reason: str
    field: str
    zh: str
    en: str
    error: str = ""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cause: CaseMeshError | None = None
    """The error that an asked service or check gave, to be told as it is."""

    @property
    def blocking(self) -> bool:
        """Whether a submission is refused because of it."""
        return bool(self.error)


@dataclass(frozen=True)
class _Wording:
    error: str
    zh: str
    en: str


def found(reason: str, place: str, metadata: Mapping[str, str] | None = None, **words: object) -> Finding:
    """Return the finding of this reason at `place`, a path in the request; `words` fill its remedy, `metadata` goes
    with its error. Raises KeyError for a reason that has no words."""
    wording = _wordings()[reason]
    words = {"field": place, **words}
    return Finding(
        reason, place, wording.zh.format(**words), wording.en.format(**words), wording.error, dict(metadata or {})
    )


def of_error(error: CaseMeshError, place: str, **words: object) -> Finding:
    """Return the finding that an error tells of; `words` fill the remedy of its reason."""
    wording = _wordings()[error.reason]
    return Finding(
        error.reason, place, wording.zh.format(field=place, **words), error.message, error.reason, error.metadata, error
    )


def refusal(findings: Sequence[Finding]) -> CaseMeshError | None:
    """Return the error that refuses a submission: that of the first blocking finding, with a violation for each of the
    same error. None when nothing blocks."""
    first = next((finding for finding in findings if finding.blocking), None)
    if first is None:
        return None
    if first.cause is not None:
        return first.cause
    alike = [finding for finding in findings if finding.error == first.error]
    if first.error not in _INVALID:
        return FailedPrecondition(first.error, first.en, first.metadata)
    violations = [FieldViolation(finding.field, f"{finding.en}  {finding.zh}") for finding in alike]
    return InvalidArgument(first.error, "; ".join(finding.en for finding in alike[:5]), first.metadata, violations)


def require_none(findings: Sequence[Finding]) -> None:
    """Check that nothing blocks. Raises as `refusal` says."""
    error = refusal(findings)
    if error is not None:
        raise error


@cache
def _wordings() -> Mapping[str, _Wording]:
    tables = tomllib.loads(files("casemesh.routing").joinpath(_FILE).read_text(encoding="utf-8"))
    return {reason: _Wording(words.get("error", ""), words["zh"], words["en"]) for reason, words in tables.items()}
