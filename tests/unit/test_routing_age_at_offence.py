"""Of a birth date only the age at the time of the offence is told, and only where both days are known."""

from __future__ import annotations

from datetime import date

import pytest
from google.type.date_pb2 import Date

from casemesh.routing.age_at_offence import ages_at_offence
from casemesh.routing.v1.exchange_pb2 import Exchange, PayloadField

A, B = "cases/invented/parties/a", "cases/invented/parties/b"


def on(key: str, day: str, party: str = "") -> PayloadField:
    given = date.fromisoformat(day)
    return PayloadField(key=key, party=party, date=Date(year=given.year, month=given.month, day=given.day))


def said(*fields: PayloadField, parties: tuple[str, ...] = (A,)) -> Exchange:
    return Exchange(parties=parties, fields=fields)


@pytest.mark.parametrize(
    ("birth", "offence", "years"),
    [
        ("2008-03-09", "2026-03-08", 17),
        ("2008-03-09", "2026-03-09", 17),
        ("2008-03-09", "2026-03-10", 18),
        ("2008-12-31", "2026-01-01", 17),
        ("2008-02-29", "2026-02-28", 17),
        ("2008-02-29", "2026-03-01", 18),
        ("2008-02-29", "2024-02-29", 15),
    ],
)
def test_a_year_of_age_is_reached_on_the_day_after_the_birthday(birth: str, offence: str, years: int) -> None:
    assert {A: years} == ages_at_offence([said(on("birth_date", birth, A), on("offence_date", offence))])


def test_the_days_may_come_in_different_exchanges_and_the_last_word_counts() -> None:
    told = [said(on("birth_date", "2000-01-01", A)), said(on("offence_date", "2026-03-01"))]
    assert {A: 26} == ages_at_offence(told)
    assert {A: 16} == ages_at_offence([*told, said(on("birth_date", "2010-01-01", A))])


def test_an_age_is_not_guessed() -> None:
    offence = on("offence_date", "2026-03-01")
    assert {} == ages_at_offence([said(offence)])
    assert {} == ages_at_offence([said(on("birth_date", "2010-01-01", A))])
    assert {} == ages_at_offence([said(on("birth_date", "2026-03-02", A), offence)])
    assert {} == ages_at_offence([said(PayloadField(key="birth_date", party=A, text="约十六岁"), offence)])
    # Whose birthday it is of two, nobody said.
    assert {} == ages_at_offence([said(on("birth_date", "2010-01-01"), offence, parties=(A, B))])


def test_one_persons_days_say_nothing_of_another() -> None:
    exchange = said(
        on("birth_date", "2010-01-01", A),
        on("birth_date", "1990-01-01", B),
        on("offence_date", "2026-03-01"),
        parties=(A, B),
    )
    assert {A: 16, B: 36} == ages_at_offence([exchange])
    assert {A: 15, B: 36} == ages_at_offence([exchange, said(on("offence_date", "2025-06-01", A), parties=(A, B))])
