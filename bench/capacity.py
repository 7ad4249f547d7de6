"""How much of what a district, a province and the nation need: sums over measured costs, printed as `docs/capacity.md`.

`python -m bench.capacity` prints the tables; a test holds the page to them. Inputs are the measured figures of
`bench/README.md` and assumptions about the work, each with its reason; change them here and write the page anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

GB = 1e9
TB = 1e12
DAY_SECONDS = 86_400
WORKDAY_SECONDS = 8 * 3600

# Measured on one machine; see bench/README.md. Processor time is the platform's: the client's is taken off.
EXCHANGE_CPU_SECONDS = {"routing": 0.0047, "postgresql": 0.0024, "identity": 0.0017, "gateway": 0.0010, "audit": 0.0008}
UPLOAD_CPU_SECONDS_A_GB = {"dossier": 6 / 1.2, "gateway": 2.8 / 1.2, "postgresql": 1 / 1.2}
DOWNLOAD_CPU_SECONDS_A_GB = {"dossier": 3 / 1.2, "gateway": 2.8 / 1.2}
CHECK_CPU_SECONDS = 0.0023
RECEIVER_BYTES = 57 * 1024
RECEIVER_BASE_BYTES = 56 << 20

# Assumed, with why.
PEAK = 4.0  # the busiest quarter of an hour against the mean of a working day: mornings, and days before limits
UTILISATION = 0.5  # half stays free for a replica that is gone and for what was not thought of
EVENTS_AN_EXCHANGE = 6  # submitted, placed, delivered, two receipts, accepted
CHECKS_AN_EXCHANGE = 10  # pages that officers open beside each exchange
READS_A_DOSSIER_BYTE = 3.0  # procuratorate, court, and once more for supplements and supervision
EXCHANGE_ROW_BYTES = 12_000  # exchange, delivery, receipts, answers to requests, indexes
EVENT_ROW_BYTES = 1_500  # entry, canonical event, outbox until sent, indexes and tiles
DOCUMENT_ROW_BYTES = 2_500  # row, blob, extents, manifest's share
DOCUMENT_BYTES = 230_000  # 1.2 GB in 5,253 documents
KEPT_YEARS = 10
WORKDAYS = 250
COPIES = 2  # of dossier bytes, besides the object store's own redundancy
DATABASE_COPIES = 3  # primary, synchronous standby, another site


@dataclass(frozen=True)
class Load:
    """What one place does on a working day."""

    name: str
    exchanges: int
    dossier_gigabytes: float
    receivers: int


# A city's day: 2,000 packages with 80 GB, as in a city's own load test, among six times as many exchanges; a district
# is a tenth of it and a province ten of it.
DISTRICT = Load("a district", 1_200, 8, 20)
CITY = Load("a city", 12_000, 80, 250)
PROVINCE = Load("a province", 120_000, 800, 2_500)
PROVINCES = 31
LOADS = (DISTRICT, CITY, PROVINCE)


def cores(load: Load) -> dict[str, float]:
    """Return busy cores at the peak by process, before anything is kept free."""
    exchanges = load.exchanges * PEAK / WORKDAY_SECONDS
    gigabytes = load.dossier_gigabytes * PEAK / WORKDAY_SECONDS
    busy: dict[str, float] = {}
    for costs, rate in (
        (EXCHANGE_CPU_SECONDS, exchanges),
        (UPLOAD_CPU_SECONDS_A_GB, gigabytes),
        (DOWNLOAD_CPU_SECONDS_A_GB, gigabytes * READS_A_DOSSIER_BYTE),
        ({"identity": CHECK_CPU_SECONDS}, exchanges * CHECKS_AN_EXCHANGE),
    ):
        for process, seconds in costs.items():
            busy[process] = busy.get(process, 0.0) + seconds * rate
    return busy


def cores_to_have(load: Load) -> int:
    """Return the cores to have: each process at most half busy, and at least two replicas of a core."""
    return sum(max(2, math.ceil(busy / UTILISATION)) for busy in cores(load).values())


def dossier_terabytes(load: Load) -> float:
    """Return the bytes of dossiers kept after ten years, all copies."""
    return load.dossier_gigabytes * GB * WORKDAYS * KEPT_YEARS * COPIES / TB


def database_bytes_a_day(load: Load) -> dict[str, float]:
    """Return how much each database grows on a working day, one copy."""
    documents = load.dossier_gigabytes * GB / DOCUMENT_BYTES
    return {
        "routing": load.exchanges * EXCHANGE_ROW_BYTES,
        "dossier": documents * DOCUMENT_ROW_BYTES,
        "audit": load.exchanges * EVENTS_AN_EXCHANGE * EVENT_ROW_BYTES,
    }


def database_terabytes(load: Load) -> float:
    """Return the databases after ten years, all copies."""
    return sum(database_bytes_a_day(load).values()) * WORKDAYS * KEPT_YEARS * DATABASE_COPIES / TB


def tables() -> Iterator[str]:
    """Yield the tables of the page, each with a blank line after it."""
    yield from _table(
        ["", *(load.name for load in LOADS), f"the nation ({PROVINCES} provinces)"],
        [
            ["exchanges a working day", *_row(lambda load: load.exchanges)],
            ["GB of dossiers a working day", *_row(lambda load: load.dossier_gigabytes)],
            ["exchanges a second at the peak", *_row(lambda load: load.exchanges * PEAK / WORKDAY_SECONDS, 1)],
            [
                "MB a second in and out at the peak",
                *_row(
                    lambda load: load.dossier_gigabytes * 1000 * (1 + READS_A_DOSSIER_BYTE) * PEAK / WORKDAY_SECONDS,
                    0,
                ),
            ],
            ["systems connected to receive", *_row(lambda load: load.receivers)],
            [
                "memory of those streams, GB",
                *_row(lambda load: (RECEIVER_BASE_BYTES + load.receivers * RECEIVER_BYTES) / GB, 2),
            ],
            ["**cores to have**", *_row(cores_to_have)],
            [f"**TB of dossiers after {KEPT_YEARS} years, {COPIES} copies**", *_row(dossier_terabytes, 0)],
            [f"**TB of databases after {KEPT_YEARS} years, {DATABASE_COPIES} copies**", *_row(database_terabytes, 1)],
        ],
    )
    processes = list(cores(PROVINCE))
    yield from _table(
        ["busy cores at the peak, a province", "busy", "to have"],
        [
            *(
                [name, f"{busy:.2f}", str(max(2, math.ceil(busy / UTILISATION)))]
                for name, busy in cores(PROVINCE).items()
            ),
            ["**sum**", f"{sum(cores(PROVINCE)[name] for name in processes):.2f}", str(cores_to_have(PROVINCE))],
        ],
    )
    growth = database_bytes_a_day(PROVINCE)
    yield from _table(
        ["database, a province", "GB a working day", "GB a year"],
        [
            *([name, f"{size / GB:.1f}", f"{size * WORKDAYS / GB:,.0f}"] for name, size in growth.items()),
            ["**sum**", f"{sum(growth.values()) / GB:.1f}", f"{sum(growth.values()) * WORKDAYS / GB:,.0f}"],
        ],
    )


def _row(value: object, digits: int = 0) -> list[str]:
    assert callable(value)
    numbers = [float(value(load)) for load in LOADS]
    # A province's peak is not the nation's at the same minute, but is sized for as if it were.
    return [f"{number:,.{digits}f}" for number in (*numbers, numbers[-1] * PROVINCES)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


if __name__ == "__main__":
    print("\n".join(tables()))
