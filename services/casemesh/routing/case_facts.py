"""The procedural facts of a case, as rules are evaluated on them: states, times, codes, flags and numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from casemesh.core.clock import Clock
from casemesh.core.names import AGENCY, EXCHANGE, PARTY
from casemesh.data.limit_runs import answers_due, limit_runs
from casemesh.dossier.v1 import dossier_facts_service_pb2
from casemesh.errors import not_found
from casemesh.limits import WorkingDays
from casemesh.routing.age_at_offence import ages_at_offence
from casemesh.routing.agencies import AgencyDirectory
from casemesh.routing.case_facts_store import CaseFactsStore, payload_fact
from casemesh.routing.dependencies import TIMEOUT_SECONDS, asking
from casemesh.routing.limit_store import LimitStore
from casemesh.routing.person_store import PersonStore
from casemesh.routing.running_limits import RunningLimit, running_limits
from casemesh.routing.v1 import case_facts_service_pb2 as pb2
from casemesh.routing.v1 import exchange_pb2
from casemesh.runtime.postgres import Row
from casemesh.translation.v1.translation_pb2 import TRANSLATION_OUTCOME_UNMAPPED as _UNMAPPED

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_facts_service_pb2_grpc import DossierFactsServiceAsyncStub

_EXCHANGE_TIMES = ("submit_time", "deliver_time", "accept_time", "answer_time", "end_time", "answer_by")
_BY_EXCHANGE = "exchanges/"
_WITHDRAWN = "WITHDRAWN"


class CaseFactsReader:
    """Puts together the facts of cases."""

    def __init__(
        self,
        clock: Clock,
        store: CaseFactsStore,
        persons: PersonStore,
        moves: LimitStore,
        agencies: AgencyDirectory,
        dossiers: DossierFactsServiceAsyncStub,
    ) -> None:
        self._clock = clock
        self._store = store
        self._persons = persons
        self._moves = moves
        self._agencies = agencies
        self._dossiers = dossiers
        self._working_days = WorkingDays()

    async def of_case(self, case: str) -> pb2.CaseFacts:
        """Return the facts of a case. Raises NotFound, Unavailable."""
        stored = await self._store.read(case)
        if stored is None:
            raise not_found()
        facts = pb2.CaseFacts(
            case=case,
            agency=AGENCY.format(agency=stored.case["agency"]),
            create_time=_stamp(stored.case["create_time"]),
            closed=stored.case["closed"],
            superseded_by=stored.case["superseded_by"],
        )
        contents = [exchange_pb2.Exchange.FromString(row["content"]) for row in stored.exchanges]
        ages = ages_at_offence(
            content for row, content in zip(stored.exchanges, contents, strict=True) if row["state"] != _WITHDRAWN
        )
        for row in stored.persons:
            party = PARTY.format(case=case.removeprefix("cases/"), party=row["party_id"])
            facts.persons.add(
                party=party,
                charges=row["charges"],
                identity_unknown=row["identity_unknown"],
                statements=[_statement(said) for said in stored.statements.get(str(row["party_id"]), ())],
                age_at_offence_years=ages.get(party),
            )
        dossiers = await self._dossiers_of(stored.exchanges)
        facts.exchanges.extend(
            _exchange(row, content, dossiers) for row, content in zip(stored.exchanges, contents, strict=True)
        )
        facts.limits.extend(await self._limits(case))
        agencies = {facts.agency}.union(*({one.sender, one.recipient} for one in facts.exchanges))
        for agency in sorted(agencies):
            facts.agencies.add(agency=agency, organ=await self._agencies.organ_of(agency, field="case"))
        return facts

    async def _dossiers_of(self, exchanges: Iterable[Row]) -> dict[str, pb2.DossierFacts]:
        """What the versions that go along hold, by version."""
        versions = dict.fromkeys(row["dossier_version"] for row in exchanges if row["dossier_version"])
        if not versions:
            return {}
        request = dossier_facts_service_pb2.BatchGetVersionFactsRequest(versions=versions)
        with asking("dossier"):
            answer = await self._dossiers.BatchGetVersionFacts(request, timeout=TIMEOUT_SECONDS)
        return {
            facts.version: pb2.DossierFacts(
                page_count=facts.page_count,
                document_types=facts.document_types,
                volumes=facts.volumes,
                untyped_count=facts.untyped_count,
            )
            for facts in answer.facts
        }

    async def _limits(self, case: str) -> Iterable[pb2.LimitFacts]:
        persons, moves = await self._persons.states(case), await self._moves.moves(case)
        now = self._clock.now()
        found = running_limits(persons, moves, limit_runs(), answers_due(), now, self._working_days)
        return [_limit(limit) for limit in found]


def _statement(row: Row) -> pb2.PersonStatement:
    return pb2.PersonStatement(
        aspect=row["aspect"],
        value=row["value"],
        effective_time=_stamp(row["effective_time"]),
        record_time=_stamp(row["record_time"]),
        node=row["node"],
        exchange=row["cause"] if row["cause"].startswith(_BY_EXCHANGE) else "",
    )


def _exchange(row: Row, content: exchange_pb2.Exchange, dossiers: Mapping[str, pb2.DossierFacts]) -> pb2.ExchangeFacts:
    fact = pb2.ExchangeFacts(
        exchange=EXCHANGE.format(exchange=row["exchange_id"]),
        node=row["node"],
        sender=AGENCY.format(agency=row["sender"]),
        recipient=AGENCY.format(agency=row["recipient"]),
        state=row["state"],
        parties=content.parties,
        answers=EXCHANGE.format(exchange=row["answers"]) if row["answers"] is not None else "",
        revision=row["revision"],
        dossier_version=row["dossier_version"],
        dossier=dossiers.get(row["dossier_version"]),
        on_paper=content.HasField("paper"),
        single_track=bool(content.single_track),
        payload=[payload_fact(field) for field in content.fields],
        unmapped_count=sum(said.translation.outcome == _UNMAPPED for said in content.translations),
        undelivered=row["undelivered"],
        delivery_attempts=row["attempts"] or 0,
    )
    for name in _EXCHANGE_TIMES:
        if row[name] is not None:
            getattr(fact, name).FromDatetime(row[name])
    if row["returned"] is not None:
        returned = exchange_pb2.ExchangeReturn.FromString(row["returned"])
        fact.return_time.CopyFrom(returned.return_time)
        fact.return_reasons.extend(dict.fromkeys(defect.code for defect in returned.defects))
    return fact


def _limit(limit: RunningLimit) -> pb2.LimitFacts:
    fact = pb2.LimitFacts(
        limit=limit.reckoning.limit.code,
        party=limit.party,
        exchange=limit.started_by.exchange if limit.started_by is not None else "",
        start_time=_stamp(limit.started_at),
        duty=limit.duty,
        steps=[
            pb2.LimitFactsStep(rule=step.rule.value, until_time=_stamp(step.until)) for step in limit.reckoning.steps
        ],
    )
    if limit.reckoning.over_at is not None:
        fact.over_time.FromDatetime(limit.reckoning.over_at)
    if limit.met_by is not None:
        fact.meet_time.FromDatetime(limit.met_by.submitted)
    return fact


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
