"""Makes `alerts.yaml` from `objectives.toml`: recording rules, burn-rate alerts over several windows, and the rest.

`python k8s/components/prometheus/generate.py` writes it; a test holds the two together. An objective of target t over
30 days may be missed for a share of 1 - t. Burning that budget 14.4 times as fast as planned for an hour takes 2 % of
it, 6 times for six hours 5 %: somebody is called. 3 times for a day, or once for three days, 10 %: a ticket. Each long
window comes with a short one of a twelfth, so that an alert ends soon after its cause.

Source: Beyer et al., The Site Reliability Workbook (2018), chapter 5, on multi-window, multi-burn-rate alerts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from casemesh.runtime.instruments import CALL_SECONDS, INSTRUMENTS

HERE = Path(__file__).parent
_BURNS = {"page": ((14.4, "1h", "5m"), (6.0, "6h", "30m")), "ticket": ((3.0, "1d", "2h"), (1.0, "3d", "6h"))}
_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
_COUNT = "rpc_server_call_duration_seconds_count"
_BUCKET = "rpc_server_call_duration_seconds_bucket"


def rules(objectives: Mapping[str, Any]) -> dict[str, Any]:
    """Return the groups of rules. Raises ValueError where an objective names a bound or a metric there is not."""
    groups = [_recording(objective) for objective in objectives["objective"]]
    burning = [rule for objective in objectives["objective"] for rule in _burning(objective)]
    others = [
        _alert(one["name"], one["expression"], one["severity"], one["says"], one["for"])
        for one in objectives["alert"]
    ]  # fmt: skip
    return {
        "groups": [*groups, {"name": "casemesh-burn-rates", "rules": burning}, {"name": "casemesh", "rules": others}]
    }


def resource(objectives: Mapping[str, Any]) -> str:
    """Return the rules as the Kubernetes resource that Prometheus's operator reads."""
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "casemesh", "labels": {"app.kubernetes.io/part-of": "casemesh"}},
        "spec": rules(objectives),
    }
    head = "# Made from objectives.toml by generate.py; change that, not this.\n"
    return head + yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)


def load() -> dict[str, Any]:
    """Return the objectives."""
    return tomllib.loads((HERE / "objectives.toml").read_text(encoding="utf-8"))


def _recording(objective: Mapping[str, Any]) -> dict[str, Any]:
    shares = [{"record": _recorded(objective, window), "expr": _bad_share(objective, window)} for window in _WINDOWS]
    # Whether it is late now, kept from minute to minute: a subquery over three days would be asked at each evaluation.
    late = [{"record": _late(objective), "expr": _is_late(objective)}] if objective["kind"] == "lag" else []
    return {"name": f"casemesh-{objective['name']}", "interval": "1m", "rules": [*late, *shares]}


def _late(objective: Mapping[str, Any]) -> str:
    return f"casemesh:{objective['name'].replace('-', '_')}:late"


def _is_late(objective: Mapping[str, Any]) -> str:
    names = {item.name: item.prometheus_name for item in INSTRUMENTS}
    if objective["metric"] not in names:
        raise ValueError(f"{objective['name']}: there is no metric {objective['metric']}")
    return f"max({names[objective['metric']]}) > bool {objective['within_seconds']}"


def _recorded(objective: Mapping[str, Any], window: str) -> str:
    return f"casemesh:{objective['name'].replace('-', '_')}:bad_share_{window}"


def _bad_share(objective: Mapping[str, Any], window: str) -> str:
    kind = objective["kind"]
    if kind == "lag":
        return f"avg_over_time({_late(objective)}[{window}])"
    selected = f'casemesh_call_kind="{objective["calls"]}"'
    all_calls = f"sum(rate({_COUNT}{{{selected}}}[{window}]))"
    if kind == "calls":
        bad = "|".join(objective["bad_codes"])
        failed = f'sum(rate({_COUNT}{{{selected},rpc_response_status_code=~"{bad}"}}[{window}]))'
        # Without a failure there is no such series, and that is none, not nothing known.
        return f"({failed} or 0 * {all_calls}) / {all_calls}"
    if objective["within_seconds"] not in CALL_SECONDS:
        raise ValueError(f"{objective['name']}: the histogram has no bound at {objective['within_seconds']} s")
    within = f'sum(rate({_BUCKET}{{{selected},le="{float(objective["within_seconds"])}"}}[{window}]))'
    return f"1 - {within} / {all_calls}"


def _burning(objective: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    name = "".join(part.capitalize() for part in objective["name"].split("-"))
    budget = 1 - objective["target"]
    for severity, burns in _BURNS.items():
        expression = " or ".join(
            f"({_recorded(objective, long)} > {factor * budget:.6g} and {_recorded(objective, short)} > "
            f"{factor * budget:.6g})"
            for factor, long, short in burns
        )
        speed = "Burning" if severity == "page" else "Smouldering"
        yield _alert(f"{name}{speed}", expression, severity, f"Not held: {objective['says']}", "2m", objective["name"])


def _alert(name: str, expression: str, severity: str, says: str, wait: str, page: str = "") -> dict[str, Any]:
    page = page or re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
    return {
        "alert": name,
        "expr": expression,
        "for": wait,
        "labels": {"severity": severity},
        "annotations": {"summary": says, "runbook": f"docs/operations/runbooks/{page}.md"},
    }


if __name__ == "__main__":
    (HERE / "alerts.yaml").write_text(resource(load()), encoding="utf-8")
