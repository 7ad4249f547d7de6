"""Counting what was carried: what is written before an answer, what later, and that nothing counted is dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import pytest

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.errors import Unavailable
from casemesh.translation.sightings import Sightings
from casemesh.translation.unmapped_store import CodeKey, Sighting
from casemesh.translation.v1.translation_pb2 import (
    TRANSLATION_OUTCOME_MAPPED,
    TRANSLATION_OUTCOME_SAME_SYSTEM,
    TRANSLATION_OUTCOME_UNKNOWN_CODE,
    TRANSLATION_OUTCOME_UNMAPPED,
    Translation,
    TranslationOutcome,
)
from tests.support.clock import FakeClock

DAY = date(2026, 4, 1)
EXAMPLE = "exchanges/01900000-0000-7000-8000-000000000001"


class Store:
    """Keeps what is written, or refuses."""

    def __init__(self) -> None:
        self.away = False
        self.revision = 1
        self.written: list[tuple[int, date]] = []
        self.seen: dict[str, int] = {}
        self.examples: set[str] = set()
        self.carried: dict[tuple[str, date], int] = {}

    async def saw(self, sightings: Sequence[Sighting], carried: Mapping[tuple[CodeKey, date], int]) -> None:
        if self.away:
            raise Unavailable("DATABASE_UNAVAILABLE", "away")
        self._add(sightings)
        for (key, month), count in carried.items():
            self.carried[key.code, month] = self.carried.get((key.code, month), 0) + count

    async def saw_first(self, sightings: Sequence[Sighting], revision: int) -> bool:
        if self.away:
            raise Unavailable("DATABASE_UNAVAILABLE", "away")
        if revision == self.revision:
            self._add(sightings)
        return revision == self.revision

    def _add(self, sightings: Sequence[Sighting]) -> None:
        for sighting in sightings:
            self.seen[sighting.key.code] = self.seen.get(sighting.key.code, 0) + sighting.count
            self.examples.add(sighting.example)
            self.written.append((sighting.revision, sighting.day))


class Counting:
    def __init__(self) -> None:
        self.store = Store()
        self.sightings = Sightings(self.store, FakeClock(datetime(2026, 3, 31, 18, tzinfo=UTC)))  # type: ignore[arg-type]

    async def carry(
        self,
        code: str,
        outcome: TranslationOutcome = TRANSLATION_OUTCOME_UNMAPPED,
        *,
        revision: int = 1,
        day: date = DAY,
        **more: bool,
    ) -> bool:
        original = CodedValue(code_system="shapes", code=code)
        translation = Translation(original=original, outcome=outcome, **more)
        return await self.sightings.saw([("forms", translation)], example=EXAMPLE, revision=revision, day=day)


@pytest.fixture
def counting() -> Counting:
    return Counting()


async def test_the_first_sighting_is_written_at_once_and_the_next_with_the_counts(counting: Counting) -> None:
    await counting.carry("A")
    at_once = dict(counting.store.seen)
    await counting.carry("A")
    before_flush = dict(counting.store.seen)
    await counting.sightings.flush()

    assert [at_once, before_flush, counting.store.seen] == [{"A": 1}, {"A": 1}, {"A": 2}]
    assert counting.store.examples == {EXAMPLE}
    # 18 o'clock in UTC on the last of March is the first of April in China.
    assert counting.store.carried == {("A", date(2026, 4, 1)): 2}


async def test_what_has_a_counterpart_or_was_decided_to_have_none_is_traffic_and_no_matter_for_the_queue(
    counting: Counting,
) -> None:
    await counting.carry("A", TRANSLATION_OUTCOME_MAPPED)
    await counting.carry("B", no_counterpart=True)
    await counting.sightings.flush()

    assert counting.store.seen == {}
    assert [code for code, _ in counting.store.carried] == ["A", "B"]


async def test_a_code_that_no_table_has_is_not_kept_at_all(counting: Counting) -> None:
    await counting.carry("typed", TRANSLATION_OUTCOME_UNKNOWN_CODE)
    await counting.carry("A", TRANSLATION_OUTCOME_SAME_SYSTEM)
    await counting.sightings.flush()

    assert (counting.store.seen, counting.store.carried) == ({}, {})


async def test_a_new_state_of_the_catalogue_writes_the_sighting_at_once_again(counting: Counting) -> None:
    await counting.carry("A")
    counting.store.revision = 2
    await counting.carry("A", revision=2)

    assert counting.store.seen == {"A": 2}


async def test_what_was_translated_before_the_latest_activation_is_not_counted_but_translated_anew(
    counting: Counting,
) -> None:
    counting.store.revision = 2

    assert not await counting.carry("A", revision=1)
    await counting.sightings.flush()
    assert (counting.store.seen, counting.store.carried) == ({}, {})
    assert await counting.carry("A", revision=2)


async def test_sightings_are_written_with_their_newest_revision_and_latest_day(counting: Counting) -> None:
    later = date(2027, 1, 1)
    await counting.carry("A")
    await counting.carry("A", day=later)
    await counting.carry("A")
    await counting.sightings.flush()

    assert counting.store.written == [(1, DAY), (1, later)]


async def test_counts_that_cannot_be_written_wait_for_the_next_time(counting: Counting) -> None:
    await counting.carry("A")
    await counting.carry("A")
    counting.store.away = True
    await counting.sightings.flush()
    await counting.carry("A")
    await counting.sightings.flush()
    counting.store.away = False
    await counting.sightings.flush()

    assert counting.store.seen == {"A": 3}
    assert sum(counting.store.carried.values()) == 3


async def test_an_answer_is_refused_rather_than_an_unmapped_code_lost(counting: Counting) -> None:
    counting.store.away = True
    with pytest.raises(Unavailable):
        await counting.carry("A")
    counting.store.away = False
    await counting.carry("A")

    assert counting.store.seen == {"A": 1}
