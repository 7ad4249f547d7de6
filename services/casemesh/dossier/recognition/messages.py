"""Entries and rules as the messages of the contract."""

from __future__ import annotations

from typing import Final

from casemesh.client.examining.findings import Format
from casemesh.core.names import DOCUMENT
from casemesh.data.dossier_catalogue import Catalogue
from casemesh.dossier.recognition.classify import Source
from casemesh.dossier.recognition.entries import Rule, StoredEntry
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb

PAGE_COUNT_DIFFERS: Final = "PAGE_COUNT_DIFFERS"
_SOURCES: Final = {
    None: pb.RECOGNITION_SOURCE_UNSPECIFIED,
    Source.NAME: pb.RECOGNITION_SOURCE_NAME,
    Source.TEXT: pb.RECOGNITION_SOURCE_TEXT,
    Source.OCR: pb.RECOGNITION_SOURCE_OCR,
    Source.RULE: pb.RECOGNITION_SOURCE_RULE,
    Source.OFFICER: pb.RECOGNITION_SOURCE_OFFICER,
}
# A text has as many pages as its printer makes of it.
_COUNTED: Final = frozenset({Format.PDF, Format.OFD, Format.TIFF, Format.JPEG, Format.PNG})


def entry_message(dossier_id: str, entry: StoredEntry, catalogue: Catalogue) -> pb.CatalogueEntry:
    """A line of the table of contents as the contract has it."""
    kind = catalogue.types.get(entry.type_code or "")
    problems = list(entry.problems)
    if entry.format in _COUNTED and entry.found_page_count not in (0, entry.page_count):
        problems.append(PAGE_COUNT_DIFFERS)
    return pb.CatalogueEntry(
        document=DOCUMENT.format(dossier=dossier_id, document=entry.document_id),
        document_index=entry.document_index,
        volume=entry.volume,
        file_name=entry.file_name,
        type_code=entry.type_code or "",
        type_name=kind.name if kind else "",
        catalogue_volume=kind.volume if kind else "",
        confidence=round(entry.confidence, 3),
        source=_SOURCES[entry.source],
        reason=entry.reason,
        format=entry.format,
        stated_page_count=entry.page_count,
        found_page_count=entry.found_page_count,
        first_page=entry.last_page - entry.page_count + 1,
        last_page=entry.last_page,
        problems=problems,
        examined=entry.examined,
        parties=entry.parties,
    )


def rule_message(rule: Rule) -> pb.RecognitionRule:
    """A rule as the contract has it."""
    message = pb.RecognitionRule(rule_id=rule.rule_id, title=rule.title, type_code=rule.type_code or "")
    message.create_time.FromDatetime(rule.created_at)
    return message
