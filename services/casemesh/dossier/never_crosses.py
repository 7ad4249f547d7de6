"""What never leaves an agency: the police working volume (侦查工作卷), the inner volumes of procuratorate and court
(内卷、副卷), witness protection (证人保护), sealed juvenile records (封存卷).

A document is one of these by its type, or by the volume it was sent in, whatever its type. A guess of the type that is
not sure enough does not hold a dossier up; an officer's word and a volume's name do.

Source: the catalogue of types (`transferable`); Criminal Procedure Law of the PRC (2018), articles 64 and 286.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Protocol

from casemesh.data.dossier_catalogue import load
from casemesh.errors import FailedPrecondition

SURE_CONFIDENCE: Final = 0.8

# Names as agencies give them, blanks taken out. What merely contains such a word is something else: 涉密卷 and 加密卷
# are classified or enciphered volumes, 省内卷宗 is no inner volume, 副本 is a copy, and sealed data are evidence.
_NEVER_CROSSES = re.compile(
    r"(?:^|侦查|公安|内部|办案|[0-9一二三四五六七八九十、.)）\-_])工作卷"
    r"|副卷"
    r"|(?:^|检察|检察院|法院|审判|内部|[0-9一二三四五六七八九十、.)）\-_])内卷(?!宗?目录)"
    r"|(?<![涉加])密卷"
    r"|证人保护|证人身份保密"
    r"|合议庭评议|评议笔录|(?:审判委员会|审委会|检察委员会|检委会)讨论"
    r"|(?<!数据)(?<!物证)(?<!证据)(?<!财物)封存(?:案?卷|档案)|记录封存$|^封存$"
    r"|(?:policeworking|working|inner|witnessprotection|sealed(?:juvenile)?)(?:volume|file|records?)",
    re.IGNORECASE,
)


class Classified(Protocol):
    """A document as far as this module looks at it."""

    @property
    def index(self) -> int: ...
    @property
    def volume(self) -> str: ...
    @property
    def type_code(self) -> str: ...
    @property
    def confidence(self) -> float: ...


@lru_cache(maxsize=4096)
def volume_never_crosses(name: str) -> bool:
    """Say whether a volume is, by its name as sent, one that never crosses."""
    return _NEVER_CROSSES.search("".join(name.split())) is not None


def type_never_crosses(type_code: str) -> bool:
    """Say whether documents of this type never cross: the type is marked so, or lies in a volume that is."""
    catalogue = load()
    kind = catalogue.types.get(type_code)
    return kind is not None and not (kind.transferable and catalogue.volumes[kind.volume].transferable)


def never_crosses(document: Classified) -> bool:
    """Say whether a document holds up a hand-over."""
    sure = document.confidence >= SURE_CONFIDENCE
    return volume_never_crosses(document.volume) or (sure and type_never_crosses(document.type_code))


def require_transferable(documents: Iterable[Classified]) -> None:
    """Do nothing where every document may cross.

    Raises FailedPrecondition (DOCUMENT_NEVER_CROSSES) naming the first that may not and how many there are. Says
    nothing about documents of which no type is known and whose volume has an innocent name.
    """
    held = [document for document in documents if never_crosses(document)]
    if held:
        raise FailedPrecondition(
            "DOCUMENT_NEVER_CROSSES",
            "a document is of a kind, or in a volume, that never leaves the agency; remove it or finalise as internal",
            {"document_index": held[0].index, "type_code": held[0].type_code, "document_count": len(held)},
        )
