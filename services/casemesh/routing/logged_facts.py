"""What routing's database holds that the log must tell of, and what its exchanges brought about elsewhere."""

from __future__ import annotations

from typing import Final

from casemesh.runtime.logged_facts import BY_ID, FactKind

_EXCHANGE = "'cases/' || case_id AS case_name, 'exchanges/' || exchange_id AS resource"

FACTS: Final = (
    FactKind(
        "case registered",
        ("case.registered",),
        "SELECT 'cases/' || case_id AS case_name, 'cases/' || case_id AS resource, '' AS mark, create_time AS at "
        "FROM registered_case WHERE NOT EXISTS (SELECT FROM successor_link WHERE successor_case = case_id AND made)",
    ),
    FactKind(
        "exchange submitted",
        ("exchange.submitted",),
        f"SELECT {_EXCHANGE}, 'agencies/' || sender AS mark, submit_time AS at FROM exchange",  # noqa: S608
        mark="actor.agency",
    ),
    FactKind(
        "delivery stored by its recipient",
        ("exchange.delivered",),
        f"SELECT {_EXCHANGE}, 'exchanges/' || exchange_id || '/deliveries/' || delivery_id AS mark, "  # noqa: S608
        "acknowledge_time AS at FROM delivery WHERE acknowledge_time IS NOT NULL",
        mark="delivery",
    ),
    FactKind(
        "exchange at its recipient",
        ("exchange.delivered",),
        f"SELECT {_EXCHANGE}, 'agencies/' || recipient AS mark, deliver_time AS at "  # noqa: S608
        "FROM exchange WHERE deliver_time IS NOT NULL",
        mark="actor.agency",
        both_ways=False,
    ),
    FactKind(
        "exchange accepted",
        ("exchange.accepted",),
        f"SELECT {_EXCHANGE}, 'agencies/' || recipient AS mark, accept_time AS at "  # noqa: S608
        "FROM exchange WHERE accept_time IS NOT NULL",
        mark="actor.agency",
    ),
    FactKind(
        "exchange answered",
        ("exchange.answered",),
        f"SELECT {_EXCHANGE}, 'agencies/' || recipient AS mark, answer_time AS at "  # noqa: S608
        "FROM exchange WHERE state = 'ANSWERED'",
        mark="actor.agency",
    ),
    FactKind(
        "exchange withdrawn",
        ("exchange.withdrawn",),
        f"SELECT {_EXCHANGE}, '' AS mark, end_time AS at FROM exchange WHERE state = 'WITHDRAWN'",  # noqa: S608
    ),
    FactKind(
        "exchange expired",
        ("exchange.expired",),
        f"SELECT {_EXCHANGE}, '' AS mark, end_time AS at FROM exchange WHERE state = 'EXPIRED'",  # noqa: S608
    ),
    FactKind(
        "non-delivery reported",
        ("exchange.undelivered",),
        f"SELECT {_EXCHANGE}, 'exchanges/' || exchange_id || '/deliveries/' || delivery_id AS mark, "  # noqa: S608
        "report_time AS at FROM delivery_report",
        mark="delivery",
    ),
    FactKind(
        "receipt issued",
        ("exchange.submitted", "exchange.delivered", "exchange.accepted", "exchange.read"),
        "SELECT 'cases/' || case_id AS case_name, 'exchanges/' || exchange_id AS resource, event_id::text AS mark, "
        "issue_time AS at FROM receipt JOIN exchange USING (exchange_id)",
        mark=BY_ID,
        both_ways=False,
    ),
    FactKind(
        "query asked",
        ("query.asked",),
        "SELECT 'cases/' || case_id AS case_name, 'dataQueries/' || query_id AS resource, '' AS mark, ask_time AS at "
        "FROM data_query",
    ),
    FactKind(
        "query answered",
        ("query.answered",),
        "SELECT 'cases/' || case_id AS case_name, 'dataQueries/' || query_id AS resource, '' AS mark, "
        "answer_time AS at FROM data_query WHERE state = 'ANSWERED'",
    ),
    FactKind(
        "succession made",
        ("case.merged", "case.split", "case.party.merged", "case.party.split", "case.succession.undone"),
        "SELECT 'cases/' || case_id AS case_name, 'cases/' || case_id || '/successions/' || succession_id AS resource, "
        "'' AS mark, create_time AS at FROM succession",
        both_ways=False,
    ),
)

HANDED_ON: Final = """
SELECT 'cases/' || obligation.case_id AS case_name, split_part(obligation.resource, '/deliveries/', 1) AS exchange,
    obligation.dossier_version, 'agencies/' || obligation.agency AS agency, obligation.fulfil_time AS at
FROM obligation WHERE obligation.dossier_version <> '' AND obligation.fulfil_time IS NOT NULL
    AND obligation.forgone_time IS NULL AND obligation.fulfil_time >= $1 AND obligation.fulfil_time < $2
    AND ($3 = '' OR 'cases/' || obligation.case_id = $3)
"""
"""The versions that an exchange handed to an agency: each must be a grant at the dossier service, and the other way
round."""

BROUGHT_IN: Final = """
SELECT DISTINCT 'cases/' || case_id AS case_name, 'agencies/' || agency AS agency, fulfil_time AS at
FROM obligation WHERE joins AND fulfil_time IS NOT NULL AND fulfil_time >= $1 AND fulfil_time < $2
    AND forgone_time IS NULL AND ($3 = '' OR 'cases/' || case_id = $3)
"""
"""The agencies that a case or an exchange brought into a case: each must take part by identity's word."""

WITHOUT_END: Final = f"""
SELECT {_EXCHANGE}, 'agencies/' || sender AS sender, 'agencies/' || recipient AS recipient, state, submit_time AS at,
    answer_by IS NOT NULL AND answer_by < $4 AS overdue,
    deliver_time IS NULL AND submit_time < $5
        AND state <> 'HELD'
        AND NOT EXISTS (SELECT FROM delivery WHERE delivery.exchange_id = exchange.exchange_id AND delivery_id >= $6)
        AND NOT EXISTS (SELECT FROM delivery_report WHERE delivery_report.exchange_id = exchange.exchange_id) AS silent
FROM exchange
WHERE state NOT IN ('ANSWERED', 'WITHDRAWN', 'EXPIRED') AND submit_time >= $1 AND submit_time < $2
    AND ($3 = '' OR 'cases/' || case_id = $3)
"""  # noqa: S608
"""The exchanges that have not ended. `overdue`: past the time their sender stated, before $4, and not expired.
`silent`: on their way since before $5, not at their recipient, and their sender was not told; $6 is the least
identifier of that instant. One that waits for a code is not on its way, and its sender sees that it waits."""
