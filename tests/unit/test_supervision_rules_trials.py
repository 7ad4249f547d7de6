"""Each shipped rule finds a case that breaks it, and leaves alone one that narrowly does not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from casemesh.supervision.rules import CaseFacts, Finding, RuleBook, Standing, evaluate
from tests.support.case_facts import (
    COURT,
    DETENTION_HOUSE,
    POLICE,
    PRISON,
    PROCURATORATE,
    at,
    case,
    day,
    exchange,
    held,
    limit,
    person,
)

BOOK = RuleBook.load()
FOUND, OVER, LATE = Standing.FOUND, Standing.OVER, Standing.LATE
FREE = person(stage=("INVESTIGATION", "2026-03-02"), custody=("NOT_HELD", "2026-03-02"))
DETAINED, ARRESTED = held("DETAINED"), held("ARRESTED")
PROSECUTED = held("ARRESTED", stage="PROSECUTION", stage_since="2026-04-01", authority=PROCURATORATE)
SENTENCED = held("SERVING_SENTENCE", stage="EXECUTION", authority=COURT)
EXTENDED = [("length", "2026-05-03"), ("extended", "2026-06-03")]
RESTARTED = [("length", "2026-05-03"), ("restarted", "2026-04-20"), ("length", "2026-06-21")]
TRANSFER = exchange("QS001", "2026-04-01", accepted="2026-04-01 09:00")
JUDGED = exchange("YS037", "2026-04-10", delivered="2026-04-10 12:00", says={"effective_date": day("2026-04-21")})
PROBATION = exchange(
    "YS037", "2026-04-10", says={"effective_date": day("2026-04-21"), "probation_months": 24, "sentence_months": 12}
)
IMPRISONED = exchange("YS037", "2026-04-10", says={"effective_date": day("2026-04-21"), "sentence_months": 36})
APPROVED = exchange("DB005", "2026-03-09", sender=PROCURATORATE, recipient=POLICE)


@dataclass(frozen=True)
class Trial:
    """Two cases at one moment: the first breaks the rule, the second narrowly does not."""

    rule: str
    breaks: CaseFacts
    keeps: CaseFacts
    now: str
    standing: Standing


def over_and_met(rule: str, code: str, *, now: str = "2026-03-06", who=DETAINED) -> Trial:
    """A limit that is over, and the same limit on its last moment."""
    return Trial(
        rule,
        case(who, limit(code, "2026-03-02", now)),
        case(who, limit(code, "2026-03-02", now, met=f"{day(now).replace(day=day(now).day - 1)} 23:59")),
        now,
        OVER,
    )


def hearing(sent: str) -> CaseFacts:
    return case(exchange("YS015", sent, says={"hearing_date": day("2026-04-10")}))


def charged(node: str, *codes: str) -> CaseFacts:
    before = exchange("DB001", "2026-03-03", says={"charge": ["XZ220"]})
    return case(before, exchange(node, "2026-04-01", says={"charge": list(codes)}))


def changed_hands(*more, authority: str = POLICE) -> CaseFacts:
    who = held("ARRESTED", stage="PROSECUTION", stage_since="2026-04-01 09:00", authority=authority)
    return case(who, TRANSFER, *more)


def stated_end(until: str) -> CaseFacts:
    order = exchange("HY002", "2026-04-01", says={"custody_until": day(until)})
    return case(PROSECUTED, order, limit("TL064", "2026-04-01", "2026-05-02"))


def extended(*more, steps=EXTENDED) -> CaseFacts:
    return case(
        ARRESTED,
        exchange("YJ004", "2026-04-28", sender=PROCURATORATE, recipient=POLICE),
        limit("TL021", "2026-03-02", "2026-06-03", steps=steps),
        *more,
    )


def restarted(*more) -> CaseFacts:
    filed = exchange("YJ011", "2026-04-20")
    return case(ARRESTED, filed, limit("TL021", "2026-03-02", "2026-06-21", steps=RESTARTED), *more)


def packed(node: str, who, *documents: str, **says) -> CaseFacts:
    return case(who, exchange(node, "2026-04-01", documents=documents, says=says))


def aged(age: int, *more) -> CaseFacts:
    return case(held(age=age), *more)


def minor(*more) -> CaseFacts:
    return case(
        held("DETAINED", stage_since="2026-03-02"), exchange("DB001", "2026-03-03", says={"minor": True}), *more
    )


def paroled(months: int, proposed: str) -> CaseFacts:
    term = exchange("ZX001", "2024-01-10", says={"sentence_from": day("2024-01-01"), "sentence_months": months})
    return case(SENTENCED, term, exchange("JX001", proposed))


def sent_to_prison(until: str, node: str = "ZX004") -> CaseFacts:
    return case(SENTENCED, exchange(node, "2026-03-02", says={"sentence_until": day(until)}))


def seized(*more, node: str = "YS037") -> CaseFacts:
    return case(
        exchange("QS001", "2026-03-02", says={"seizure_date": day("2026-02-01")}),
        exchange(node, "2026-04-10", says={"effective_date": day("2026-04-21")}),
        *more,
    )


def pending(state: str, **times: str) -> CaseFacts:
    return case(exchange("DB001", "2026-03-02 10:00", state=state, **times))


def dated(document: str) -> CaseFacts:
    filed = exchange("LA001", "2026-03-01", says={"filing_date": day("2026-03-01")})
    return case(filed, exchange("DB001", "2026-03-05 10:00", says={"document_date": day(document)}))


TRIALS = [
    over_and_met("CK001", "TL008"),
    over_and_met("CK003", "TL011", now="2026-03-10"),
    Trial("CK004", case(held(since="2026-01-20")), case(held(since="2026-01-21")), "2026-02-27", OVER),
    Trial(
        "CK005",
        case(exchange("QZ005", "2026-03-10")),
        case(APPROVED, exchange("QZ005", "2026-03-10")),
        "2026-03-11",
        FOUND,
    ),
    Trial(
        "CK005-2",
        case(held("ARRESTED", "2026-03-06"), APPROVED),
        case(held("ARRESTED", "2026-03-09"), APPROVED),
        "2026-03-11",
        FOUND,
    ),
    Trial(
        "CK006",
        case(DETAINED, exchange("DB006", "2026-03-09", delivered="2026-03-09 10:00")),
        case(DETAINED, exchange("DB006", "2026-03-09", delivered="2026-03-09 10:01")),
        "2026-03-10 10:00",
        OVER,
    ),
    Trial(
        "CK009",
        case(exchange("QZ001", "2026-03-02", name="exchanges/d", says={"measure_from": day("2026-03-02")})),
        case(
            exchange("QZ001", "2026-03-02", name="exchanges/d", says={"measure_from": day("2026-03-02")}),
            exchange("QZ002", "2026-03-03 23:59", answers="exchanges/d"),
        ),
        "2026-03-04",
        OVER,
    ),
    over_and_met("CK014", "TL021", now="2026-05-03", who=ARRESTED),
    Trial(
        "CK015",
        case(exchange("YJ008", "2026-05-03")),
        case(exchange("YJ004", "2026-04-03"), exchange("YJ008", "2026-05-03")),
        "2026-05-04",
        FOUND,
    ),
    Trial(
        "CK016",
        case(ARRESTED, exchange("YJ001", "2026-04-26"), limit("TL021", "2026-03-02", "2026-05-03")),
        case(ARRESTED, exchange("YJ001", "2026-04-25 23:59"), limit("TL021", "2026-03-02", "2026-05-03")),
        "2026-04-26",
        LATE,
    ),
    Trial("CK017", extended(), extended(exchange("YJ005", "2026-05-02")), "2026-05-03", OVER),
    Trial("CK017-2", restarted(), restarted(exchange("YJ012", "2026-04-20")), "2026-05-03", OVER),
    Trial("CK018", changed_hands(), changed_hands(authority=PROCURATORATE), "2026-04-02 09:00", OVER),
    Trial("CK019", stated_end("2026-05-02"), stated_end("2026-05-01"), "2026-04-02", FOUND),
    Trial(
        "CK020",
        case(exchange("HY002", "2026-04-01")),
        case(exchange("QS002", "2026-04-01"), exchange("HY002", "2026-04-01")),
        "2026-04-02",
        FOUND,
    ),
    Trial(
        "CK020-2",
        case(exchange("HY002", "2026-04-01"), exchange("HY002", "2026-04-02")),
        case(exchange("HY002", "2026-04-01", state="ANSWERED"), exchange("HY002", "2026-04-02")),
        "2026-04-02",
        FOUND,
    ),
    over_and_met("CK021", "TL064", now="2026-05-02", who=PROSECUTED),
    Trial(
        "CK022",
        case(*(exchange("QS013", f"2026-0{month}-01") for month in (3, 4, 5))),
        case(
            *(exchange("QS013", f"2026-0{month}-01") for month in (3, 4)),
            exchange("QS013", "2026-05-01", state="WITHDRAWN"),
        ),
        "2026-06-01",
        FOUND,
    ),
    over_and_met("CK023", "TL068", now="2026-05-02"),
    Trial(
        "CK025",
        packed("QS001", FREE, "A064", "A003"),
        packed("QS001", FREE, "A064", "A003", "R002"),
        "2026-04-02",
        FOUND,
    ),
    Trial("CK025-2", packed("QS001", ARRESTED, "A003"), packed("QS001", ARRESTED, "A033"), "2026-04-02", FOUND),
    Trial(
        "CK026",
        packed("DB001", DETAINED, "A032", "A003", "B001"),
        packed("DB001", DETAINED, "A032", "A003", "B001", "A029"),
        "2026-04-02",
        FOUND,
    ),
    Trial(
        "CK027",
        packed("YS001", FREE, "E023", "E031", "E027", pleads_guilty=True),
        packed("YS001", FREE, "E023", "E031", "E027", "E028", pleads_guilty=True),
        "2026-04-02",
        FOUND,
    ),
    Trial("CK030", charged("QS001", "XZ177"), charged("QS001", "XZ220"), "2026-04-02", FOUND),
    Trial(
        "CK031",
        case(exchange("DB001", "2026-03-03", unmapped_codes=1)),
        case(exchange("DB001", "2026-03-03")),
        "2026-03-04",
        FOUND,
    ),
    Trial("CK033", charged("QS001", "XF001"), charged("QS001", "XZ017"), "2026-04-02", FOUND),
    Trial(
        "CK033-2",
        case(exchange("QS001", "2026-04-01", says={"charge": "XF001", "offence_date": day("2026-03-01")})),
        case(exchange("QS001", "2026-04-01", says={"charge": "XF001", "offence_date": day("2001-03-01")})),
        "2026-04-02",
        FOUND,
    ),
    Trial("CK036", aged(17), aged(18), "2026-03-03", FOUND),
    Trial(
        "CK037",
        aged(15, exchange("DB001", "2026-03-03", says={"charge": ["XZ221"]})),
        aged(15, exchange("DB001", "2026-03-03", says={"charge": ["XZ220"]})),
        "2026-03-04",
        FOUND,
    ),
    Trial(
        "CK040",
        case(exchange("YS001", "2026-05-01")),
        case(exchange("QS001", "2026-04-01"), exchange("YS001", "2026-05-01")),
        "2026-05-02",
        FOUND,
    ),
    Trial(
        "CK040-2",
        case(exchange("QS001", "2026-04-01"), exchange("QS013", "2026-04-20")),
        case(TRANSFER, exchange("QS013", "2026-04-20")),
        "2026-04-21",
        FOUND,
    ),
    Trial(
        "CK040-3",
        case(exchange("ZX001", "2026-04-22")),
        case(JUDGED, exchange("ZX001", "2026-04-22")),
        "2026-04-23",
        FOUND,
    ),
    Trial(
        "CK041",
        case(JUDGED, exchange("ZX001", "2026-04-20 23:59")),
        case(JUDGED, exchange("ZX001", "2026-04-21")),
        "2026-04-23",
        FOUND,
    ),
    Trial(
        "CK042",
        case(ARRESTED, IMPRISONED),
        case(ARRESTED, IMPRISONED, exchange("ZX001", "2026-05-01 23:59")),
        "2026-05-02",
        OVER,
    ),
    Trial(
        "CK042-2",
        case(SENTENCED, exchange("ZX001", "2026-03-02", delivered="2026-03-02 10:00")),
        case(
            SENTENCED,
            exchange("ZX001", "2026-03-02", delivered="2026-03-02 10:00"),
            exchange("ZX004", "2026-04-02 23:59", sender=DETENTION_HOUSE, recipient=PRISON),
        ),
        "2026-04-03",
        OVER,
    ),
    Trial("CK043", sent_to_prison("2026-05-30"), sent_to_prison("2026-06-03"), "2026-03-03", FOUND),
    Trial("CK043-2", sent_to_prison("2026-06-04", "ZX010"), sent_to_prison("2026-06-02", "ZX010"), "2026-03-03", FOUND),
    Trial(
        "CK045",
        case(held("ARRESTED"), exchange("YS040", "2026-04-10 10:00")),
        case(held("ARRESTED"), exchange("YS040", "2026-04-10 10:01")),
        "2026-04-11 10:00",
        OVER,
    ),
    Trial(
        "CK046",
        case(limit("TL099", "2026-04-10", "2026-04-21", met="2026-04-21", duty=False)),
        case(limit("TL099", "2026-04-10", "2026-04-21", met="2026-04-20 23:59", duty=False)),
        "2026-04-22",
        LATE,
    ),
    over_and_met("CK047", "TL084", now="2026-06-02", who=PROSECUTED),
    over_and_met("CK048", "TL106", now="2026-06-02", who=PROSECUTED),
    Trial("CK049", hearing("2026-04-08"), hearing("2026-04-07 23:59"), "2026-04-08", LATE),
    Trial(
        "CK050",
        case(FREE, PROBATION),
        case(FREE, PROBATION, exchange("SJ005", "2026-04-26 23:59")),
        "2026-04-28",
        OVER,
    ),
    Trial(
        "CK050-2",
        case(FREE, PROBATION),
        case(FREE, PROBATION, exchange("SJ006", "2026-05-01 23:59")),
        "2026-05-12",
        OVER,
    ),
    over_and_met("CK051", "TL125", now="2026-05-12", who=FREE),
    Trial("CK054", paroled(120, "2025-12-30"), paroled(120, "2026-01-01"), "2026-01-02", FOUND),
    Trial(
        "CK055",
        case(exchange("JX001", "2026-03-02")),
        case(exchange("JX001", "2026-03-02"), exchange("JX002", "2026-03-04 23:59")),
        "2026-03-05",
        OVER,
    ),
    Trial("CK057", minor(), minor(exchange("FY001", "2026-03-05 10:00")), "2026-03-06", OVER),
    Trial(
        "CK058",
        case(exchange("YS001", "2026-05-01", says={"pleads_guilty": True})),
        case(exchange("FY011", "2026-04-20"), exchange("YS001", "2026-05-01", says={"pleads_guilty": True})),
        "2026-05-02",
        FOUND,
    ),
    Trial(
        "CK059",
        case(exchange("YS012", "2026-05-01", says={"sentence_months": 37})),
        case(exchange("YS012", "2026-05-01", says={"sentence_months": 36})),
        "2026-05-02",
        FOUND,
    ),
    over_and_met("CK061", "TL149", now="2026-05-12"),
    Trial(
        "CK061-2",
        case(exchange("CW001", "2026-03-02", says={"seizure_until": day("2026-04-01")})),
        case(
            exchange("CW001", "2026-03-02", says={"seizure_until": day("2026-04-01")}),
            exchange("CW020", "2026-03-30", says={"seizure_until": day("2026-10-01")}),
        ),
        "2026-04-02",
        OVER,
    ),
    Trial("CK062", seized(), seized(exchange("CW023", "2026-05-01 10:00")), "2026-05-07", OVER),
    Trial("CK062-2", seized(node="QS019"), seized(exchange("CW031", "2026-04-12"), node="QS019"), "2026-04-13", OVER),
    Trial(
        "CK064",
        case(events={"access.alert.raised": 2, "access.alert.resolved": 1}),
        case(events={"access.alert.raised": 2, "access.alert.resolved": 2}),
        "2026-03-03",
        FOUND,
    ),
    Trial(
        "CK065",
        case(events={"access.seal.added": 1, "access.break_glass.opened": 1}),
        case(events={"access.seal.added": 1, "access.break_glass.opened": 1, "access.break_glass.reviewed": 1}),
        "2026-03-03",
        FOUND,
    ),
    Trial(
        "CK066",
        case(events={"dossier.pack.damaged": 1}),
        case(events={"dossier.pack.damaged": 1, "dossier.pack.repaired": 1}),
        "2026-03-03",
        FOUND,
    ),
    Trial(
        "CK067",
        case(exchange("QS001", "2026-04-01", pages=120, says={"page_count": 121})),
        case(exchange("QS001", "2026-04-01", pages=120, says={"page_count": 120})),
        "2026-04-02",
        FOUND,
    ),
    Trial(
        "CK068",
        case(exchange("QS001", "2026-04-01", volumes=("A", "C"))),
        case(exchange("QS001", "2026-04-01", volumes=("A", "B"))),
        "2026-04-02",
        FOUND,
    ),
    over_and_met("CK070", "TL052", now="2026-03-10"),
    over_and_met("CK071", "TL047", now="2026-03-06"),
    Trial("CK072", pending("SUBMITTED"), pending("DELIVERED", delivered="2026-03-03 09:59"), "2026-03-03 10:00", OVER),
    Trial(
        "CK072-2",
        pending("ACCEPTED", answer_by="2026-03-09 10:00"),
        pending("ANSWERED", answer_by="2026-03-09 10:00"),
        "2026-03-09 10:00",
        OVER,
    ),
    Trial("CK072-3", pending("EXPIRED"), pending("WITHDRAWN"), "2026-03-09", FOUND),
    Trial(
        "CK072-4",
        pending("DELIVERED", delivered="2026-03-02 10:00"),
        pending("DELIVERED", delivered="2026-03-02 10:01"),
        "2026-03-09 10:00",
        OVER,
    ),
    Trial(
        "CK072-5",
        pending("RETURNED", returned="2026-03-02 10:00"),
        pending("SUPPLEMENTED", returned="2026-03-02 10:00"),
        "2026-03-09 10:00",
        OVER,
    ),
    Trial(
        "CK073",
        case(exchange("DB001", "2026-03-03"), exchange("DB001", "2026-03-04")),
        case(exchange("DB001", "2026-03-03", state="WITHDRAWN"), exchange("DB001", "2026-03-04")),
        "2026-03-05",
        FOUND,
    ),
    Trial("CK074", dated("2026-03-06"), dated("2026-03-05"), "2026-03-07", FOUND),
]


def findings_of(rule: str, facts: CaseFacts, now: str) -> list[Finding]:
    return [finding for finding in evaluate(BOOK, facts, at(now)) if finding.rule == rule]


def test_every_rule_is_tried() -> None:
    assert sorted(rule.id for rule in BOOK.rules) == sorted(trial.rule for trial in TRIALS)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.rule)
def test_a_case_that_breaks_a_rule_is_found_once(trial: Trial) -> None:
    found = findings_of(trial.rule, trial.breaks, trial.now)

    assert {trial.standing} == {finding.standing for finding in found}
    assert len(found) == len({finding.key for finding in found}) == 1


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.rule)
def test_a_case_that_narrowly_keeps_a_rule_is_left_alone(trial: Trial) -> None:
    assert [] == findings_of(trial.rule, trial.keeps, trial.now)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.rule)
def test_a_finding_explains_itself_in_both_languages_without_gaps(trial: Trial) -> None:
    (found,) = findings_of(trial.rule, trial.breaks, trial.now)

    assert found.explanation_zh
    assert found.explanation_en
    assert "{" not in found.explanation_zh + found.explanation_en
    assert all(article in found.explanation_zh for article in found.law)
    assert found.concerned or found.to_supervisor
