"""Business data and parties as typed, and messages as printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.type.date_pb2 import Date

from casemesh.audit.v1.event_pb2 import Event
from casemesh.cli.invocation import Failure
from casemesh.cli.message_json import plain
from casemesh.cli.payload_fields import parse_code, parse_date, parse_field, parse_party
from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.dossier.v1.dossier_pb2 import DossierVersion
from casemesh.routing.v1 import case_pb2
from casemesh.routing.v1.exchange_pb2 import EXCHANGE_STATE_DELIVERED, Exchange, PayloadField

THEFT = CodedValue(code_system="police-case-categories", code="05000200")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("opinion=移送=审查", PayloadField(key="opinion", text="移送=审查")),
        ("opinion=", PayloadField(key="opinion", text="")),
        ("charge:code=police-case-categories:05000200", PayloadField(key="charge", coded=THEFT)),
        ("day:date=2026-01-31", PayloadField(key="day", date=Date(year=2026, month=1, day=31))),
        ("pages:integer=-3", PayloadField(key="pages", integer=-3)),
        ("minor:flag=yes", PayloadField(key="minor", flag=True)),
        ("minor:flag=no", PayloadField(key="minor", flag=False)),
    ],
)
def test_a_field_is_read_by_its_type(text: str, field: PayloadField) -> None:
    assert parse_field(text) == field


def test_a_party_is_read_with_charges_and_custody() -> None:
    party = parse_party(
        "嫌疑人甲; charge=police-case-categories:05000200;charge=police-case-categories:05000200;"
        "custody=bail@2026-01-31"
    )
    assert (party.display_name, party.kind, list(party.charges)) == (
        "嫌疑人甲",
        case_pb2.PARTY_KIND_PERSON,
        [THEFT, THEFT],
    )
    assert party.custody == case_pb2.Custody(state=case_pb2.CUSTODY_STATE_BAIL, since=Date(year=2026, month=1, day=31))
    held = parse_party("乙;custody=arrested@2026-01-31@某看守所@二区").custody
    assert (held.state, held.place) == (case_pb2.CUSTODY_STATE_ARRESTED, "某看守所@二区")
    assert parse_party("某公司;organization").kind == case_pb2.PARTY_KIND_ORGANIZATION
    assert not parse_party("丙").HasField("custody")


@pytest.mark.parametrize(
    "parse",
    [
        lambda: parse_field("opinion"),
        lambda: parse_field("=x"),
        lambda: parse_field("a:colour=red"),
        lambda: parse_field("a:integer=1.5"),
        lambda: parse_field("a:flag=maybe"),
        lambda: parse_code("05000200"),
        lambda: parse_code(":1"),
        lambda: parse_date("2026-1-31"),
        lambda: parse_party(";charge=a:1"),
        lambda: parse_party("甲;colour=red"),
        lambda: parse_party("甲;custody=free"),
        lambda: parse_party("甲;custody=unspecified"),
    ],
)
def test_what_cannot_be_read_is_invalid_input(parse: Callable[[], Any]) -> None:
    with pytest.raises(Failure) as failure:
        parse()
    assert failure.value.code == 4


def test_messages_print_as_plain_values() -> None:
    version = DossierVersion(name="dossiers/d/versions/v", size_bytes=1 << 40, root_hash=b"\x0f" * 32)
    version.finalize_time.FromJsonString("2026-01-31T08:00:00Z")
    assert plain(version) == {
        "name": "dossiers/d/versions/v",
        "size_bytes": 1 << 40,
        "root_hash": "0f" * 32,
        "finalize_time": "2026-01-31T08:00:00Z",
    }
    exchange = Exchange(state=EXCHANGE_STATE_DELIVERED, parties=["p"], fields=[parse_field("day:date=2026-01-31")])
    assert plain(exchange) == {
        "state": "DELIVERED",
        "parties": ["p"],
        "fields": [{"key": "day", "date": "2026-01-31"}],
    }
    assert plain(Event(details={"node": "nodes/QS001"})) == {"details": {"node": "nodes/QS001"}}


def test_a_value_of_a_later_release_prints_as_its_number() -> None:
    assert plain(Exchange(state=77)) == {"state": "77"}  # type: ignore[arg-type]
