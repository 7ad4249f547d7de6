"""Alerts and dashboards are what their data say, name metrics there are, and fire when they should and only then."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader

from casemesh.runtime import instruments
from casemesh.runtime.instruments import INSTRUMENTS, Kind

ROOT = Path(__file__).parents[2]
COMPONENTS = ROOT / "k8s" / "components"


def generator(component: str) -> Any:
    path = COMPONENTS / component / "generate.py"
    spec = importlib.util.spec_from_file_location(f"generate_{component}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PROMETHEUS, GRAFANA = generator("prometheus"), generator("grafana")
RULES = PROMETHEUS.rules(PROMETHEUS.load())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
RECORDED = {rule["record"] for group in RULES["groups"] for rule in group["rules"] if "record" in rule}


def series() -> set[str]:
    """Every name that the platform's page for Prometheus has."""
    names = {"up"}
    for item in INSTRUMENTS:
        ends = ("_bucket", "_sum", "_count") if item.kind is Kind.HISTOGRAM else ("",)
        names |= {item.prometheus_name + end for end in ends}
    return names


def named_in(expression: str) -> set[str]:
    """The metrics that an expression of PromQL names: words that are no function, keyword, label or unit."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|without)\s*\([^)]*\)', " ", expression)
    words = re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\()\b", bare)
    return {word for word in words if "_" in word or word == "up"} - {"avg_over_time", "histogram_quantile"}


def test_the_rules_that_are_committed_are_those_of_the_objectives() -> None:
    committed = (COMPONENTS / "prometheus" / "alerts.yaml").read_text(encoding="utf-8")
    assert PROMETHEUS.resource(PROMETHEUS.load()) == committed


@pytest.mark.parametrize("name", sorted(GRAFANA.DASHBOARDS))
def test_the_dashboards_that_are_committed_are_those_of_their_panels(name: str) -> None:
    assert GRAFANA.dashboard(name) == (COMPONENTS / "grafana" / f"{name}.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])
def test_every_alert_has_a_page_that_names_it(alert: dict[str, Any]) -> None:
    assert alert["alert"] in (ROOT / alert["annotations"]["runbook"]).read_text(encoding="utf-8")


def test_every_page_of_the_runbooks_is_an_alerts() -> None:
    pages = {str(page.relative_to(ROOT)) for page in (ROOT / "docs/operations/runbooks").glob("*.md")}
    assert {alert["annotations"]["runbook"] for alert in ALERTS} == pages


def test_every_metric_that_a_rule_or_a_dashboard_names_exists() -> None:
    expressions = [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    for name in GRAFANA.DASHBOARDS:
        document = json.loads(GRAFANA.dashboard(name))
        expressions += [target["expr"] for panel in document["panels"] for target in panel["targets"]]
    named = set().union(*(named_in(expression) for expression in expressions))
    assert {"rpc_server_call_duration_seconds_bucket", "casemesh_outbox_lag_seconds"} <= named
    assert set() == named - series() - RECORDED


@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"metric": "casemesh.nothing"}, "no metric"), ({"kind": "latency", "calls": "read"}, "no bound")],
)
def test_an_objective_on_what_is_not_measured_is_refused(changed: dict[str, str], reason: str) -> None:
    objectives = PROMETHEUS.load()
    lag = next(one for one in objectives["objective"] if one["kind"] == "lag")
    lag |= {"within_seconds": 0.7, **changed}
    with pytest.raises(ValueError, match=reason):
        PROMETHEUS.rules(objectives)


def test_every_instrument_stands_on_the_page_under_the_name_that_rules_use(monkeypatch: pytest.MonkeyPatch) -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    provider = MeterProvider([prometheus_reader(registry)], shutdown_on_exit=False)
    monkeypatch.setattr(instruments, "meter", lambda: provider.get_meter("test"))
    for item in INSTRUMENTS:
        if item.kind is Kind.GAUGE:
            instruments.gauge.__wrapped__(item.name).set(1)
        elif item.kind is Kind.COUNTER:
            instruments.counter(item.name).add(1)
        else:
            instruments.histogram(item.name).record(1)
    found = set(re.findall(r"^([a-z_:]+)(?:\{| )", generate_latest(registry).decode(), re.MULTILINE))
    provider.shutdown()
    assert set() == series() - {"up"} - found


def prometheus_reader(registry: Any) -> MetricReader:
    from opentelemetry.exporter.prometheus import PrometheusMetricReader

    return PrometheusMetricReader(scope_info_enabled=False, registry=registry)


def burning(share: str) -> dict[str, Any]:
    """Series of 100 changes a second for six hours, a share of which fails from the fourth hour on."""
    labels = 'casemesh_call_kind="change",job="casemesh/routing"'
    name = "rpc_server_call_duration_seconds_count"
    return {
        "interval": "1m",
        "input_series": [
            {"series": f'{name}{{rpc_response_status_code="OK",{labels}}}', "values": "0+6000x360"},
            {"series": f'{name}{{rpc_response_status_code="UNAVAILABLE",{labels}}}', "values": f"0x240 {share}x120"},
        ],
    }


def expecting(time: str, alert: str, fires: bool) -> dict[str, Any]:
    rule = next(rule for rule in ALERTS if rule["alert"] == alert)
    one = {"exp_labels": rule["labels"], "exp_annotations": rule["annotations"]}
    return {"eval_time": time, "alertname": alert, "exp_alerts": [one] if fires else []}


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not here; Debian's package `prometheus` has it"
)
def test_the_alerts_fire_when_the_budget_burns_and_not_before(tmp_path: Path) -> None:
    # Without the intervals of its groups promtool evaluates as seldom as it is told to.
    groups = [{key: value for key, value in group.items() if key != "interval"} for group in RULES["groups"]]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    lag = 'casemesh_outbox_lag_seconds{job="casemesh/dossier"}'
    certificate = 'casemesh_certificate_left_days{job="casemesh/dossier"}'
    tests = [
        {
            **burning("0+600"),
            "alert_rule_test": [
                expecting("230m", "ChangeAvailabilityBurning", False),
                expecting("300m", "ChangeAvailabilityBurning", True),
                expecting("300m", "ReadAvailabilityBurning", False),
            ],
        },
        # One in 500 burns twice as fast as planned: nobody is called.
        {**burning("0+12"), "alert_rule_test": [expecting("350m", "ChangeAvailabilityBurning", False)]},
        {
            "interval": "1m",
            "input_series": [{"series": lag, "values": "1x120 90x60"}],
            "alert_rule_test": [expecting("110m", "AuditBurning", False), expecting("150m", "AuditBurning", True)],
        },
        {
            "interval": "1m",
            "input_series": [{"series": lag, "values": "29x180"}],
            "alert_rule_test": [expecting("170m", "AuditBurning", False)],
        },
        {
            "interval": "1m",
            "input_series": [{"series": certificate, "values": "13x90 0.5x10"}],
            "alert_rule_test": [
                expecting("30m", "CertificateEnding", False),
                expecting("80m", "CertificateEnded", False),
                expecting("95m", "CertificateEnded", False) | {"exp_alerts": [
                    {
                        "exp_labels": {"severity": "page", "job": "casemesh/dossier"},
                        "exp_annotations": expecting("", "CertificateEnded", True)["exp_alerts"][0]["exp_annotations"],
                    }
                ]},
            ],
        },
    ]  # fmt: skip
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "5m", "tests": tests}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(document))
    ended = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "tests.yaml")], capture_output=True, text=True, check=False
    )
    assert 0 == ended.returncode, ended.stdout + ended.stderr
