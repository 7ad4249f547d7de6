"""Units and who is of them: each step in one transaction with its event, once per request id."""

from __future__ import annotations

from collections.abc import Callable

from casemesh.core.clock import Clock
from casemesh.core.ids import new_id
from casemesh.core.names import AGENCY, OFFICER, UNIT
from casemesh.errors import FieldViolation, InvalidArgument, not_found
from casemesh.identity import unit_store
from casemesh.identity.unit_store import ROLES
from casemesh.identity.v1.directory_admin_service_pb2 import (
    CreateUnitRequest,
    CreateUnitResponse,
    PlaceOfficerRequest,
    PlaceOfficerResponse,
)
from casemesh.runtime.call import Call
from casemesh.runtime.outbox import event_of, record
from casemesh.runtime.postgres import Database
from casemesh.runtime.requests import recall, remember


class Placing:
    """Registers units and places officers in them. `wake` is called after each commit.

    A place says where somebody works; no right on any case follows from it.
    """

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake

    async def create_unit(self, call: Call, request: CreateUnitRequest) -> CreateUnitResponse:
        """Raises NotFound without such an agency or unit above, InvalidArgument for a unit of another agency."""
        agency_id = AGENCY.parse(request.parent)["agency"]
        parent_id = _own_unit(request.parent_unit, agency_id, "parent_unit") if request.parent_unit else None
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, CreateUnitResponse)) is not None:
                return answered
            unit = await unit_store.insert_unit(transaction, new_id(), agency_id, parent_id, request.display_name)
            if unit is None:
                raise not_found()
            await record(transaction, call, event_of(call, self._clock, "identity.unit.created", unit.name))
            response = CreateUnitResponse(unit=unit)
            await remember(transaction, call, request, response)
        self._wake()
        return response

    async def place_officer(self, call: Call, request: PlaceOfficerRequest) -> PlaceOfficerResponse:
        """Raises NotFound without such an officer or unit, InvalidArgument for a unit of another agency."""
        officer = OFFICER.parse(request.officer)
        agency_id, officer_id = officer["agency"], officer["officer"]
        unit_id = _own_unit(request.unit, agency_id, "unit")
        role = next(name for name, value in ROLES.items() if value == request.role)
        async with self._database.transaction() as transaction:
            if (answered := await recall(transaction, call, request, PlaceOfficerResponse)) is not None:
                return answered
            if not await unit_store.lock_placement(transaction, agency_id, officer_id, unit_id):
                raise not_found()
            placement = await unit_store.open_placement(transaction, agency_id, officer_id)
            if placement is None or (placement.unit, placement.role) != (request.unit, request.role):
                placement = await unit_store.place(transaction, new_id(), agency_id, officer_id, unit_id, role)
                details = {"unit": request.unit, "role": role}
                event = event_of(call, self._clock, "identity.officer.placed", request.officer, details=details)
                await record(transaction, call, event)
            response = PlaceOfficerResponse(placement=placement)
            await remember(transaction, call, request, response)
        self._wake()
        return response


def _own_unit(name: str, agency_id: str, field: str) -> str:
    unit = UNIT.parse(name)
    if unit["agency"] != agency_id:
        rule = "must be a unit of the same agency"
        raise InvalidArgument("FIELD_INVALID", f"{field} {rule}", violations=[FieldViolation(field, rule)])
    return unit["unit"]
