"""The node catalogues in force: the nation's, and each province's as its overlay makes it.

They are held in memory and looked for anew every two seconds, on every replica; a submission asks nobody. An exchange
goes on under the version that it was checked under, whatever has come into force since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import date, datetime

import structlog

from casemesh.core.clock import Clock
from casemesh.data.catalogue import read_nodes, read_overlay
from casemesh.data.tables import ShippedDataError
from casemesh.errors import CaseMeshError
from casemesh.routing.case_store import CHINA
from casemesh.routing.node_catalogue_store import CatalogueVersion, NodeCatalogueStore
from casemesh.routing.nodes import NodeCatalogue
from casemesh.routing.v1 import exchange_pb2

log = structlog.get_logger(__name__)

LOOK_EVERY_SECONDS = 2.0


class NodeCatalogues:
    """All catalogues that may be asked for. What is asked for stays as it is; `national` alone is one object whose
    content changes, for who only looks."""

    def __init__(self, store: NodeCatalogueStore, clock: Clock, shipped: NodeCatalogue) -> None:
        self._store = store
        self._clock = clock
        self.shipped = shipped
        self._current = shipped
        self.national = shipped.renewed(shipped.nodes, version=shipped.version)
        self._provinces: dict[str, NodeCatalogue] = {}
        self._agencies: Mapping[str, str] = {}
        self._by_version: dict[str, NodeCatalogue] = {shipped.version: shipped}
        self._seen: object = None

    def of(self, agency: str) -> NodeCatalogue:
        """Return the catalogue that an agency uses: its province's, or the nation's where that has none."""
        return self.of_province(self._agencies.get(agency, ""))

    def of_exchange(self, exchange: exchange_pb2.Exchange) -> NodeCatalogue:
        """Return the catalogue that an exchange was checked under; what its sender uses now where that is not known."""
        return self._by_version.get(exchange.catalogue_version) or self.of(exchange.sender)

    def of_province(self, province: str) -> NodeCatalogue:
        """Return the catalogue of a province, the nation's where it has none."""
        return self._provinces.get(province, self._current)

    async def refresh(self) -> None:
        """Take up what came into force since.

        Raises Unavailable. An overlay that does not fit is left out, and logged: its province uses the nation's.
        """
        today = self._clock.now().astimezone(CHINA).date()
        seen = (await self._store.stamp(), today)
        if seen == self._seen:
            return
        versions = await self._store.activated()
        self._agencies = await self._store.provinces()
        for version in versions:
            if not version.province and version.version not in self._by_version:
                nodes = read_nodes(version.version, version.content)
                self._by_version[version.version] = self.shipped.renewed(nodes, version=version.version)
        chosen = in_force(versions, today)
        national = chosen.pop("", None)
        base = self._by_version[national.version] if national is not None else self.shipped
        provinces = {}
        for province, version in chosen.items():
            try:
                provinces[province] = overlaid(base, version)
            except ShippedDataError as error:
                log.error("node_overlay.left_out", province=province, version=version.version, problem=str(error))
        self._by_version |= {catalogue.version: catalogue for catalogue in provinces.values()}
        self._provinces = provinces
        self._current = base
        self.national.become(base)
        self._seen = seen

    async def run(self) -> None:
        """Refresh until cancelled. A database that does not answer is asked again."""
        while True:
            try:
                await self.refresh()
            except CaseMeshError as error:
                log.warning("node_catalogues.waiting", reason=error.reason)
            await asyncio.sleep(LOOK_EVERY_SECONDS)


def in_force(versions: Iterable[CatalogueVersion], day: date) -> dict[str, CatalogueVersion]:
    """Return for each province, and for the nation under "", the activated version that holds on a day: of those whose
    date has come the latest, of several of one date the one activated last."""
    chosen: dict[str, CatalogueVersion] = {}
    for version in sorted(versions, key=_order):
        if version.activate_time is not None and version.effective_from <= day:
            chosen[version.province] = version
    return chosen


def overlaid(base: NodeCatalogue, overlay: CatalogueVersion) -> NodeCatalogue:
    """Return a catalogue as a province has it. Raises ShippedDataError where the overlay does not fit."""
    nodes, external = read_overlay(overlay.version, overlay.content, base.nodes)
    return base.renewed(
        nodes, version=f"{base.version}+{overlay.version}", province=overlay.province, external_codes=external
    )


def _order(version: CatalogueVersion) -> tuple[date, datetime]:
    return version.effective_from, version.activate_time or version.import_time
