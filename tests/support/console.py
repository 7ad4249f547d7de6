"""A console for tests without a network: its pages over a platform that answers from memory.

The answers are the contract's own messages, and the log is a real one: a tree, commitments and a signed checkpoint.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.timestamp_pb2 import Timestamp
from starlette.testclient import TestClient

from casemesh.audit.v1 import audit_query_service_pb2 as audit_pb2
from casemesh.audit.v1 import event_pb2
from casemesh.cli.messages import Language
from casemesh.client import canonical_json
from casemesh.client.commitments import commitment_leaf, commitment_to
from casemesh.client.notes import Checkpoint, NoteSigner, sign_checkpoint
from casemesh.client.profile import Profile
from casemesh.console.app import console
from casemesh.console.entry import Entry
from casemesh.console.guard import Place
from casemesh.core.merkle import Tree
from casemesh.errors import CaseMeshError, NotFound
from casemesh.identity.v1 import directory_pb2, directory_service_pb2
from casemesh.routing.v1 import (
    case_pb2,
    case_progress_service_pb2,
    case_service_pb2,
    collaboration_node_pb2,
    collaboration_node_service_pb2,
    exchange_pb2,
    exchange_service_pb2,
    time_limit_pb2,
    time_limit_service_pb2,
)
from casemesh.supervision.v1 import supervision_service_pb2, warning_pb2
from tests.support.clock import FakeClock

NOW = dt.datetime(2026, 5, 20, 4, 0, tzinfo=dt.UTC)
ORIGIN = "http://127.0.0.1:8600"
POLICE, PROCURATORATE = "agencies/police", "agencies/procuratorate"
CASE = "cases/01970000-0000-7000-8000-000000000001"
WARNING = "warnings/01970000-0000-7000-8000-00000000000a"
HOSTILE = "<script>alert(1)</script>"


def stamp(moment: dt.datetime) -> Timestamp:
    """Return an instant as the contract has it."""
    found = Timestamp()
    found.FromDatetime(moment.astimezone(dt.UTC).replace(tzinfo=None))
    return found


def exchange(number: int = 1, **fields: Any) -> exchange_pb2.Exchange:
    """Return an exchange of the case, submitted by the police in the morning of the day."""
    return exchange_pb2.Exchange(
        **{
            "name": f"exchanges/{number}",
            "case": CASE,
            "node": "nodes/QS001",
            "sender": POLICE,
            "recipient": PROCURATORATE,
            "state": exchange_pb2.EXCHANGE_STATE_SUBMITTED,
            "submit_time": stamp(NOW - dt.timedelta(hours=number)),
            **fields,
        }
    )


def limit(days_left: int, **fields: Any) -> time_limit_pb2.RunningTimeLimit:
    """Return a limit of ten days that ends in `days_left`."""
    over = NOW + dt.timedelta(days=days_left)
    found = time_limit_pb2.RunningTimeLimit(
        state=time_limit_pb2.TIME_LIMIT_STATE_RUNNING,
        reckoning=time_limit_pb2.TimeLimitReckoning(
            limit="TL064",
            title_zh=f"发明的期限{days_left}",
            title_en=f"invented limit {days_left}",
            legal_basis="an invented law",
            start_time=stamp(over - dt.timedelta(days=10)),
            over_time=stamp(over),
            days_left=days_left,
            steps=[
                time_limit_pb2.TimeLimitStep(
                    rule=time_limit_pb2.TIME_LIMIT_RULE_LENGTH, until_time=stamp(over), length=10, unit="day"
                )
            ],
        ),
    )
    found.MergeFrom(time_limit_pb2.RunningTimeLimit(**fields))
    return found


def warning(**fields: Any) -> warning_pb2.Warning:
    """Return an open warning of high rank."""
    return warning_pb2.Warning(
        **{
            "name": WARNING,
            "case": CASE,
            "rule": "CK001",
            "rank": warning_pb2.WARNING_RANK_HIGH,
            "state": warning_pb2.WARNING_STATE_OPEN,
            "title_zh": "发明的预警",
            "title_en": "invented warning",
            "explanation_zh": "发明的说明",
            "explanation_en": "invented explanation",
            "create_time": stamp(NOW),
            "moves": [warning_pb2.WarningMove(move_time=stamp(NOW), kind="raised")],
            **fields,
        }
    )


class Log:
    """An audit log with the trail of one case among entries of others."""

    def __init__(self, events: int = 5) -> None:
        self.signer = NoteSigner("casemesh.example/audit", Ed25519PrivateKey.from_private_bytes(bytes(32)))
        self.tree = Tree()
        self.leaves: list[bytes] = []
        self.events: list[event_pb2.LoggedEvent] = []
        previous: str | None = None
        for sequence in range(1, events + 1):
            self._append(bytes([200 + sequence]) * 32)
            salt = bytes([sequence]) * 32
            body: dict[str, Any] = {
                "action": "case.registered",
                "actor": {"agency": POLICE, "officer": f"{POLICE}/officers/01970000-0000-7000-8000-0000000000ff"},
                "basis": HOSTILE,
                "case": CASE,
                "case_sequence": sequence,
                "occur_time": "2026-05-19T01:02:03.000000Z",
                "previous": previous,
                "resource": CASE,
            }
            canonical = canonical_json.dumps(body)
            committed = commitment_to(salt, canonical)
            index = self._append(committed)
            self.events.append(
                event_pb2.LoggedEvent(canonical_json=canonical, salt=salt, log_index=index, case_sequence=sequence)
            )
            previous = committed.hex()

    def _append(self, committed: bytes) -> int:
        self.leaves.append(commitment_leaf(committed))
        return self.tree.append(self.leaves[-1])

    @property
    def key(self) -> str:
        """The log's verifier key."""
        return str(self.signer.verifier_key)

    def note(self, size: int | None = None) -> str:
        """Return the signed checkpoint of the first `size` entries."""
        size = self.tree.size if size is None else size
        return sign_checkpoint(Checkpoint(self.signer.name, size, self.tree.root(size)), self.signer)


@dataclass
class FakePlatform:
    """What a session answers, and what was asked of it. A method named in `refusing` is refused."""

    cases: list[case_pb2.Case] = field(default_factory=list)
    exchanges: list[exchange_pb2.Exchange] = field(default_factory=list)
    limits: list[time_limit_pb2.RunningTimeLimit] = field(default_factory=list)
    warnings: list[warning_pb2.Warning] = field(default_factory=list)
    log: Log = field(default_factory=Log)
    refusing: dict[str, CaseMeshError] = field(default_factory=dict)
    asked: list[tuple[str, Any, Sequence[tuple[str, str | bytes]]]] = field(default_factory=list)

    def session(self) -> Any:
        """Return what the console takes for a session."""
        stubs = {
            "cases": {"ListCases": self._list_cases, "GetCase": self._get_case},
            "case_progress": {"GetProgress": lambda _: case_progress_service_pb2.GetProgressResponse()},
            "time_limits": {
                "ListTimeLimits": lambda _: time_limit_service_pb2.ListTimeLimitsResponse(time_limits=self.limits)
            },
            "exchanges": {
                "ListExchanges": lambda _: exchange_service_pb2.ListExchangesResponse(exchanges=self.exchanges)
            },
            "supervision": {
                "ListWarnings": self._list_warnings,
                "GetWarning": lambda _: supervision_service_pb2.GetWarningResponse(warning=self.warnings[0]),
                "GetSupervisionStatus": lambda _: supervision_service_pb2.GetSupervisionStatusResponse(log_size=10),
                "AcknowledgeWarning": lambda _: supervision_service_pb2.AcknowledgeWarningResponse(),
                "ResolveWarning": lambda _: supervision_service_pb2.ResolveWarningResponse(),
                "MarkNotApplicable": lambda _: supervision_service_pb2.MarkNotApplicableResponse(),
            },
            "directory": {"ListAgencies": self._list_agencies},
            "nodes": {"ListNodes": self._list_nodes},
            "audit": {
                "ListCaseEvents": lambda _: audit_pb2.ListCaseEventsResponse(events=self.log.events),
                "GetCheckpoint": lambda _: audit_pb2.GetCheckpointResponse(
                    note=self.log.note(), verifier_key=self.log.key
                ),
                "GetInclusionProof": self._inclusion,
                "GetConsistencyProof": self._consistency,
            },
        }
        named = {
            name: SimpleNamespace(**{method: self._call(method, answer) for method, answer in methods.items()})
            for name, methods in stubs.items()
        }

        async def identity() -> Any:
            return SimpleNamespace(agency=PROCURATORATE, subject=f"{PROCURATORATE}/officers/1")

        return SimpleNamespace(**named, identity=identity)

    def requests(self, method: str) -> list[Any]:
        """Return the requests that a method got."""
        return [request for name, request, _ in self.asked if name == method]

    def _call(self, method: str, answer: Any) -> Any:
        async def call(request: Any, *, metadata: Sequence[tuple[str, str | bytes]] = (), **_: Any) -> Any:
            self.asked.append((method, request, metadata))
            if method in self.refusing:
                raise self.refusing[method]
            return answer(request)

        return call

    def _list_cases(self, _: Any) -> case_service_pb2.ListCasesResponse:
        return case_service_pb2.ListCasesResponse(cases=self.cases)

    def _get_case(self, request: Any) -> case_service_pb2.GetCaseResponse:
        for case in self.cases:
            if case.name == request.name:
                return case_service_pb2.GetCaseResponse(case=case)
        raise NotFound("NOT_FOUND", "there is no such case")

    def _list_warnings(self, request: Any) -> supervision_service_pb2.ListWarningsResponse:
        wanted = request.states or (warning_pb2.WARNING_STATE_OPEN, warning_pb2.WARNING_STATE_ACKNOWLEDGED)
        found = [one for one in self.warnings if one.state in wanted]
        return supervision_service_pb2.ListWarningsResponse(warnings=found)

    def _list_agencies(self, _: Any) -> directory_service_pb2.ListAgenciesResponse:
        names = {POLICE: "an invented police", PROCURATORATE: "an invented procuratorate"}
        found = [directory_pb2.Agency(name=name, display_name=display) for name, display in names.items()]
        return directory_service_pb2.ListAgenciesResponse(agencies=found)

    def _list_nodes(self, _: Any) -> collaboration_node_service_pb2.ListNodesResponse:
        node = collaboration_node_pb2.CollaborationNode(name="nodes/QS001", title_zh="移送", title_en="transfer")
        return collaboration_node_service_pb2.ListNodesResponse(nodes=[node])

    def _inclusion(self, request: Any) -> audit_pb2.GetInclusionProofResponse:
        return audit_pb2.GetInclusionProofResponse(
            hashes=self.log.tree.inclusion_proof(request.log_index, request.tree_size),
            tree_size=request.tree_size,
            leaf_hash=self.log.leaves[request.log_index],
        )

    def _consistency(self, request: Any) -> audit_pb2.GetConsistencyProofResponse:
        proof = self.log.tree.consistency_proof(request.first_size, request.second_size)
        return audit_pb2.GetConsistencyProofResponse(hashes=proof, second_size=request.second_size)


def registered_case(**fields: Any) -> case_pb2.Case:
    """Return the case, registered by the police."""
    return case_pb2.Case(
        **{"name": CASE, "title": "an invented theft", "agency": POLICE, "create_time": stamp(NOW), **fields}
    )


@dataclass
class RunningConsole:
    """A console, a browser that may be in, and the links its terminal showed."""

    platform: FakePlatform
    client: TestClient
    entry: Entry
    links: list[str]
    clock: FakeClock

    def enter(self) -> str:
        """Let the browser in by a link, and return the token of its forms."""
        self.clock.move(60)
        self.entry.show_link()
        answer = self.client.get(self.links[-1].removeprefix(ORIGIN), follow_redirects=False)
        assert answer.status_code == 303
        return self.form_token()

    def form_token(self) -> str:
        """Return the token that the browser's forms hold."""
        page = self.client.get("/flows").text
        return page.partition('name="form_token" value="')[2].partition('"')[0]

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Any:
        """Send a form as a browser does, without following where it leads."""
        sent = {"origin": ORIGIN, "sec-fetch-site": "same-origin", **headers}
        return self.client.post(path, data=fields, headers=sent, follow_redirects=False)


def link_key(link: str) -> str:
    """Return the key of a link."""
    return parse_qs(urlsplit(link).query)["key"][0]


def running_console(
    platform: FakePlatform | None = None, *, language: Language = Language.ENGLISH, **profile: Any
) -> RunningConsole:
    """Return a console on a platform in memory."""
    platform = platform or FakePlatform(cases=[registered_case()])
    links: list[str] = []
    clock = FakeClock(NOW)
    entry = Entry(links.append, ORIGIN, language, monotonic=clock.monotonic)
    place = Place(ORIGIN, frozenset({"127.0.0.1:8600", "localhost:8600"}))
    chosen = Profile(name="lin", gateway="127.0.0.1:1", certificate=Path("."), **profile)
    app = console(platform.session(), chosen, place=place, entry=entry, clock=FakeClock(NOW))
    client = TestClient(app, base_url=ORIGIN, raise_server_exceptions=False)
    return RunningConsole(platform, client, entry, links, clock)
