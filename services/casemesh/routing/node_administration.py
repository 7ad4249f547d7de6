"""Changing the node catalogue: import, look at the difference, activate."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date

from google.type import date_pb2

from casemesh.core.clock import Clock
from casemesh.core.ids import is_uuid, new_id
from casemesh.core.names import NODE
from casemesh.data.catalogue import CollaborationNode, cells_of, read_nodes, read_overlay
from casemesh.data.tables import ShippedDataError
from casemesh.errors import FailedPrecondition, FieldViolation, InvalidArgument, PermissionDenied, not_found
from casemesh.routing.node_catalogue_messages import version_message
from casemesh.routing.node_catalogue_store import (
    CatalogueVersion,
    NodeCatalogueStore,
    insert_version,
    mark_activated,
    set_province,
)
from casemesh.routing.node_catalogues import NodeCatalogues, in_force, overlaid
from casemesh.routing.nodes import NodeCatalogue
from casemesh.routing.payload import to_date
from casemesh.routing.v1 import collaboration_node_admin_service_pb2 as pb2
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import OutboxRelay, event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember

_MOST_CHANGES = 1000
_Imported = pb2.ImportNodeCatalogueResponse
_Activated = pb2.ActivateNodeCatalogueResponse
_Placed = pb2.SetAgencyProvinceResponse


class NodeAdministration:
    """What an administrator does with the catalogue. With `second_look` nobody activates what he imported."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        store: NodeCatalogueStore,
        catalogues: NodeCatalogues,
        outbox: OutboxRelay,
        *,
        second_look: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._store = store
        self._catalogues = catalogues
        self._outbox = outbox
        self._second_look = second_look

    async def load(self, call: Call, request: pb2.ImportNodeCatalogueRequest) -> _Imported:
        """Keep a file that breaks no rule, for preview.

        Raises InvalidArgument (NODE_CATALOGUE_INVALID with line and column, FIELD_INVALID).
        """
        version = CatalogueVersion(
            version=new_id(),
            province=request.province,
            effective_from=_day(request.effective_from),
            content=request.csv,
            node_count=max(0, len(request.csv.splitlines()) - 1),
            note=request.note,
            imported_by=call.peer_name,
            import_time=self._clock.now(),
        )
        await self._catalogues.refresh()
        changes = list(self._changes(version))
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Imported)
            if stored is not None:
                return stored
            await insert_version(transaction, version)
            details = {"version": version.version, "province": version.province, "changes": str(len(changes))}
            await record(transaction, call, event_of(call, self._clock, "node_catalogue.imported", "", details=details))
            response = _Imported(version=version_message(version), changes=changes[:_MOST_CHANGES])
            await remember(transaction, call, request, response)
        self._outbox.wake()
        return response

    async def compare(self, request: pb2.CompareNodeCatalogueRequest) -> pb2.CompareNodeCatalogueResponse:
        """Return what a version changes in what is in force. Raises NotFound, InvalidArgument as `load`."""
        version = await self._get(request.version)
        await self._catalogues.refresh()
        changes = list(self._changes(version))
        return pb2.CompareNodeCatalogueResponse(version=version_message(version), changes=changes[:_MOST_CHANGES])

    async def activate(self, call: Call, request: pb2.ActivateNodeCatalogueRequest) -> _Activated:
        """Put a version in force from its date on. A national one must leave every province's overlay fitting.

        Raises NotFound; PermissionDenied (SECOND_ADMINISTRATOR_NEEDED); FailedPrecondition
        (NODE_CATALOGUE_STATE_WRONG); InvalidArgument as `load`.
        """
        version = await self._get(request.version)
        if self._second_look and call.peer_name == version.imported_by:
            raise PermissionDenied(
                "SECOND_ADMINISTRATOR_NEEDED", "another administrator than the one who imported it must activate it"
            )
        await self._require_fitting(version)
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Activated)
            if stored is not None:
                return stored
            activated = await mark_activated(transaction, version.version, call.peer_name, self._clock.now())
            if activated is None:
                raise FailedPrecondition(
                    "NODE_CATALOGUE_STATE_WRONG", "the version was activated before", {"state": "ACTIVE"}
                )
            details = {"version": version.version, "province": version.province}
            await record(
                transaction, call, event_of(call, self._clock, "node_catalogue.activated", "", details=details)
            )
            response = _Activated(version=version_message(activated))
            await remember(transaction, call, request, response)
        self._outbox.wake()
        await self._catalogues.refresh()
        return response

    async def place(self, call: Call, request: pb2.SetAgencyProvinceRequest) -> _Placed:
        """Say which province's overlay an agency uses."""
        async with self._database.transaction() as transaction:
            stored = await recall(transaction, call, request, _Placed)
            if stored is not None:
                return stored
            await set_province(transaction, request.agency, request.province, self._clock.now())
            details = {"province": request.province}
            event = event_of(call, self._clock, "node_catalogue.province_set", request.agency, details=details)
            await record(transaction, call, event)
            response = _Placed(agency=request.agency, province=request.province)
            await remember(transaction, call, request, response)
        self._outbox.wake()
        await self._catalogues.refresh()
        return response

    async def _get(self, name: str) -> CatalogueVersion:
        version = await self._store.get(name) if is_uuid(name) else None
        if version is None:
            raise not_found()
        return version

    def _changes(self, version: CatalogueVersion) -> Iterator[pb2.NodeChange]:
        national = self._catalogues.national
        try:
            if not version.province:
                return differences(national.nodes, {}, read_nodes("csv", version.content), {})
            nodes, external = read_overlay("csv", version.content, national.nodes)
        except ShippedDataError as error:
            raise _invalid(error) from error
        current = self._catalogues.of_province(version.province)
        return differences(current.nodes, current.external_codes, nodes, external)

    async def _require_fitting(self, version: CatalogueVersion) -> None:
        """Check that overlays and nation fit once this version is in force too, on its day and on those to come."""
        now = self._clock.now()
        versions = [*await self._store.activated(), version]
        for day in sorted({each.effective_from for each in versions if each.effective_from >= version.effective_from}):
            chosen = in_force((replace(each, activate_time=each.activate_time or now) for each in versions), day)
            national = chosen.pop("", None)
            try:
                base = self._base(national)
                for overlay in chosen.values():
                    overlaid(base, overlay)
            except ShippedDataError as error:
                raise _invalid(error) from error

    def _base(self, national: CatalogueVersion | None) -> NodeCatalogue:
        shipped = self._catalogues.shipped
        if national is None:
            return shipped
        return shipped.renewed(read_nodes("csv", national.content), version=national.version)


def differences(
    before: Collection[CollaborationNode],
    codes_before: Mapping[str, str],
    after: Collection[CollaborationNode],
    codes_after: Mapping[str, str],
) -> Iterator[pb2.NodeChange]:
    """Yield what changes between two catalogues, by code."""
    old, new = _cells(before, codes_before), _cells(after, codes_after)
    for code in sorted({*old, *new}):
        change = pb2.NodeChange(node=NODE.format(node=code))
        if code not in old:
            change.kind = pb2.NODE_CHANGE_KIND_ADDED
        elif code not in new:
            change.kind = pb2.NODE_CHANGE_KIND_REMOVED
        elif old[code] != new[code]:
            change.kind = pb2.NODE_CHANGE_KIND_CHANGED
            for column, cell in new[code].items():
                if cell != old[code][column]:
                    change.cells.add(column=column, before=old[code][column], after=cell)
        else:
            continue
        yield change


def _cells(nodes: Collection[CollaborationNode], codes: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {node.code: {**cells_of(node), "external_code": codes.get(node.code, "")} for node in nodes}


def _day(value: date_pb2.Date) -> date:
    try:
        return to_date(value)
    except ValueError:
        rule = "must be a date of the calendar with year, month and day"
        violation = FieldViolation("effective_from", rule)
        raise InvalidArgument("FIELD_INVALID", f"effective_from {rule}", violations=[violation]) from None


def _invalid(error: ShippedDataError) -> InvalidArgument:
    return InvalidArgument(
        "NODE_CATALOGUE_INVALID",
        str(error),
        {"line": error.line, "column": error.field},
        [FieldViolation("csv", f"line {error.line}, column {error.field}: {error}")],
    )
