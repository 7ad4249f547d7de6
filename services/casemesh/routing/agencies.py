"""What kind of organ an agency is, asked of identity."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from casemesh.core.clock import Clock
from casemesh.errors import FieldViolation, InvalidArgument, NotFound
from casemesh.identity.v1 import directory_service_pb2
from casemesh.routing.dependencies import TIMEOUT_SECONDS, asking

if TYPE_CHECKING:
    from casemesh.identity.v1.directory_service_pb2_grpc import DirectoryServiceAsyncStub

_KEPT_SECONDS = 60.0
_MOST = 10_000


class AgencyDirectory:
    """The kinds of agencies, remembered for a minute: they hardly ever change and no right follows from them."""

    def __init__(self, directory: DirectoryServiceAsyncStub, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._known: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def organ_of(self, agency: str, *, field: str) -> str:
        """Return the kind of organ of `agency`. `field` is where the request names it.

        Raises InvalidArgument (FIELD_INVALID) when no such agency is registered, Unavailable.
        """
        known = self._known.get(agency)
        if known is not None and self._clock.monotonic() < known[1]:
            return known[0]
        try:
            with asking("identity", NotFound):
                answer = await self._directory.GetAgency(
                    directory_service_pb2.GetAgencyRequest(name=agency),
                    timeout=TIMEOUT_SECONDS,
                )
        except NotFound as error:
            violation = FieldViolation(field, "must be a registered agency")
            raise InvalidArgument(
                "FIELD_INVALID", f"{field} must be a registered agency", violations=[violation]
            ) from error
        self._known[agency] = (answer.agency.organ, self._clock.monotonic() + _KEPT_SECONDS)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return answer.agency.organ
