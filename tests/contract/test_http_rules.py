"""The JSON form of the contract: what the http rules of the protos promise."""

from __future__ import annotations

import importlib
import re
from collections import Counter
from pkgutil import walk_packages

import pytest
from google.api import resource_pb2

import casemesh
from casemesh.local.descriptors import descriptor_set
from casemesh.local.envoy import AGENCY_SERVICES
from tests.support.http_rules import HttpRule, http_rules

RULES = list(http_rules())
ADMITTED = {entry.grpc_service for entry in AGENCY_SERVICES}
# What a JSON caller needs for the main job, written down from the guide; more may have a rule.
NEEDED = {
    "IssueToken", "RegisterCase", "GetCase", "ListCases", "CreateDossier", "UploadDocument", "QueryUpload",
    "FinalizeDossier", "GetDossierVersion", "ListDocuments", "ReadDocument", "ConfirmDownload", "SubmitExchange",
    "GetExchange", "ListExchanges", "PullDeliveries", "AcknowledgeDelivery", "AcceptExchange", "AnswerExchange",
    "GetNode", "ListNodes", "TranslateCodes", "LookUpCode", "ListCaseEvents", "ExplainAccess", "ListCaseAccess",
    "AssignOfficer",
}  # fmt: skip


def name(rule: HttpRule) -> str:
    return f"{rule.method.name}:{rule.template}"


def resource_patterns() -> set[str]:
    """The patterns of resource names in the protos, with every variable a star."""
    found = set()
    for module in walk_packages(casemesh.__path__, "casemesh."):
        if re.search(r"\.v1\.\w+_pb2$", module.name):
            for message in importlib.import_module(module.name).DESCRIPTOR.message_types_by_name.values():
                for pattern in message.GetOptions().Extensions[resource_pb2.resource].pattern:
                    found.add(re.sub(r"\{\w+\}", "*", pattern))
    return found


PATTERNS = resource_patterns()


def test_what_the_main_job_needs_has_a_json_form() -> None:
    assert set() == NEEDED - {rule.method.name for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_a_rule_is_of_a_service_that_agencies_may_call_and_not_of_a_stream(rule: HttpRule) -> None:
    assert rule.method.containing_service.full_name in ADMITTED
    assert not rule.method.client_streaming
    assert not rule.method.server_streaming


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_a_rule_reads_with_get_and_changes_with_post_and_a_whole_body(rule: HttpRule) -> None:
    fields = {field.name for field in rule.method.input_type.fields}
    if "request_id" in fields:
        assert ("POST", "*") == (rule.verb, rule.body)
    else:
        # Some that change nothing are posted all the same: what they carry is not for a URL.
        assert (rule.verb, rule.body) in {("GET", ""), ("POST", "*")}


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_the_values_in_a_path_are_whole_resource_names_or_plain_fields_of_the_request(rule: HttpRule) -> None:
    fields = rule.method.input_type.fields_by_name
    for variable, pattern in rule.variables.items():
        assert variable in fields, "the path binds a field that the request does not have"
        options = fields[variable].GetOptions().Extensions[resource_pb2.resource_reference]
        if options.type or pattern != "*":
            assert pattern in PATTERNS, f"{pattern} is no resource name"


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_what_stands_in_a_query_can_stand_there(rule: HttpRule) -> None:
    if rule.verb != "GET":
        return
    rest = [field for field in rule.method.input_type.fields if field.name not in rule.variables]
    assert [] == [field.name for field in rest if field.message_type is not None and field.is_repeated]


def test_no_two_rules_answer_to_the_same_url() -> None:
    shapes = Counter((rule.verb, rule.filled("*")) for rule in RULES)
    assert [] == [shape for shape, count in shapes.items() if count > 1]


def test_the_descriptor_set_holds_every_file_after_those_it_imports_and_the_details_of_errors() -> None:
    seen: set[str] = set()
    for file in descriptor_set(sorted(ADMITTED)).file:
        assert set() == set(file.dependency) - seen, file.name
        seen.add(file.name)
    assert "google/rpc/error_details.proto" in seen
    assert ADMITTED == {
        f"{file.package}.{service.name}"
        for file in descriptor_set(sorted(ADMITTED)).file
        for service in file.service
    }  # fmt: skip
