"""Why somebody looks at a dossier or a trail: stated with each call that reads one, kept in the event of the reading.

It travels as metadata, not in requests: it is said once for a piece of work, as the login is, and the same for every
call that reads, whatever it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from casemesh.data.viewing_purposes import viewing_purposes
from casemesh.errors import InvalidArgument

KIND_KEY: Final = "casemesh-purpose"
TEXT_KEY: Final = "casemesh-purpose-text-bin"
"""Binary, since it is in Chinese as a rule: UTF-8."""
MAX_TEXT_LENGTH: Final = 200


class PurposeError(ValueError):
    """A purpose is of no known kind, or lacks the words that its kind asks for; the message says the remedy."""


@dataclass(frozen=True)
class Purpose:
    """A kind of the table of purposes, and what it is in words where the kind asks for that.

    Raises PurposeError. The words must not hold names or numbers of persons; nobody can check that.
    """

    kind: str
    text: str = ""

    def __post_init__(self) -> None:
        known = viewing_purposes().get(self.kind)
        if known is None:
            raise PurposeError(f"{self.kind!r} is no kind of purpose; there are {', '.join(viewing_purposes())}")
        if known.asks_for_text and not self.text.strip():
            raise PurposeError(f"the purpose {self.kind} asks for words: {self.kind}:WORDS")
        if len(self.text) > MAX_TEXT_LENGTH or not self.text.replace("\u3000", " ").isprintable():
            raise PurposeError(f"a purpose has at most {MAX_TEXT_LENGTH} characters, in one line")

    @classmethod
    def parse(cls, text: str) -> Purpose:
        """Return the purpose in `KIND` or `KIND:WORDS`, with a colon of either width. Raises PurposeError."""
        kind, *words = re.split("[:\uff1a]", text, maxsplit=1)
        return cls(kind.strip(), "".join(words).strip())

    def metadata(self) -> list[tuple[str, str | bytes]]:
        """Return what a call carries."""
        sent: list[tuple[str, str | bytes]] = [(KIND_KEY, self.kind)]
        if self.text:
            sent.append((TEXT_KEY, self.text.encode()))
        return sent


def purpose_of(metadata: Iterable[tuple[str, str | bytes]]) -> Purpose:
    """Return the purpose that a call carries.

    Raises InvalidArgument (PURPOSE_MISSING) for none, several, one of no known kind or without the words it asks for.
    """
    kinds, texts = [], []
    for key, value in metadata:
        if key == KIND_KEY:
            kinds.append(value)
        elif key == TEXT_KEY:
            texts.append(value)
    try:
        if len(kinds) != 1 or len(texts) > 1 or not isinstance(kinds[0], str):
            raise PurposeError(f"the call must say once for what purpose it reads, as metadata {KIND_KEY}")
        text = texts[0] if texts else b""
        return Purpose(kinds[0], text.decode() if isinstance(text, bytes) else text)
    except UnicodeDecodeError:
        why = f"{TEXT_KEY} is not UTF-8"
    except PurposeError as error:
        why = str(error)
    raise InvalidArgument("PURPOSE_MISSING", why, {"kinds": ",".join(viewing_purposes())})
