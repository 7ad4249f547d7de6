"""Whether a pack is what was written: every byte read again, every record opened."""

from __future__ import annotations

from dataclasses import dataclass

from casemesh.dossier.packs.format import PACK_HEADER_BYTES, Kind, PackDamaged
from casemesh.dossier.packs.reader import PackReader
from casemesh.dossier.packs.stores import PackKey, PackSource


@dataclass(frozen=True, slots=True)
class PackCheck:
    """What was found sound: ``records`` records that end at byte ``end``, ``document_bytes`` in plaintext among them.

    ``damage`` is what ended the check before the pack did; behind it nothing is known. A sound pack that was cut off
    behind a record shows no damage: compare ``end`` and ``records`` with what is known of it.
    """

    records: int
    end: int
    document_bytes: int
    damage: PackDamaged | None


def verify_pack(source: PackSource, key: PackKey, case_key: bytes) -> PackCheck:
    """Read a pack from its store, past caches, and open all of it. Closes ``source``.

    Raises OSError where the store fails to read: whether it is away or a disk is worn is for the caller to judge. A
    source with two copies is sound where either is: to know how each stands, verify each in its own store.
    """
    records, end, document_bytes = 0, PACK_HEADER_BYTES, 0
    try:
        with PackReader(source, key, case_key) as reader:
            for record in reader.records():
                records += 1
                end = record.position + record.header.stored_length
                if record.header.kind == Kind.DATA:
                    document_bytes += record.header.length
    except PackDamaged as damage:
        return PackCheck(records, end if records else damage.position, document_bytes, damage)
    return PackCheck(records, end, document_bytes, None)
