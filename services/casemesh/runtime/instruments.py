"""Every metric of the platform, as one table: what is not in it cannot be recorded.

`docs/operations/metrics.md` shows it, and a test holds the two together. Names and units follow OpenTelemetry; to
Prometheus `casemesh.outbox.lag` in seconds is `casemesh_outbox_lag_seconds`. Attributes are names of methods and codes:
never a case, an agency, a person or anything else without bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from opentelemetry import metrics

from casemesh.runtime.telemetry import meter

CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bounds of the histogram of calls; an objective on latency must stand at one of them."""
_UNIT_NAMES = {"s": "seconds", "By": "bytes", "d": "days"}


class Kind(StrEnum):
    """What a metric counts like."""

    HISTOGRAM = "histogram"
    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True)
class Instrument:
    """One metric; `unit` is UCUM, with what is counted in braces."""

    name: str
    kind: Kind
    unit: str
    attributes: tuple[str, ...]
    meaning: str

    @property
    def prometheus_name(self) -> str:
        """The name on the Prometheus page; a histogram's series add `_bucket`, `_sum` and `_count`."""
        parts = [self.name.replace(".", "_")]
        if self.unit in _UNIT_NAMES:
            parts.append(_UNIT_NAMES[self.unit])
        if self.kind is Kind.COUNTER:
            parts.append("total")
        return "_".join(parts)


INSTRUMENTS: Sequence[Instrument] = (
    Instrument(
        "rpc.server.call.duration",
        Kind.HISTOGRAM,
        "s",
        ("rpc.method", "rpc.response.status_code", "casemesh.call.kind"),
        "How long each call took, refused ones too: rate, errors and duration of every RPC. A stream counts at its "
        "end. Exemplars name the traces that were kept.",
    ),
    Instrument("casemesh.dossier.received", Kind.COUNTER, "By", (), "Bytes of documents that were made durable."),
    Instrument("casemesh.dossier.sent", Kind.COUNTER, "By", (), "Bytes of documents put on streams to readers."),
    Instrument(
        "casemesh.dossier.stall",
        Kind.COUNTER,
        "s",
        (),
        "How long uploads waited because the store was behind: the window was shut.",
    ),
    Instrument(
        "casemesh.delivery.waiting", Kind.GAUGE, "{delivery}", (), "Deliveries released and not yet acknowledged."
    ),
    Instrument(
        "casemesh.delivery.lag",
        Kind.GAUGE,
        "s",
        (),
        "Age of the oldest delivery that is released, not set aside and not acknowledged: its recipient is away.",
    ),
    Instrument(
        "casemesh.delivery.release.lag",
        Kind.GAUGE,
        "s",
        (),
        "Age of the oldest delivery that is committed and not yet released: the platform is behind.",
    ),
    Instrument("casemesh.outbox.waiting", Kind.GAUGE, "{event}", (), "Events of a service that the log has not yet."),
    Instrument("casemesh.outbox.lag", Kind.GAUGE, "s", (), "Age of the oldest of them."),
    Instrument("casemesh.warnings.open", Kind.GAUGE, "{warning}", (), "Warnings that are not yet dealt with."),
    Instrument(
        "casemesh.warnings.escalated",
        Kind.GAUGE,
        "{warning}",
        (),
        "Those among them that nobody took up in time and that stand before supervisors.",
    ),
    Instrument("casemesh.log.size", Kind.GAUGE, "{entry}", (), "Entries of the audit log."),
    Instrument(
        "casemesh.log.checkpoint.age",
        Kind.GAUGE,
        "s",
        (),
        "Time since the newest checkpoint was signed. It grows while nothing happens; with a waiting outbox it tells.",
    ),
    Instrument(
        "casemesh.log.uncosigned.age",
        Kind.GAUGE,
        "s",
        (),
        "Age of the oldest entry that no checkpoint with enough log witnesses covers; zero where none are asked for.",
    ),
    Instrument(
        "casemesh.log.quorum.lacking", Kind.GAUGE, "1", (), "1 when that is longer than the log's policy allows."
    ),
    Instrument(
        "casemesh.supervision.waiting", Kind.GAUGE, "{case}", (), "Cases that changed and wait for supervision's rules."
    ),
    Instrument("casemesh.supervision.lag", Kind.GAUGE, "s", (), "Since when the first of them waits."),
    Instrument(
        "casemesh.supervision.behind",
        Kind.GAUGE,
        "{entry}",
        (),
        "Entries of the log that supervision has not followed yet.",
    ),
    Instrument(
        "casemesh.certificate.left",
        Kind.GAUGE,
        "d",
        (),
        "Days until the process's certificate ends; below 0: over.",
    ),
)
_BY_NAME = {instrument.name: instrument for instrument in INSTRUMENTS}


def histogram(name: str) -> metrics.Histogram:
    """Return a histogram of the table. Raises KeyError."""
    found = _BY_NAME[name]
    return meter().create_histogram(
        name, unit=found.unit, description=found.meaning, explicit_bucket_boundaries_advisory=CALL_SECONDS
    )


def counter(name: str) -> metrics.Counter:
    """Return a counter of the table. Raises KeyError."""
    return meter().create_counter(name, unit=_BY_NAME[name].unit, description=_BY_NAME[name].meaning)


@lru_cache
def gauge(name: str) -> metrics._Gauge:
    """Return a gauge of the table. Raises KeyError."""
    return meter().create_gauge(name, unit=_BY_NAME[name].unit, description=_BY_NAME[name].meaning)
