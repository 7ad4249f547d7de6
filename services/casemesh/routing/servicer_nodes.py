"""The RPCs of the node catalogue: decode, look up, encode."""

from __future__ import annotations

from itertools import islice
from typing import Any

from casemesh.core.names import NODE
from casemesh.routing.node_catalogues import NodeCatalogues
from casemesh.routing.node_messages import node_message, schema_message
from casemesh.routing.nodes import NodeCatalogue
from casemesh.routing.v1 import collaboration_node_service_pb2 as pb2
from casemesh.routing.v1.collaboration_node_service_pb2_grpc import CollaborationNodeServiceServicer
from casemesh.runtime.call import current_call
from casemesh.runtime.paging import decode_token, encode_token, page_size_of


class NodeServicer(CollaborationNodeServiceServicer):
    """The catalogue of collaboration nodes, as the caller's province has it."""

    def __init__(self, catalogues: NodeCatalogues) -> None:
        self._catalogues = catalogues

    async def GetNode(self, request: pb2.GetNodeRequest, context: Any) -> pb2.GetNodeResponse:
        catalogue = self._catalogue()
        node = catalogue.get(request.name)
        return pb2.GetNodeResponse(node=node_message(catalogue, node))

    async def ListNodes(self, request: pb2.ListNodesRequest, context: Any) -> pb2.ListNodesResponse:
        size = page_size_of(request.page_size)
        catalogue = self._catalogue()
        selected = catalogue.select(
            stage=request.stage,
            from_organ=request.from_organ,
            to_organ=request.to_organ,
            after=decode_token(request.page_token),
            external_code=request.external_code,
        )
        found = list(islice(selected, size + 1))
        response = pb2.ListNodesResponse(nodes=[node_message(catalogue, node) for node in found[:size]])
        if len(found) > size:
            response.next_page_token = encode_token(NODE.parse(response.nodes[-1].name)["node"])
        return response

    async def GetNodeSchema(self, request: pb2.GetNodeSchemaRequest, context: Any) -> pb2.GetNodeSchemaResponse:
        catalogue = self._catalogue()
        schema = catalogue.schema(catalogue.get(request.node))
        return pb2.GetNodeSchemaResponse(schema=schema_message(schema))

    async def GetNodeChain(self, request: pb2.GetNodeChainRequest, context: Any) -> pb2.GetNodeChainResponse:
        catalogue = self._catalogue()
        chain = catalogue.chain(catalogue.get(request.node))
        return pb2.GetNodeChainResponse(nodes=[node_message(catalogue, node) for node in chain])

    def _catalogue(self) -> NodeCatalogue:
        return self._catalogues.of(current_call().require_caller().agency)
