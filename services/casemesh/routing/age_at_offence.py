"""How old persons were at the time of the offence, so that no birth date need leave. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from google.type.date_pb2 import Date

from casemesh.routing.v1.exchange_pb2 import Exchange


def ages_at_offence(exchanges: Iterable[Exchange]) -> dict[str, int]:
    """Return by party the age in whole years (周岁) on the day of the offence, as both days were last stated.

    `exchanges` come oldest first. Persons of whom a day is not known, or who were not born by then, are left out. Where
    several offences were stated, the last one counts.

    Source: interpretation of the Supreme People's Court on cases of minors (法释〔2006〕1号), article 2: a year of age
    is reached on the day after the birthday.
    """
    births: dict[str, Date] = {}
    offences: dict[str, Date] = {}
    for exchange in exchanges:
        for field in exchange.fields:
            known = {"birth_date": births, "offence_date": offences}.get(field.key)
            if known is None or not field.HasField("date"):
                continue
            about = [field.party] if field.party else exchange.parties
            if known is offences or len(about) == 1:
                known.update(dict.fromkeys(about, field.date))
    ages = {party: _years(births[party], offences[party]) for party in births.keys() & offences.keys()}
    return {party: years for party, years in ages.items() if years >= 0}


def _years(birth: Date, day: Date) -> int:
    return int(day.year - birth.year - ((day.month, day.day) <= (birth.month, birth.day)))
