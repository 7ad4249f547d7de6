"""Reads what every service states of itself, each over its own connection, and holds it against the log.

The operator's program alone sees all databases, as it does when it migrates them; no service sees another's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

from casemesh.audit.reconciling import comparing
from casemesh.audit.reconciling.findings import MARGIN, Finding, Window
from casemesh.audit.reconciling.numbering import read_numbering
from casemesh.audit.reconciling.told import Log, id_at, read_log, read_outbox
from casemesh.dossier import logged_facts as of_dossier
from casemesh.identity import logged_facts as of_identity
from casemesh.routing import logged_facts as of_routing
from casemesh.routing.config import Config as RoutingConfig
from casemesh.runtime.config import ConfigError, Duration, load
from casemesh.runtime.host import HostConfig
from casemesh.runtime.logged_facts import FactKind, read_facts
from casemesh.runtime.postgres import Database, Row
from casemesh.translation import logged_facts as of_translation

FACTS: Mapping[str, Sequence[FactKind]] = {
    "identity": of_identity.FACTS,
    "translation": of_translation.FACTS,
    "dossier": of_dossier.FACTS,
    "routing": of_routing.FACTS,
    "audit": (),
    "supervision": (),
}
_MAY_BE_ABSENT = frozenset({"supervision"})
"""A platform works without it; its file may then be missing."""
_STATEMENT_SECONDS = 3600.0


@dataclass(frozen=True)
class Reconciled:
    """What was held against what, and what did not fit."""

    window: Window
    facts: int
    events: int
    open_exchanges: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Databases:
    """Each service's own database, and after how long routing tells a sender that nothing arrived."""

    of: Mapping[str, Database]
    undelivered_after: timedelta


@asynccontextmanager
async def opened(configs: Path) -> AsyncIterator[Databases]:
    """Open every service's database as `<service>.toml` in the folder says. Raises ConfigError, Unavailable."""
    async with AsyncExitStack() as stack:
        databases, after = {}, timedelta()
        for service in FACTS:
            file = configs / f"{service}.toml"
            if service in _MAY_BE_ABSENT and not file.exists():
                continue
            config = load(file, import_module(f"casemesh.{service}.config").Config)
            if not isinstance(config, HostConfig):
                raise ConfigError(f"{service}.toml is no service's configuration")
            if isinstance(config, RoutingConfig):
                after = timedelta(seconds=config.undelivered_after)
            settings = replace(config.database, pool_size=2, statement_timeout=Duration(_STATEMENT_SECONDS))
            database = Database.from_config(settings)
            await database.open()
            stack.push_async_callback(database.close)
            databases[service] = database
        yield Databases(databases, after)


async def reconcile(databases: Databases, window: Window, now: datetime) -> Reconciled:
    """Hold every service's word against the log's and the others'; changes nothing.

    What happens meanwhile may look like a discrepancy unless the window ended ten minutes ago. Raises Unavailable.
    """
    wide, by_service = window.wide, databases.of
    log = await read_log(by_service["audit"], wide)
    findings: list[Finding] = []
    count = 0
    for service in by_service:
        kinds = FACTS[service]
        facts = await read_facts(by_service[service], kinds, wide.start, wide.end, wide.case)
        count += sum(window.holds(fact.at) for fact in facts)
        findings += comparing.facts_told(service, kinds, facts, log, window)
        kept = await read_outbox(by_service[service], service, wide)
        findings += comparing.outbox_kept(service, kept, log, window)
        numbering = await read_numbering(by_service[service])
        findings += comparing.numbers_given(service, numbering.last, numbering.missing)
        findings += comparing.outbox_waiting(service, numbering.waiting, numbering.oldest, now)
    findings += await _of_reading(by_service["identity"], log, window)
    findings += await _of_handing_on(by_service, window)
    exchanges = await _open_exchanges(databases, window, now)
    findings += comparing.exchanges_end(exchanges)
    events = sum(window.holds(told.at) for told in log.events.values()) + len(log.shredded)
    return Reconciled(window, count, events, len(exchanges), tuple(findings))


async def _of_reading(identity: Database, log: Log, window: Window) -> list[Finding]:
    readings = [comparing.Reading(*row.values()) for row in await _rows(identity, of_identity.READINGS, window.wide)]
    return [*comparing.readings_told(readings, log, window), *comparing.bytes_told(readings, log, window)]


async def _of_handing_on(by_service: Mapping[str, Database], window: Window) -> list[Finding]:
    wide = window.wide
    handed_on = await _rows(by_service["routing"], of_routing.HANDED_ON, wide)
    granted = await _rows(by_service["dossier"], of_dossier.GRANTED, wide)
    brought_in = await _rows(by_service["routing"], of_routing.BROUGHT_IN, wide)
    taking_part = await by_service["identity"].fetch(of_identity.TAKING_PART, wide.case)
    return [
        *comparing.handovers_match(
            [comparing.Handover(*row.values()) for row in handed_on],
            [comparing.Handover(*row.values()) for row in granted],
            window,
        ),
        *comparing.participations_stand(
            [(row["case_name"], row["agency"], row["at"]) for row in brought_in],
            [(row["case_name"], row["agency"]) for row in taking_part],
            window,
        ),
    ]


async def _open_exchanges(databases: Databases, window: Window, now: datetime) -> list[comparing.OpenExchange]:
    silent_since = now - databases.undelivered_after - MARGIN
    rows = await databases.of["routing"].fetch(
        of_routing.WITHOUT_END, window.start, window.end, window.case, now - MARGIN, silent_since, id_at(silent_since)
    )
    return [
        comparing.OpenExchange(
            row["case_name"], row["resource"], row["state"], row["at"], row["overdue"], row["silent"]
        )
        for row in rows
    ]


async def _rows(database: Database, sql: str, window: Window) -> Sequence[Row]:
    return await database.fetch(sql, window.start, window.end, window.case)
