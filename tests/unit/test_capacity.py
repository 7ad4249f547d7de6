"""The capacity page is what the sums give, and the sums add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import capacity
from bench.capacity import CITY, DISTRICT, LOADS, PROVINCE, Load

PAGE = Path(__file__).parents[2] / "docs" / "capacity.md"


def test_every_table_on_the_page_is_one_that_was_computed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    computed = "\n".join(capacity.tables()).strip().split("\n\n")
    assert [] == [table for table in computed if f"\n\n{table}\n\n" not in text]


def test_numbers_in_the_text_follow_from_the_inputs() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    busy = capacity.cores(PROVINCE)
    rate = PROVINCE.exchanges * capacity.PEAK / capacity.WORKDAY_SECONDS
    megabytes = PROVINCE.dossier_gigabytes * 1000 * capacity.PEAK / capacity.WORKDAY_SECONDS
    a_day = capacity.database_bytes_a_day(PROVINCE)
    said = [
        f"× 4 = {rate:.1f} a second",
        f"{sum(capacity.EXCHANGE_CPU_SECONDS.values()) * 1000:.1f} ms of the platform's",
        f"so {sum(capacity.EXCHANGE_CPU_SECONDS.values()) * rate:.2f} cores",
        f"each: {rate * capacity.CHECKS_AN_EXCHANGE * capacity.CHECK_CPU_SECONDS:.2f} cores",
        f"{megabytes:.0f} MB a second at the peak",
        f"{rate * capacity.CHECKS_AN_EXCHANGE:.0f} times a second",
        f"{a_day['dossier'] * capacity.WORKDAYS * capacity.KEPT_YEARS / capacity.TB:.0f} TB a copy",
    ]
    assert [] == [words for words in said if words not in text]
    assert sum(busy.values()) == pytest.approx(
        sum(busy[name] for name in ("routing", "postgresql", "identity", "gateway", "audit", "dossier"))
    )


def test_a_place_of_twice_the_work_is_busy_twice_as_much() -> None:
    double = Load("double", 2 * CITY.exchanges, 2 * CITY.dossier_gigabytes, 2 * CITY.receivers)
    assert capacity.cores(double) == pytest.approx({name: 2 * busy for name, busy in capacity.cores(CITY).items()})
    assert capacity.dossier_terabytes(double) == pytest.approx(2 * capacity.dossier_terabytes(CITY))


@pytest.mark.parametrize("load", LOADS, ids=[load.name for load in LOADS])
def test_no_process_is_more_than_half_busy_and_each_has_two_replicas(load: Load) -> None:
    busy = capacity.cores(load)
    assert capacity.cores_to_have(load) >= max(2 * len(busy), sum(busy.values()) / capacity.UTILISATION)
    assert capacity.cores_to_have(DISTRICT) == 2 * len(busy)
