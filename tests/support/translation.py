"""The translation service as the operator and as routing see it, with two small tables and a map between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.type.date_pb2 import Date

from casemesh.common.v1.coded_value_pb2 import CodedValue
from casemesh.core.ids import new_id
from casemesh.translation.v1 import translation_admin_service_pb2 as admin_pb2
from casemesh.translation.v1 import translation_pb2
from casemesh.translation.v1 import translation_service_pb2 as read_pb2
from casemesh.translation.v1.translation_admin_service_pb2_grpc import TranslationAdminServiceStub
from casemesh.translation.v1.translation_service_pb2_grpc import TranslationServiceStub
from tests.support.mesh import Mesh

TIMEOUT = 20.0
SHAPES = "code,name_zh,effective_until,replaced_by\nA1,圆,,\nA2,方,,\nA3,角,2020-12-31,A2\nA4,弧,,\n"
FORMS = "code,name_zh\nB1,圆\nB2,四边\nB3,弧线\n"
PAIRS = "from_code,to_code\nA1,B1\nA2,B2\nA3,B2\n"


class TranslationDesk:
    """Calls of the operator (`admin`), of routing (`reading`) and of named administrators."""

    def __init__(self, mesh: Mesh) -> None:
        self.mesh = mesh
        self.admin = mesh.operator("translation", TranslationAdminServiceStub)
        self.reading: Any = TranslationServiceStub(mesh.channel("translation", "routing"))

    def administrator(self, name: str) -> Any:
        """Return the stub of an administrator of this name, which nobody had before."""
        self.mesh.pki.issue_administrator(name)
        return TranslationAdminServiceStub(self.mesh.channel("translation", f"operator-{name}"))

    async def load_shapes(self) -> None:
        """Load both tables and the map, in force."""
        for name, csv in (("shapes", SHAPES), ("forms", FORMS)):
            await self.admin.ImportCodeSystem(table_request(name, csv), timeout=TIMEOUT)
        await self.admin.ImportConceptMap(map_request(PAIRS), timeout=TIMEOUT)

    async def targets(self, code: str, date: Date | None = None, **record: str) -> list[str]:
        """Return what a code of shapes becomes among the forms."""
        request = read_pb2.TranslateCodesRequest(
            items=[coded_item(code)],
            date=date,
            record=[translation_pb2.RecordValue(field=field, text=text) for field, text in record.items()],
        )
        answer = await self.reading.TranslateCodes(request, timeout=TIMEOUT)
        return [target.value.code for target in answer.translations[0].targets]

    async def carry(
        self, values: Mapping[str, str], action: str = "HOLD", resource: str = ""
    ) -> read_pb2.TranslateRecordResponse:
        """Translate a record of shapes by field into forms, as routing."""
        request = record_request(values, action, resource)
        answer: read_pb2.TranslateRecordResponse = await self.reading.TranslateRecord(request, timeout=TIMEOUT)
        return answer

    async def queue(self, state: str = "OPEN") -> list[translation_pb2.UnmappedCode]:
        """Return the queue in a state."""
        request = admin_pb2.ListUnmappedCodesRequest(state=f"UNMAPPED_CODE_STATE_{state}")
        return list((await self.admin.ListUnmappedCodes(request, timeout=TIMEOUT)).unmapped_codes)


def table_request(name: str, csv: str | bytes, version: str = "1", **pack: Any) -> admin_pb2.ImportCodeSystemRequest:
    """Return the import of a table nobody signed, unless `pack` says otherwise."""
    return admin_pb2.ImportCodeSystemRequest(
        request_id=new_id(),
        code_system=name,
        version=version,
        display_name=name,
        csv=csv.encode() if isinstance(csv, str) else csv,
        pack=admin_pb2.PackSource(**{"accept_unsigned": True, **pack}),
    )


def map_request(csv: str, version: str = "1", **pack: Any) -> admin_pb2.ImportConceptMapRequest:
    """Return the import of the map from shapes to forms that nobody signed, unless `pack` says otherwise."""
    return admin_pb2.ImportConceptMapRequest(
        request_id=new_id(),
        concept_map="shapes-to-forms",
        version=version,
        source_code_system="shapes",
        target_code_system="forms",
        csv=csv.encode(),
        pack=admin_pb2.PackSource(**{"accept_unsigned": True, **pack}),
    )


def coded_item(code: str) -> read_pb2.TranslateCodesItem:
    """Return a shape to be translated into a form."""
    return read_pb2.TranslateCodesItem(value=CodedValue(code_system="shapes", code=code), target_code_system="forms")


def record_request(values: Mapping[str, str], action: str, resource: str = "") -> read_pb2.TranslateRecordRequest:
    """Return a record of shapes by field, all of them coded fields of its schema."""
    return read_pb2.TranslateRecordRequest(
        schema=[
            read_pb2.CodedField(field=field, target_code_system="forms", unmapped_action=f"UNMAPPED_ACTION_{action}")
            for field in values
        ],
        record=[
            translation_pb2.RecordValue(field=field, coded=CodedValue(code_system="shapes", code=code))
            for field, code in values.items()
        ],
        resource=resource,
    )
