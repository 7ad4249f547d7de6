"""A thousand invented cases with facts of every kind, in PostgreSQL: what the service decides is what the oracle says.

The facts are drawn by a seed; begins and ends fall on whole hours around one moment, so that questions about other
times hit them exactly.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

import asyncpg

from casemesh.core.ids import new_id
from casemesh.identity.access_rules import AccessRules
from casemesh.identity.access_store import AccessStore, Connected
from casemesh.identity.decisions import CaseAccessDecider
from casemesh.identity.subjects import Subject
from casemesh.identity.v1 import access_service_pb2 as access_pb2
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.identity.v1.case_access_pb2 import CasePermission
from casemesh.runtime.config import DatabaseConfig
from casemesh.runtime.postgres import Database
from tests.support import access_oracle as oracle
from tests.support.access import PERMISSIONS, TIMEOUT, Person, names, sql
from tests.support.access_oracle import Officer, Span
from tests.support.mesh import Agency, Mesh, MeshOf
from tests.support.pki import COURT, POLICE, PROCURATORATE

CASES = 1000
HOURS = 6
T = TypeVar("T")


@dataclass
class Population:
    """Agencies with their officers, some of them suspended, and the cases."""

    moment: datetime
    agencies: dict[str, Agency]
    officers: dict[Officer, str]
    """Identifiers."""
    worlds: dict[str, oracle.World]
    """By case identifier."""

    def id_of(self, agency: str) -> str:
        return self.agencies[agency].name.removeprefix("agencies/")

    def subjects(self) -> Iterator[tuple[str, Officer | None, Subject]]:
        for code, agency in self.agencies.items():
            client = agency.system.rpartition("/")[2]
            for officer in (None, *(one for one in self.officers if one.agency == code)):
                officer_id = self.officers[officer] if officer is not None else None
                yield code, officer, Subject(self.id_of(code), "system", client, officer_id)


class Inventing:
    """Draws facts of one case."""

    def __init__(
        self,
        seed: int,
        officers: list[Officer],
        supervisions: tuple[oracle.Supervision, ...],
        places: tuple[oracle.Place, ...],
    ) -> None:
        self.places = places
        self.chance = random.Random(seed)
        self.officers = officers
        self.agencies = sorted({officer.agency for officer in officers})
        self.supervisions = supervisions

    def span(self, *, ends: bool = False) -> Span:
        begin = self.chance.randint(-HOURS, 1)
        if not ends and self.chance.random() < 0.5:
            return Span(begin)
        return Span(begin, begin + self.chance.randint(0, 2 * HOURS))

    def some(self, *amounts: int) -> range:
        return range(self.chance.choice(amounts))

    def officer(self) -> Officer:
        return self.chance.choice(self.officers)

    def two_of_one_agency(self) -> tuple[Officer, Officer]:
        agency = self.chance.choice(self.agencies)
        first, second = self.chance.sample([one for one in self.officers if one.agency == agency], 2)
        return first, second

    def world(self, suspended: frozenset[Officer], shut_out: frozenset[str]) -> oracle.World:
        delegations = []
        for _ in self.some(0, 1, 3):
            giver, taker = self.two_of_one_agency()
            rights = frozenset(self.chance.sample(sorted(oracle.OPERATIONS), self.chance.randint(1, 4)))
            delegations.append(oracle.Delegation(giver, taker, rights, self.span(ends=True)))
        granted = []
        for _ in self.some(0, 1, 3):
            giver = self.officer()
            taker = self.chance.choice([one for one in self.officers if one.agency != giver.agency])
            rights = frozenset(self.chance.sample(sorted(oracle.OPERATIONS), self.chance.randint(1, 6)))
            granted.append(oracle.Granted(giver, taker, rights, self.span(ends=True)))
        openings = []
        for _ in self.some(0, 1, 4):
            giver, taker = self.chance.sample(self.officers, 2)
            openings.append(oracle.Opening(giver, taker, self.span(ends=True)))
        return oracle.World(
            participations=tuple(
                oracle.Participation(agency, self.chance.choice((0, 1, 2, 3)), self.span())
                for agency in self.agencies
                for _ in self.some(0, 1, 1, 2)
            ),
            stages=tuple((self.chance.randint(1, 3), self.span()) for _ in self.some(0, 1, 2)),
            assignments=tuple(oracle.Assignment(self.officer(), self.span()) for _ in self.some(0, 2, 4, 6)),
            supervisions=self.supervisions,
            delegations=tuple(delegations),
            granted=tuple(granted),
            places=self.places,
            seals=tuple(oracle.Seal(self.chance.choice(self.agencies), self.span()) for _ in self.some(0, 0, 1, 2)),
            openings=tuple(openings),
            broken=tuple(
                # Of few officers, so that one has several, approved and not.
                oracle.BrokenGlass(
                    self.chance.choice(self.officers[::4]), self.chance.random() < 0.5, self.span(ends=True)
                )
                for _ in self.some(0, 1, 6)
            ),
            suspended_officers=suspended,
            suspended_clients=shut_out,
        )


def one_open_each(facts: tuple[T, ...], key: Any) -> tuple[T, ...]:
    """Leave out what the database refuses: a second fact without an end beside one that has none."""
    kept: list[T] = []
    open_keys = set()
    for fact in facts:
        span = fact[1] if isinstance(fact, tuple) else cast(Any, fact).span
        if span.end is None:
            if key(fact) in open_keys:
                continue
            open_keys.add(key(fact))
        kept.append(fact)
    return tuple(kept)


async def populate(mesh: Mesh) -> Population:
    agencies = {
        code: await mesh.enrol(code, organ, ["甲某", "乙某", "丙某", "丁某"])
        for code, organ in ((POLICE, "GA"), (PROCURATORATE, "JCY"), (COURT, "FY"))
    }
    officers = {
        Officer(name, code): resource.rpartition("/")[2]
        for code, agency in agencies.items()
        for name, resource in agency.officers.items()
    }
    suspended = frozenset({Officer("乙某", POLICE), Officer("乙某", PROCURATORATE)})
    shut_out = frozenset({COURT})
    supervisions = (
        oracle.Supervision(Officer("丙某", POLICE)),
        oracle.Supervision(Officer("丙某", PROCURATORATE), Span(-HOURS, -1)),
        oracle.Supervision(Officer("丁某", POLICE), Span(-2, 3)),
    )
    places = (
        oracle.Place(Officer("甲某", POLICE), "刑侦", True),
        oracle.Place(Officer("乙某", POLICE), "刑侦", False),
        oracle.Place(Officer("丁某", POLICE), "刑侦", False, Span(-HOURS, 0)),
        oracle.Place(Officer("丁某", POLICE), "经侦", True, Span(0)),
        oracle.Place(Officer("甲某", PROCURATORATE), "公诉", False, Span(-2, 2)),
        oracle.Place(Officer("丁某", PROCURATORATE), "公诉", True, Span(-HOURS, 3)),
    )
    inventing = Inventing(20260301, list(officers), supervisions, places)
    worlds = {}
    for _ in range(CASES):
        drawn = inventing.world(suspended, shut_out)
        worlds[new_id()] = oracle.World(
            **{
                **drawn.__dict__,
                "participations": one_open_each(drawn.participations, lambda fact: (fact.agency, fact.stage)),
                "stages": one_open_each(drawn.stages, lambda fact: fact[0]),
                "assignments": one_open_each(drawn.assignments, lambda fact: fact.officer),
                "seals": one_open_each(drawn.seals, lambda fact: fact.agency),
            }
        )
    return Population(datetime.now(UTC), agencies, officers, worlds)


async def load(mesh: Mesh, people: Population) -> None:
    """Write the facts as the service would have."""

    def times(span: Span) -> tuple[datetime, datetime | None]:
        begin = people.moment + timedelta(hours=span.begin)
        return begin, people.moment + timedelta(hours=span.end) if span.end is not None else None

    def officer(one: Officer) -> tuple[str, str]:
        return people.id_of(one.agency), people.officers[one]

    rows: dict[str, list[tuple[Any, ...]]] = {}
    rows["supervision"] = [
        (new_id(), *officer(item.officer), "c", "r", *times(item.span))
        for item in next(iter(people.worlds.values())).supervisions
    ]
    places = next(iter(people.worlds.values())).places
    units = {(place.officer.agency, place.unit): new_id() for place in places}
    rows["unit"] = [(unit_id, people.id_of(agency), name) for (agency, name), unit_id in units.items()]
    rows["unit_placement"] = [
        (new_id(), *officer(place.officer), units[place.officer.agency, place.unit],
         "supervisor" if place.at_head else "member", *times(place.span))
        for place in places
    ]  # fmt: skip
    kinds = ("participation", "case_stage", "assignment", "officer_grant", "seal", "break_glass")
    rows |= {kind: [] for kind in kinds}
    for case, world in people.worlds.items():
        rows["participation"] += [
            (new_id(), case, people.id_of(part.agency), "c", part.stage, *times(part.span))
            for part in world.participations
        ]
        rows["case_stage"] += [(new_id(), case, stage, "c", *times(span)) for stage, span in world.stages]
        rows["assignment"] += [
            (new_id(), case, *officer(item.officer), "c", "r", *times(item.span)) for item in world.assignments
        ]
        rows["officer_grant"] += [
            (new_id(), "delegation", case, *officer(item.taker), *officer(item.giver),
             [PERMISSIONS[right] for right in sorted(item.rights)], "r", *times(item.span))
            for item in world.delegations
        ]  # fmt: skip
        rows["officer_grant"] += [
            (new_id(), "grant", case, *officer(item.taker), *officer(item.giver),
             [PERMISSIONS[right] for right in sorted(item.rights)], "r", *times(item.span))
            for item in world.granted
        ]  # fmt: skip
        rows["officer_grant"] += [
            (new_id(), "seal_opening", case, *officer(item.taker), *officer(item.giver), [], "r", *times(item.span))
            for item in world.openings
        ]
        rows["seal"] += [
            (new_id(), case, people.id_of(item.agency), 1, "s", "r", *times(item.span)) for item in world.seals
        ]
        for item in world.broken:
            colleague = next(
                one for one in people.officers if one.agency == item.officer.agency and one != item.officer
            )
            approver = people.officers[colleague] if item.approved else None
            rows["break_glass"].append((new_id(), case, *officer(item.officer), "r", approver, *times(item.span)))
    spans = ("valid_from", "valid_until")
    columns = {
        "unit": ("id", "agency_id", "display_name"),
        "unit_placement": ("id", "agency_id", "officer_id", "unit_id", "role", *spans),
        "supervision": ("id", "agency_id", "officer_id", "cause", "reason", *spans),
        "participation": ("id", "case_id", "agency_id", "cause", "stage", *spans),
        "case_stage": ("id", "case_id", "stage", "cause", *spans),
        "assignment": ("id", "case_id", "agency_id", "officer_id", "cause", "reason", *spans),
        "officer_grant": ("id", "kind", "case_id", "agency_id", "officer_id", "giver_agency_id", "giver_id",
                          "permissions", "reason", *spans),
        "seal": ("id", "case_id", "agency_id", "kind", "sealed_by", "reason", *spans),
        "break_glass": ("id", "case_id", "agency_id", "officer_id", "reason", "approver_id", *spans),
    }  # fmt: skip
    connection = await asyncpg.connect(mesh.databases["identity"].owner_dsn)
    try:
        for table, records in rows.items():
            await connection.copy_records_to_table(table, records=records, columns=columns[table])
        world = next(iter(people.worlds.values()))
        out_of_service = [people.agencies[one.agency].officers[one.name] for one in world.suspended_officers]
        out_of_service += [people.agencies[code].system for code in world.suspended_clients]
        for resource in out_of_service:
            table = "officer" if "/officers/" in resource else "client"
            await connection.execute(
                f"UPDATE {table} SET state = 'suspended' WHERE id = $1", resource.rpartition("/")[2]
            )
            await connection.execute(
                "INSERT INTO state_change (id, resource, state, reason, changed_by, changed_at)"
                " VALUES ($1, $2, 'suspended', 'r', 'c', $3)",
                new_id(),
                resource,
                people.moment - timedelta(days=1),
            )
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def test_the_service_decides_over_a_hundred_thousand_questions_as_the_oracle_does(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        people = await populate(mesh)
        tokens = {
            (code, officer): await Person(mesh, agency, officer.name if officer else None).relayed()
            for code, agency in people.agencies.items()
            for officer in (None, Officer("甲某", code), Officer("丙某", code))
        }
        await load(mesh, people)
        database = Database(mesh.databases["identity"].runtime_dsn, DatabaseConfig(dsn_file=mesh.directory / "unused"))
        await database.open()
        try:
            decider = CaseAccessDecider(AccessStore(database), AccessRules.shipped())
            await _compare_decisions(people, decider)
            await _compare_lists(people, decider)
            await _compare_viewers(people, decider)
        finally:
            await database.close()
        await _compare_sample_over_the_wire(mesh, people, tokens)


async def _compare_decisions(people: Population, decider: CaseAccessDecider) -> None:
    questions = [(case, name) for case in people.worlds for name in PERMISSIONS]
    asked, allowed = 0, 0
    for code, officer, subject in people.subjects():
        for start in range(0, len(questions), 1100):
            batch = questions[start : start + 1100]
            decisions = await decider.decide_many(
                subject, [(f"cases/{case}", PERMISSIONS[name]) for case, name in batch]
            )
            for (case, name), decision in zip(batch, decisions, strict=True):
                expected = oracle.may(people.worlds[case], code, officer, name, 0)
                assert expected == decision.allowed, (code, officer, name, people.worlds[case])
                visible = oracle.may(people.worlds[case], code, officer, "VIEW_PROGRESS", 0)
                assert visible == decision.visible
                asked, allowed = asked + 1, allowed + expected
    assert asked >= 100_000
    # The matrix says something only where both answers are common.
    assert asked // 50 < allowed < asked // 2


async def _compare_lists(people: Population, decider: CaseAccessDecider) -> None:
    for code, officer, subject in people.subjects():
        for name in ("VIEW_PROGRESS", "VIEW_CASE", "CHANGE_DOSSIER"):
            expected = [
                case for case in sorted(people.worlds, reverse=True)
                if oracle.may(people.worlds[case], code, officer, name, 0)
            ]  # fmt: skip
            last = "ffffffff-ffff-ffff-ffff-ffffffffffff"
            found = await decider.accessible_cases(subject, PERMISSIONS[name], last, CASES + 1)
            assert expected == found, (code, officer, name)


def let_in(world: oracle.World, time: int) -> set[Officer]:
    """Officers of other agencies to whom the police gave something."""
    return {given.taker for given in world.granted if given.giver.agency == POLICE and given.span.holds(time)}


async def _compare_viewers(people: Population, decider: CaseAccessDecider) -> None:
    first = ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000")
    ids = {people.officers[officer]: officer for officer in people.officers}
    codes = {people.id_of(code): code for code in people.agencies}
    for number, (case, drawn) in enumerate(list(people.worlds.items())[:600]):
        time = number % (2 * HOURS) - HOURS
        # Whose system was used is not asked of the past, so that no client is shut out there.
        world = oracle.World(**{**drawn.__dict__, "suspended_clients": frozenset()})
        at = people.moment + timedelta(hours=time)
        viewers = await decider.viewers(case, people.id_of(POLICE), at, first, 100)
        found = {
            (codes[viewer.who.agency_id], ids.get(viewer.who.officer_id or "")): names(viewer.permissions)
            for viewer in viewers
        }
        expected = {
            (code, officer): {name for name in PERMISSIONS if oracle.may(world, code, officer, name, time)}
            for code, officer, _ in people.subjects()
            if (officer is None or code == POLICE or officer in let_in(world, time))
            and oracle.may(world, code, officer, "VIEW_PROGRESS", time)
        }
        assert expected == found, (time, world)


async def _compare_sample_over_the_wire(
    mesh: Mesh, people: Population, tokens: dict[tuple[str, Officer | None], list[tuple[str, str]]]
) -> None:
    stub = AccessServiceStub(mesh.channel("identity", "dossier"))
    chance = random.Random(7)
    for (code, officer), metadata in tokens.items():
        sample = [(chance.choice(list(people.worlds)), chance.choice(list(PERMISSIONS.items()))) for _ in range(100)]
        checks = [
            access_pb2.CheckAccessRequest(case=f"cases/{case}", permission=permission)
            for case, (_, permission) in sample
        ]
        request = access_pb2.BatchCheckAccessRequest(checks=checks)
        answer = await stub.BatchCheckAccess(request, metadata=metadata, timeout=TIMEOUT)
        expected = [oracle.may(people.worlds[case], code, officer, name, 0) for case, (name, _) in sample]
        assert expected == [decision.allowed for decision in answer.decisions], (code, officer)
        alone = [await stub.CheckAccess(check, metadata=metadata, timeout=TIMEOUT) for check in checks[:10]]
        assert list(answer.decisions[:10]) == alone


def test_the_contract_and_the_oracle_name_the_same_operations() -> None:
    assert names(cast(Any, [number for number in CasePermission.values() if number])) == oracle.OPERATIONS


async def test_every_fact_holds_from_its_beginning_until_just_before_its_end(mesh_of: MeshOf) -> None:
    async with mesh_of("identity") as mesh:
        police = await mesh.enrol(POLICE, "GA", ["甲某", "乙某"])
        court = await mesh.enrol(COURT, "FY", ["丙某"])
        agency_id, case = police.name.removeprefix("agencies/"), new_id()
        taker, giver, judge = Officer("甲某", POLICE), Officer("乙某", POLICE), Officer("丙某", COURT)
        ids = {one: police.officers[one.name].rpartition("/")[2] for one in (taker, giver)}
        ids[judge] = court.officers["丙某"].rpartition("/")[2]
        always, span = Span(-HOURS), Span(-2, 2)
        world = oracle.World(
            participations=(oracle.Participation(POLICE, 1, span), oracle.Participation(COURT, 0, always)),
            stages=((1, span),),
            assignments=(oracle.Assignment(taker, span), oracle.Assignment(giver, always)),
            supervisions=(oracle.Supervision(taker, span),),
            delegations=(oracle.Delegation(giver, taker, frozenset({"VIEW_CASE"}), span),),
            granted=(oracle.Granted(judge, taker, frozenset({"VIEW_CASE"}), span),),
            places=(oracle.Place(taker, "刑侦", True, span), oracle.Place(giver, "刑侦", False, always)),
            seals=(oracle.Seal(POLICE, span),),
            openings=(oracle.Opening(giver, taker, span),),
            broken=(oracle.BrokenGlass(taker, True, span),),
        )
        people = Population(datetime.now(UTC), {POLICE: police, COURT: court}, ids, {case: world})
        await load(mesh, people)
        for hours, state in ((-2, "suspended"), (2, "active")):
            await sql(
                mesh,
                "INSERT INTO state_change (id, resource, state, reason, changed_by, changed_at)"
                " VALUES ($1, $2, $3, 'r', 'c', $4)",
                new_id(),
                police.officers["甲某"],
                state,
                people.moment + timedelta(hours=hours),
            )
        database = Database(mesh.databases["identity"].runtime_dsn, DatabaseConfig(dsn_file=mesh.directory / "unused"))
        await database.open()
        try:
            store = AccessStore(database)
            for offset, moved, expected in (
                (-2, -1, False),
                (-2, 0, True),
                (2, -1, True),
                (2, 0, False),
            ):
                at = people.moment + timedelta(hours=offset, microseconds=moved)
                (facts,) = await store.facts_then(case, [Connected(agency_id, ids[taker])], at)
                held = {
                    "participation": facts.participation_id is not None,
                    "stage": facts.at_stage,
                    "assignment": facts.assignment_id is not None,
                    "supervision": facts.supervision_id is not None,
                    "unit": facts.unit_supervision_id is not None,
                    "delegation": bool(facts.delegations),
                    "grant": bool(facts.grants),
                    "seal": facts.seal_id is not None,
                    "opening": facts.opening_id is not None,
                    "break-glass": facts.break_glass_id is not None,
                    "suspension": not facts.officer_active,
                }
                assert dict.fromkeys(held, expected) == held, (offset, moved)
        finally:
            await database.close()
