"""The RPCs that change the node catalogue, and those of single tracks: decode, call, encode."""

from __future__ import annotations

from typing import Any

from casemesh.core.ids import is_uuid
from casemesh.core.names import SINGLE_TRACK
from casemesh.routing.node_administration import NodeAdministration
from casemesh.routing.node_catalogue_messages import version_message
from casemesh.routing.node_catalogue_store import NodeCatalogueStore
from casemesh.routing.node_catalogues import NodeCatalogues
from casemesh.routing.single_track_store import SingleTrackStore
from casemesh.routing.single_tracks import SingleTracks
from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as admin_pb2
from casemesh.routing.v1 import single_track_service_pb2 as track_pb2
from casemesh.routing.v1.collaboration_node_admin_service_pb2_grpc import CollaborationNodeAdminServiceServicer
from casemesh.routing.v1.single_track_service_pb2_grpc import SingleTrackServiceServicer
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import decode_token, encode_token, invalid_token, page_size_of


class NodeAdminServicer(CollaborationNodeAdminServiceServicer):
    """Versions of the catalogue."""

    def __init__(
        self, administration: NodeAdministration, store: NodeCatalogueStore, catalogues: NodeCatalogues
    ) -> None:
        self._administration = administration
        self._store = store
        self._catalogues = catalogues

    async def ImportNodeCatalogue(
        self, request: admin_pb2.ImportNodeCatalogueRequest, context: Any
    ) -> admin_pb2.ImportNodeCatalogueResponse:
        return await self._administration.load(current_call(), request)

    async def CompareNodeCatalogue(
        self, request: admin_pb2.CompareNodeCatalogueRequest, context: Any
    ) -> admin_pb2.CompareNodeCatalogueResponse:
        return await self._administration.compare(request)

    async def ActivateNodeCatalogue(
        self, request: admin_pb2.ActivateNodeCatalogueRequest, context: Any
    ) -> admin_pb2.ActivateNodeCatalogueResponse:
        return await self._administration.activate(current_call(), request)

    async def ListNodeCatalogues(
        self, request: admin_pb2.ListNodeCataloguesRequest, context: Any
    ) -> admin_pb2.ListNodeCataloguesResponse:
        size = page_size_of(request.page_size)
        found = await self._store.list(after=_id_in(request.page_token), limit=size + 1)
        response = admin_pb2.ListNodeCataloguesResponse(
            versions=[version_message(version) for version in found[:size]],
            shipped_version=self._catalogues.shipped.version,
        )
        if len(found) > size:
            response.next_page_token = encode_token(found[size - 1].version)
        return response

    async def SetAgencyProvince(
        self, request: admin_pb2.SetAgencyProvinceRequest, context: Any
    ) -> admin_pb2.SetAgencyProvinceResponse:
        return await self._administration.place(current_call(), request)


class SingleTrackServicer(SingleTrackServiceServicer):
    """Agreements to do without paper."""

    def __init__(self, tracks: SingleTracks, store: SingleTrackStore) -> None:
        self._tracks = tracks
        self._store = store

    async def ProposeSingleTrack(
        self, request: track_pb2.ProposeSingleTrackRequest, context: Any
    ) -> track_pb2.ProposeSingleTrackResponse:
        return await self._tracks.propose(current_call(), request)

    async def AgreeSingleTrack(
        self, request: track_pb2.AgreeSingleTrackRequest, context: Any
    ) -> track_pb2.AgreeSingleTrackResponse:
        return await self._tracks.agree(current_call(), request)

    async def EndSingleTrack(
        self, request: track_pb2.EndSingleTrackRequest, context: Any
    ) -> track_pb2.EndSingleTrackResponse:
        return await self._tracks.end(current_call(), request)

    async def ListSingleTracks(
        self, request: track_pb2.ListSingleTracksRequest, context: Any
    ) -> track_pb2.ListSingleTracksResponse:
        size = page_size_of(request.page_size)
        agency = current_call().require_caller().agency
        found = await self._store.list_of_agency(agency, after=_id_in(request.page_token), limit=size + 1)
        response = track_pb2.ListSingleTracksResponse(single_tracks=found[:size])
        if len(found) > size:
            response.next_page_token = encode_token(SINGLE_TRACK.parse(found[size - 1].name)["single_track"])
        return response


def _id_in(page_token: str) -> str:
    after = decode_token(page_token)
    if after and not is_uuid(after):
        raise invalid_token()
    return after
