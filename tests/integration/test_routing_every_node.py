"""All nodes of the catalogue, generated: each is submitted, delivered, and answered where it has feedback.

One agency of each kind of organ, and a second one where a node leads to its own kind, on the real services. A path is a
node that opens a chain and one answer after another to its end; together the paths pass every node. What asks for a
dossier gets one that holds its documents. Payloads hold what the node's schema asks for and something of each subject.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from google.type.date_pb2 import Date

from casemesh.client.dossier_upload import LocalDocument
from casemesh.core.ids import new_id
from casemesh.data import CollaborationNode, nodes
from casemesh.data.number_formats import number_formats
from casemesh.data.payload_schemas import PayloadFieldRule
from casemesh.data.required_documents import shipped_rules
from casemesh.errors import Unavailable
from casemesh.routing.nodes import NodeCatalogue, dossier_required, shipped_catalogue
from casemesh.routing.v1 import case_pb2, exchange_pb2
from casemesh.routing.v1.exchange_pb2 import PayloadField
from tests.support.dossiers import DossierDesk
from tests.support.mesh import Agency, MeshOf
from tests.support.routing import THEFT, ThreeOrgans, person, running_three_organs

T = TypeVar("T")

AT_ONCE = 4
CATALOGUE = shipped_catalogue()
BY_CODE = {node.code: node for node in nodes()}
NUMBERS = {form.kind: form.examples[0] for form in reversed(number_formats().formats)}
REQUIRED: dict[str, list[str]] = defaultdict(list)
for rule in shipped_rules():
    if rule.finding == "MISSING":
        REQUIRED[rule.node] += rule.names[: rule.count]
PATTERNED = {"hearing_time": "09:30"}


@dataclass
class Path_:
    """One way through a chain, and where it stands."""

    codes: tuple[str, ...]
    exchanges: list[exchange_pb2.Exchange] = field(default_factory=list)

    @property
    def root(self) -> CollaborationNode:
        return BY_CODE[self.codes[0]]

    @property
    def next(self) -> CollaborationNode:
        return BY_CODE[self.codes[len(self.exchanges)]]

    @property
    def needs_dossier(self) -> bool:
        return any(dossier_required(BY_CODE[code]) for code in self.codes)


def paths(catalogue: NodeCatalogue) -> list[Path_]:
    """Return the paths that pass every node."""
    found: list[Path_] = []

    def walk(node: CollaborationNode, codes: tuple[str, ...]) -> None:
        answers = [
            BY_CODE[code]
            for code in catalogue.answers_of(node)
            if code not in codes
            and catalogue.plays(node.to_organ, BY_CODE[code].from_organ)
            and catalogue.plays(node.from_organ, BY_CODE[code].to_organ)
        ]
        for answer in answers:
            walk(answer, (*codes, answer.code))
        if not answers:
            found.append(Path_(codes))

    for node in nodes():
        if catalogue.answers_only(node) is None:
            walk(node, (node.code,))
    return found


def filled(node: CollaborationNode, party: str) -> list[PayloadField]:
    """Return a payload with what the node asks for and the first field of each subject, as far as no codes of foreign
    tables are needed."""
    schema = CATALOGUE.schema(node)
    keys = dict.fromkeys((*schema.required, *schema.expected))
    for subject in schema.subjects:
        keys[next(rule.key for rule in schema.fields.values() if rule.subject == subject)] = None
    return [field for key in keys if (field := fitting(schema.fields[key], party)) is not None]


def fitting(rule: PayloadFieldRule, party: str) -> PayloadField | None:
    about = party if rule.per_party else ""
    match rule.type:
        case "text":
            text = NUMBERS.get(rule.number) or PATTERNED.get(rule.key) or "某"
            return PayloadField(key=rule.key, text=text, party=about)
        case "date":
            return PayloadField(key=rule.key, date=Date(year=2026, month=3, day=9), party=about)
        case "integer":
            return PayloadField(key=rule.key, integer=rule.minimum or 1, party=about)
        case "flag":
            return PayloadField(key=rule.key, flag=True, party=about)
    return PayloadField(key=rule.key, coded=THEFT, party=about) if rule.role == "charge" else None


class Country:
    """The agencies, their cases and dossiers."""

    def __init__(self, organs: ThreeOrgans, agencies: dict[str, Agency], folder: Path) -> None:
        self.organs, self.agencies, self.folder = organs, agencies, folder
        self.cases: dict[str, case_pb2.Case] = {}
        self.versions: dict[str, str] = {}
        self.assigned: dict[tuple[str, str], asyncio.Future[None]] = {}

    def sides(self, path: Path_) -> tuple[Agency, Agency]:
        """Return who sends the path's next exchange and who gets it: the two sides of its first take turns."""
        node = path.root
        first = self.agencies[node.from_organ]
        second = self.agencies[f"{node.to_organ}/2" if node.to_organ == node.from_organ else node.to_organ]
        return (first, second) if len(path.exchanges) % 2 == 0 else (second, first)

    async def open_case(self, organ: str, documents: Sequence[str]) -> None:
        """Register the case that a kind of organ sends about, with a dossier where one is asked for.

        A second person, whom nothing is about but who is under investigation, keeps the case from ending.
        """
        agency = self.agencies[organ]
        case = await self.organs.register(parties=[person(), person("某乙")], agency=agency, local_number="")
        self.cases[organ] = case
        other = case.parties[1].name.split("/parties/")[1]
        await self.organs.sql(
            "INSERT INTO party_state (party_id, aspect, value, since) VALUES ($1, 'stage', 'INVESTIGATION', now())",
            other,
        )
        if documents:
            metadata = await self.organs.as_officer(agency)
            desk = DossierDesk(self.organs.mesh, agency, agency, metadata, case=case.name)
            self.versions[organ] = (await desk.version(self.files(organ, documents))).name

    def files(self, organ: str, names: Iterable[str]) -> list[LocalDocument]:
        made = []
        for number, name in enumerate(names):
            path = self.folder / f"{organ}-{number}.txt"
            path.write_text(f"invented {organ} {number}")
            made.append(LocalDocument(path, "诉讼文书卷", f"{name}.txt", "text/plain", 1))
        return made

    async def send(self, path: Path_) -> None:
        """Submit the path's first exchange, or answer its last."""
        sender, recipient = self.sides(path)
        case, node = self.cases[path.root.from_organ], path.next
        suspect = case.parties[0].name
        goes_along = dossier_required(node) or (not path.exchanges and path.needs_dossier)
        fields: dict[str, Any] = {
            "request_id": new_id(),
            "fields": filled(node, suspect),
            "dossier_version": self.versions[path.root.from_organ] if goes_along else "",
        }
        if not path.exchanges:
            fields |= {"node": f"nodes/{node.code}", "recipient": recipient.name, "parties": [suspect]}
            exchange = await patiently(lambda: self.organs.submit(case, sender, **fields))
        else:
            await self.assign(case.name, sender)
            asked = path.exchanges[-1].name
            exchange = await patiently(lambda: self.organs.answer(asked, f"nodes/{node.code}", sender, **fields))
        path.exchanges.append(exchange)

    async def assign(self, case: str, agency: Agency) -> None:
        """Let an officer of the agency into the case, once; whoever needs it meanwhile waits for the same."""
        key = (case, agency.name)
        if agency.name == self.owner_of(case):
            return
        if key not in self.assigned:
            self.assigned[key] = asyncio.ensure_future(patiently(lambda: self.organs.assign(case, agency)))
        await self.assigned[key]

    def owner_of(self, case: str) -> str:
        return next(each.agency for each in self.cases.values() if each.name == case)

    async def deliver(self, agency: Agency) -> list[str]:
        """Store everything that waits for an agency; return the names of its exchanges."""
        stored = []
        while deliveries := await self.organs.pull(agency, 64):
            stored += [delivery.exchange.name for delivery in deliveries]
            for delivery in deliveries:
                await self.organs.acknowledge(agency, delivery.name)
        return stored


async def patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Make a call again that a busy machine did not answer in its time, as the SDK does."""
    for _ in range(9):
        try:
            return await call()
        except Unavailable:
            continue
    return await call()


async def limited(steps: Iterable[Awaitable[None]]) -> None:
    """Take steps, a few at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(step: Awaitable[None]) -> None:
        async with gate:
            await step

    await asyncio.gather(*(one(step) for step in steps))


# Some 800 exchanges with their deliveries: a minute on a quiet machine, several on one that others use.
@pytest.mark.timeout(600)
async def test_every_node_is_submitted_delivered_and_answered(mesh_of: MeshOf, tmp_path: Path, mesh_pki: Any) -> None:
    ways = paths(CATALOGUE)
    assert {code for way in ways for code in way.codes} == set(BY_CODE)
    documents: dict[str, dict[str, None]] = defaultdict(dict)
    for way in ways:
        for code in way.codes:
            if dossier_required(BY_CODE[code]):
                documents[way.root.from_organ].update(dict.fromkeys((*REQUIRED[code], "案件材料")))
    kinds = sorted({organ for way in ways for organ in (way.root.from_organ, way.root.to_organ)})
    doubled = sorted({way.root.from_organ for way in ways if way.root.from_organ == way.root.to_organ})

    async with running_three_organs(mesh_of, "audit", "dossier") as organs:
        agencies: dict[str, Agency] = {}
        for place in (*kinds, *(f"{kind}/2" for kind in doubled)):
            code = f"every-{place.lower().replace('_', '-').replace('/', '-')}"
            await asyncio.to_thread(mesh_pki.add_agency, code)
            await asyncio.to_thread(mesh_pki.issue_system, code, "cms")
            agencies[place] = await organs.mesh.enrol(code, place.partition("/")[0], officers=["lin"])
        country = Country(organs, agencies, tmp_path)
        await limited(
            country.open_case(organ, list(documents[organ])) for organ in {way.root.from_organ for way in ways}
        )
        waiting = ways
        while waiting:
            await limited(country.send(way) for way in waiting)
            stored = {name for agency in agencies.values() for name in await country.deliver(agency)}
            assert {way.exchanges[-1].name for way in waiting} <= stored
            waiting = [way for way in waiting if len(way.exchanges) < len(way.codes)]

        rows = await organs.sql("SELECT exchange_id::text AS id, node, state FROM exchange")
        assert {row["node"] for row in rows} == set(BY_CODE)
        states = {f"exchanges/{row['id']}": row["state"] for row in rows}
        for way in ways:
            for asked, answer in zip(way.codes, way.codes[1:], strict=False):
                interim = CATALOGUE.is_interim(BY_CODE[asked], BY_CODE[answer])
                name = way.exchanges[way.codes.index(asked)].name
                assert ("DELIVERED" if interim else "ANSWERED") == states[name], (asked, answer)
