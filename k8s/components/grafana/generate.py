"""Makes the dashboards: one for who is on call, one for who runs the machines.

`python k8s/components/grafana/generate.py` writes them; a test holds them to it, and every metric they name to the
table of instruments.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_CALLS = "rpc_server_call_duration_seconds"


@dataclass(frozen=True)
class Panel:
    """One diagram: its title, Grafana's unit, and the queries with the names of their lines."""

    title: str
    unit: str
    queries: Sequence[tuple[str, str]]


SERVICE_LEVELS = (
    Panel(
        "Calls a second by kind 每秒调用",
        "reqps",
        [(f"sum by (casemesh_call_kind) (rate({_CALLS}_count[5m]))", "{{casemesh_call_kind}}")],
    ),
    Panel(
        "Calls a second that failed, by code 每秒失败",
        "reqps",
        [
            (
                f'sum by (rpc_response_status_code) (rate({_CALLS}_count{{rpc_response_status_code!="OK"}}[5m]))',
                "{{rpc_response_status_code}}",
            )
        ],
    ),
    Panel(
        "Time of reads and changes, 50th, 95th and 99th percentile 调用耗时",
        "s",
        [
            (
                f"histogram_quantile({quantile}, sum by (le, casemesh_call_kind) "
                f'(rate({_CALLS}_bucket{{casemesh_call_kind!="stream"}}[5m])))',
                f"{{{{casemesh_call_kind}}}} p{round(quantile * 100)}",
            )
            for quantile in (0.5, 0.95, 0.99)
        ],
    ),
    Panel(
        "Slowest methods, 99th percentile 最慢的方法",
        "s",
        [
            (
                f"topk(10, histogram_quantile(0.99, sum by (le, rpc_method) "
                f'(rate({_CALLS}_bucket{{casemesh_call_kind!="stream"}}[15m]))))',
                "{{rpc_method}}",
            )
        ],
    ),
    Panel(
        "Share of the budget burnt in an hour: 1 is as planned 误差预算消耗",
        "none",
        [
            ("casemesh:read_availability:bad_share_1h / 0.001", "reads"),
            ("casemesh:change_availability:bad_share_1h / 0.001", "changes"),
            ("casemesh:stream_availability:bad_share_1h / 0.005", "streams"),
            ("casemesh:delivery:bad_share_1h / 0.001", "delivery"),
            ("casemesh:audit:bad_share_1h / 0.001", "audit"),
        ],
    ),
)
OPERATIONS = (
    Panel(
        "Bytes of documents a second 卷宗流量",
        "Bps",
        [
            ("sum(rate(casemesh_dossier_received_bytes_total[5m]))", "received"),
            ("sum(rate(casemesh_dossier_sent_bytes_total[5m]))", "sent"),
        ],
    ),
    Panel(
        "Uploads waiting on the store at a time 等待存储的上传",
        "none",
        [("sum(rate(casemesh_dossier_stall_seconds_total[5m]))", "uploads")],
    ),
    Panel(
        "Deliveries waiting 待投递",
        "none",
        [("max(casemesh_delivery_waiting)", "released, not acknowledged")],
    ),
    Panel(
        "Oldest delivery 最早的待投递",
        "s",
        [
            ("max(casemesh_delivery_lag_seconds)", "for its recipient"),
            ("max(casemesh_delivery_release_lag_seconds)", "for the platform"),
        ],
    ),
    Panel(
        "Oldest event that the log has not 事件滞后",
        "s",
        [("max by (job) (casemesh_outbox_lag_seconds)", "{{job}}")],
    ),
    Panel("Entries of the log a second 审计日志增长", "none", [("max(deriv(casemesh_log_size[15m]))", "entries")]),
    Panel("Age of the newest checkpoint 检查点", "s", [("max(casemesh_log_checkpoint_age_seconds)", "checkpoint")]),
    Panel(
        "Warnings 预警",
        "none",
        [("max(casemesh_warnings_open)", "not dealt with"), ("max(casemesh_warnings_escalated)", "escalated")],
    ),
    Panel(
        "Days left of certificates 证书剩余天数", "d", [("min by (job) (casemesh_certificate_left_days)", "{{job}}")]
    ),
)
DASHBOARDS = {
    "service-levels": ("CaseMesh service levels 服务水平", SERVICE_LEVELS),
    "operations": ("CaseMesh operations 运行", OPERATIONS),
}


def dashboard(name: str) -> str:
    """Return a dashboard as Grafana's JSON, two diagrams a row; its data source is a variable."""
    title, panels = DASHBOARDS[name]
    source = {"type": "prometheus", "uid": "${source}"}
    document: dict[str, Any] = {
        "uid": f"casemesh-{name}",
        "title": title,
        "tags": ["casemesh"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "source", "type": "datasource", "query": "prometheus"}]},
        "panels": [
            {
                "id": number + 1,
                "title": panel.title,
                "type": "timeseries",
                "datasource": source,
                "gridPos": {"x": 12 * (number % 2), "y": 9 * (number // 2), "w": 12, "h": 9},
                "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
                "targets": [
                    {
                        "refId": chr(ord("A") + place),
                        "datasource": source,
                        "expr": expression,
                        "legendFormat": legend,
                        "exemplar": f"{_CALLS}_bucket" in expression,
                    }
                    for place, (expression, legend) in enumerate(panel.queries)
                ],
            }
            for number, panel in enumerate(panels)
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in DASHBOARDS:
        (HERE / f"{each}.json").write_text(dashboard(each), encoding="utf-8")
