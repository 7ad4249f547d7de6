"""A payload is held to its node's schema: everything at fault is told at once, with a remedy in both languages."""

import tomllib
from importlib.resources import files

import pytest
from google.type.date_pb2 import Date

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.common.v1.error_reason_pb2 import ErrorReason
from casemesh.data import nodes
from casemesh.data.payload_schemas import NodeSchema, schema_of
from casemesh.errors import FailedPrecondition, InvalidArgument
from casemesh.routing.findings import Finding, found, refusal, require_none
from casemesh.routing.organ_tables import load_organ_tables
from casemesh.routing.payload_rules import payload_findings
from casemesh.routing.v1.exchange_pb2 import PayloadField

PARTY, OTHER = "cases/1/parties/1", "cases/1/parties/2"
SCHEMAS = {node.code: schema_of(node) for node in nodes() if node.code in ("HY001", "LA001", "YS037", "DB001")}
TABLES = load_organ_tables()


def findings(code: str, *fields: PayloadField) -> list[Finding]:
    return payload_findings(SCHEMAS[code], fields, [PARTY], TABLES)


def reasons(code: str, *fields: PayloadField) -> list[tuple[str, str]]:
    return [(finding.reason, finding.field) for finding in findings(code, *fields)]


def test_a_payload_that_fits_has_no_finding() -> None:
    fitting = (
        PayloadField(key="custody_until", date=Date(year=2026, month=4, day=9)),
        PayloadField(key="detainee_number", text="350105111202603090007", party=PARTY),
        PayloadField(key="charge", coded=CodedValue(code_system="criminal-charges", code="XZ101"), party=PARTY),
        PayloadField(key="charge", coded=CodedValue(code_system="own-table", code="1"), party=PARTY),
        PayloadField(key="urgent", flag=True),
    )
    assert findings("HY001", *fitting) == []


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (PayloadField(key="detention_hose", text="x"), ("FIELD_UNKNOWN", "fields[0].key")),
        (PayloadField(key="urgent", text="yes"), ("FIELD_TYPE_WRONG", "fields[0]")),
        (PayloadField(key="urgent"), ("FIELD_TYPE_WRONG", "fields[0]")),
        (PayloadField(key="urgent", flag=True, party=PARTY), ("FIELD_PARTY_WRONG", "fields[0]")),
        (PayloadField(key="admitted", flag=True, party=OTHER), ("FIELD_PARTY_WRONG", "fields[0]")),
        (PayloadField(key="bail_amount_cents", integer=-1), ("FIELD_OUT_OF_BOUNDS", "fields[0]")),
        (PayloadField(key="organ_after", text="甲" * 201), ("FIELD_OUT_OF_BOUNDS", "fields[0]")),
        (PayloadField(key="id_number", text="110105194912310021"), ("NUMBER_CHECK_WRONG", "fields[0]")),
        (
            PayloadField(key="measure", coded=CodedValue(code_system="criminal-charges", code="XZ101")),
            ("CODE_TABLE_WRONG", "fields[0]"),
        ),
    ],
)
def test_a_field_at_fault_is_refused_with_its_reason_and_place(field: PayloadField, expected: tuple[str, str]) -> None:
    blocking = [finding for finding in findings("HY001", field) if finding.blocking]
    assert [expected] == [(finding.reason, finding.field) for finding in blocking]
    assert {"PAYLOAD_INVALID"} == {finding.error for finding in blocking}


def test_a_time_of_day_has_a_form() -> None:
    schema = next(schema_of(node) for node in nodes() if node.code == "YS015")
    for text, count in (("09:30", 0), ("9:30", 1), ("24:00", 1)):
        field = PayloadField(key="hearing_time", text=text)
        assert count == len(payload_findings(schema, [field], [PARTY], TABLES))


def test_a_field_comes_twice_only_where_it_may_or_for_two_parties() -> None:
    schema: NodeSchema = SCHEMAS["HY001"]
    both = [PayloadField(key="admitted", flag=True, party=party) for party in (PARTY, OTHER)]
    assert [] == [each for each in payload_findings(schema, both, [PARTY, OTHER], TABLES) if each.blocking]
    assert ("FIELD_REPEATED", "fields[1]") in reasons("HY001", both[0], both[0])


def test_what_is_required_blocks_and_what_is_expected_warns() -> None:
    told = {finding.reason: finding for finding in findings("YS037")}
    assert (told["FIELD_MISSING"].field, told["FIELD_MISSING"].blocking) == ("outcome", True)
    assert not told["FIELD_EXPECTED"].blocking


def test_lawful_oddities_of_a_number_only_warn() -> None:
    old = findings("DB001", PayloadField(key="court_case_number", text="（2009）某刑初字第31号"))
    assert [("NUMBER_OLD_FORM", False)] == [(finding.reason, finding.blocking) for finding in old]


def test_an_unknown_key_is_told_with_the_nearest_one() -> None:
    (finding,) = (each for each in findings("LA001", PayloadField(key="opinon", text="x")) if each.blocking)
    assert "opinion" in finding.en
    assert "opinion" in finding.zh


def test_all_faults_of_the_first_kind_stand_in_one_refusal() -> None:
    error = refusal(findings("LA001", PayloadField(key="a", text="1"), PayloadField(key="b", text="2")))
    assert isinstance(error, InvalidArgument)
    assert ("PAYLOAD_INVALID", {"node": "nodes/LA001", "field": "a"}) == (error.reason, error.metadata)
    assert ["fields[0].key", "fields[1].key"] == [violation.field for violation in error.violations]


def test_warnings_refuse_nothing() -> None:
    require_none([found("CODE_UNMAPPED", "charge")])
    with pytest.raises(FailedPrecondition):
        require_none([found("CODE_UNMAPPED", "charge"), found("VERSION_INTERNAL", "dossier_version")])


def test_no_remedy_repeats_a_value_of_the_payload() -> None:
    told = findings(
        "HY001", PayloadField(key="id_number", text="110105194912310021"), PayloadField(key="x", text="秘密")
    )
    for finding in told:
        assert "110105194912310021" not in finding.zh + finding.en
        assert "秘密" not in finding.zh + finding.en


def test_every_error_of_a_finding_is_a_reason_of_the_contract_and_every_wording_is_bilingual() -> None:
    table = tomllib.loads(files("casemesh.routing").joinpath("findings.toml").read_text(encoding="utf-8"))
    known = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}
    for reason, words in table.items():
        assert words.get("error", "INTERNAL") in known, reason
        assert words["en"].isascii(), reason
        assert any("一" <= character <= "鿿" for character in words["zh"]), reason
