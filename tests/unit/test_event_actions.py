"""What is audited stands in one table: nothing that a service does is without a name people can read."""

import importlib
import re
from pathlib import Path

import pytest

import casemesh
from casemesh.data.event_actions import event_actions

SERVICES = ("identity", "translation", "dossier", "routing", "audit", "supervision")
ROOT = Path(casemesh.__file__).parent
# An action as a service states it: alone in quotes, of a group that the table knows.
_QUOTED = re.compile(r'"([a-z_]+(?:\.[a-z_]+){1,3})"')
# Names of spans and of lines in a process's log look alike, and stand elsewhere.
_STATES = re.compile(r"event_of|record_care|audited=|PolicyTable")
_NOT_ACTIONS = {"access.rules_failed"}


def stated_by(service: str) -> set[str]:
    groups = {action.partition(".")[0] for action in event_actions()}
    # Rules of supervision name facts, which look alike.
    sources = [path for path in (ROOT / service).rglob("*.py") if not {"v1", "rules"} & set(path.parts)]
    texts = [text for path in sources if _STATES.search(text := path.read_text(encoding="utf-8"))]
    text = "\n".join(texts)
    return {found for found in _QUOTED.findall(text) if found.partition(".")[0] in groups} - _NOT_ACTIONS


@pytest.mark.parametrize("service", SERVICES)
def test_every_action_of_a_policy_has_a_name(service: str) -> None:
    policies = importlib.import_module(f"casemesh.{service}.policy").POLICIES
    assert set() == {policy.audited for policy in policies.values() if policy.audited} - set(event_actions())


@pytest.mark.parametrize("service", SERVICES)
def test_every_action_in_the_code_of_a_service_has_a_name(service: str) -> None:
    assert set() == stated_by(service) - set(event_actions())


def test_no_name_is_left_over_without_an_action() -> None:
    stated = set().union(*(stated_by(service) for service in SERVICES))
    assert set() == set(event_actions()) - stated - {"audit.events.shredded"}


def test_only_readings_may_be_shredded() -> None:
    shreddable = {action for action, known in event_actions().items() if known.may_be_shredded}
    assert {
        "audit.trail.exported",
        "audit.trail.read",
        "dossier.manifest.read",
        "dossier.version.read",
        "dossier.version.sent",
    } == shreddable
