"""What agencies and collaboration nodes are called: read from the platform, kept for ten minutes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from casemesh.cli.messages import Language
from casemesh.client.paging import paged
from casemesh.client.session import Session
from casemesh.errors import CaseMeshError
from casemesh.identity.v1 import directory_service_pb2
from casemesh.routing.v1 import collaboration_node_pb2, collaboration_node_service_pb2

_KEPT_SECONDS = 600.0
_PAGE = 1000


@dataclass(frozen=True)
class Names:
    """Names by resource name."""

    agencies: Mapping[str, str]
    nodes: Mapping[str, collaboration_node_pb2.CollaborationNode]

    def agency(self, name: str) -> str:
        """Return what an agency is called, or its id where that is not known."""
        return self.agencies.get(name) or name.removeprefix("agencies/")

    def node(self, name: str, language: Language) -> str:
        """Return what a node is called, or its code where that is not known."""
        found = self.nodes.get(name)
        if found is None:
            return name.removeprefix("nodes/")
        return (found.title_zh if language is Language.CHINESE else found.title_en) or found.title_zh


class NameSource:
    """Fetches the names when they are first needed, and again when they are old.

    A platform that does not answer leaves the old names, or none: pages then show ids.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._fetching = asyncio.Lock()
        self._names = Names({}, {})
        self._fetched = float("-inf")

    async def current(self) -> Names:
        """Return the names."""
        async with self._fetching:
            if time.monotonic() - self._fetched > _KEPT_SECONDS:
                try:
                    self._names = await self._fetch()
                except CaseMeshError:
                    return self._names
                self._fetched = time.monotonic()
            return self._names

    async def _fetch(self) -> Names:
        agencies = directory_service_pb2.ListAgenciesRequest(page_size=_PAGE)
        nodes = collaboration_node_service_pb2.ListNodesRequest(page_size=_PAGE)
        return Names(
            {
                one.name: one.display_name
                async for one in paged(self._session.directory.ListAgencies, agencies, "agencies")
            },
            {one.name: one async for one in paged(self._session.nodes.ListNodes, nodes, "nodes")},
        )
