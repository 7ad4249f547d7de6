"""A dossier's table of contents (卷内目录) arranged for readers, and as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from casemesh.client.spreadsheet_csv import spreadsheet_csv

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_catalogue_service_pb2 import CatalogueEntry

UNSURE_BELOW: Final = 0.8
"""A guess that is less sure should be looked at."""
SOURCES: Final[Mapping[int, str]] = {0: "", 1: "name", 2: "text", 3: "ocr", 4: "rule", 5: "officer"}
PROBLEMS: Final[Mapping[str, str]] = {
    "EMPTY": "空文件",
    "UNREADABLE": "无法读取",
    "ENCRYPTED": "有密码",
    "TOO_LARGE_TO_EXAMINE": "过大未检查",
    "PAGE_COUNT_DIFFERS": "页数不符",
}
_COLUMNS: Final = (
    "卷 volume",
    "序号 number",
    "文书名称 document",
    "类型 type_code",
    "归属卷 catalogue_volume",
    "文件名 file_name",
    "起页 first_page",
    "止页 last_page",
    "页数 page_count",
    "实有页数 found_page_count",
    "格式 format",
    "可信度 confidence",
    "来源 source",
    "理由 reason",
    "问题 problems",
    "卷宗文件 resource",
)


@dataclass(frozen=True, slots=True)
class TableLine:
    """A line of a table of contents: its number in the volume, from 1, and its pages there."""

    number: int
    first_page: int
    last_page: int
    entry: CatalogueEntry

    @property
    def title(self) -> str:
        """What a person calls the document: its type, or else what it was sent as."""
        return self.entry.type_name or self.entry.file_name

    @property
    def pages(self) -> str:
        """`7` or `7-12`."""
        return str(self.last_page) if self.first_page == self.last_page else f"{self.first_page}-{self.last_page}"

    @property
    def to_be_checked(self) -> bool:
        """Whether the type is a guess that a person should look at, or none was found."""
        return self.entry.confidence < UNSURE_BELOW


@dataclass(frozen=True, slots=True)
class VolumeTable:
    """One volume's table of contents."""

    name: str
    lines: tuple[TableLine, ...]

    @property
    def page_count(self) -> int:
        return self.lines[-1].last_page if self.lines else 0


def as_sent(entries: Iterable[CatalogueEntry]) -> list[VolumeTable]:
    """Volumes as the sender made them, in the entries' order."""
    return _tables((entry.volume, entry) for entry in entries)


def by_type(
    entries: Sequence[CatalogueEntry], volumes: Mapping[str, str], order: Mapping[str, int]
) -> list[VolumeTable]:
    """Volumes as the catalogue of types has them (自动归目), each in the order of types and then as sent.

    ``volumes`` are names by volume code, in their order; ``order`` is the place of each type code. What has no type
    stands last, in a volume without a name.
    """
    places = {code: place for place, code in enumerate(volumes)}
    arranged = sorted(
        entries,
        key=lambda entry: (
            places.get(entry.catalogue_volume, len(places)),
            order.get(entry.type_code, len(order)),
            entry.document_index,
        ),
    )
    return _tables((volumes.get(entry.catalogue_volume, ""), entry) for entry in arranged)


def to_csv(tables: Iterable[VolumeTable]) -> bytes:
    """The tables as CSV in UTF-8 with a byte order mark, as spreadsheets want it; no cell of it is a formula."""
    return spreadsheet_csv(_COLUMNS, (_cells(table, line) for table in tables for line in table.lines))


def _tables(named: Iterable[tuple[str, CatalogueEntry]]) -> list[VolumeTable]:
    found: dict[str, list[CatalogueEntry]] = {}
    for name, entry in named:
        found.setdefault(name, []).append(entry)
    return [VolumeTable(name, tuple(_lines(entries))) for name, entries in found.items()]


def _lines(entries: Sequence[CatalogueEntry]) -> Iterator[TableLine]:
    page = 0
    for number, entry in enumerate(entries, start=1):
        yield TableLine(number, page + 1, page + entry.stated_page_count, entry)
        page += entry.stated_page_count


def _cells(table: VolumeTable, line: TableLine) -> tuple[object, ...]:
    entry = line.entry
    return (
        table.name, line.number, line.title, entry.type_code, entry.catalogue_volume, entry.file_name, line.first_page,
        line.last_page, entry.stated_page_count, entry.found_page_count or "", entry.format, f"{entry.confidence:.2f}",
        SOURCES.get(entry.source, ""), entry.reason, " ".join(entry.problems), entry.document,
    )  # fmt: skip
