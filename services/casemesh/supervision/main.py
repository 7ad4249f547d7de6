"""The supervision service, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import cast

from casemesh.audit.v1.audit_feed_service_pb2_grpc import AuditFeedServiceStub
from casemesh.identity.v1.access_service_pb2_grpc import AccessServiceStub
from casemesh.routing.v1.case_facts_service_pb2_grpc import CaseFactsServiceStub
from casemesh.runtime.access import RemoteDecider
from casemesh.runtime.host import Assembly, Host
from casemesh.supervision.config import Config
from casemesh.supervision.escalating import Escalating
from casemesh.supervision.evaluating import Evaluating
from casemesh.supervision.figures.figure_store import FigureStore
from casemesh.supervision.figures.listing import Figures
from casemesh.supervision.following import Following
from casemesh.supervision.handling import Handling
from casemesh.supervision.lag_gauges import lag_gauges
from casemesh.supervision.policy import FIGURES, POLICIES, RULES, WARNINGS
from casemesh.supervision.rule_books import RuleBooks
from casemesh.supervision.servicer import WarningServicer
from casemesh.supervision.servicer_figures import FiguresServicer
from casemesh.supervision.servicer_rules import RuleServicer
from casemesh.supervision.trying import Trying
from casemesh.supervision.v1.figures_service_pb2_grpc import add_FiguresServiceServicer_to_server
from casemesh.supervision.v1.supervision_admin_service_pb2_grpc import add_SupervisionAdminServiceServicer_to_server
from casemesh.supervision.v1.supervision_service_pb2_grpc import add_SupervisionServiceServicer_to_server
from casemesh.supervision.visibility import Visibility
from casemesh.supervision.warning_gauges import warning_gauges
from casemesh.supervision.warning_store import WarningStore
from casemesh.supervision.watch_store import WatchStore
from casemesh.supervision.watching import Changes, Watching


async def assemble(host: Host) -> Assembly:
    """Build the service. It has no key: what it says can be followed from the log."""
    config = cast(Config, host.config)
    database, clock, outbox = host.database, host.clock, host.outbox
    access = AccessServiceStub(host.channel_to("identity"))
    changes, due = Changes(), asyncio.Event()

    def committed() -> None:
        outbox.wake()
        changes.announce()

    warnings, watched = WarningStore(database), WatchStore(database)
    visibility = Visibility(access, RemoteDecider(access))
    settle = timedelta(seconds=config.settle)
    books = RuleBooks(database, clock, outbox.wake, due)
    await books.refresh()
    following = Following(database, clock, watched, AuditFeedServiceStub(host.channel_to("audit")), due, settle)
    evaluating = Evaluating(
        database,
        clock,
        watched,
        CaseFactsServiceStub(host.channel_to("routing")),
        books,
        due,
        committed,
        escalate_after=timedelta(seconds=config.escalate_after),
        settle=settle,
        at_once=config.evaluations_at_once,
    )
    servicer = WarningServicer(
        clock,
        warnings,
        watched,
        visibility,
        Watching(clock, warnings, visibility, changes),
        Handling(database, clock, warnings, visibility, committed),
    )
    rules = RuleServicer(books, Trying(clock, watched, books))
    figures = FiguresServicer(Figures(FigureStore(database), visibility))

    async def gauges() -> Mapping[str, float]:
        return {**await lag_gauges(watched, clock), **await warning_gauges(database)}

    return Assembly(
        register=[
            partial(add_SupervisionServiceServicer_to_server, servicer),
            partial(add_SupervisionAdminServiceServicer_to_server, rules),
            partial(add_FiguresServiceServicer_to_server, figures),
        ],
        service_names=[WARNINGS, RULES, FIGURES],
        policies=POLICIES,
        locators={"warning": warnings.case_of},
        background=[
            outbox.run,
            following.run,
            evaluating.run,
            Escalating(database, clock, committed).run,
            books.run,
        ],
        gauges=gauges,
    )
