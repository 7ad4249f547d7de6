"""Enrols the demo's agencies on a platform of this machine: certificates, registration, officers.

All names are invented.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from casemesh.client.profile import Profile, write_profile
from casemesh.core.ids import new_id
from casemesh.identity.v1 import directory_admin_service_pb2

if TYPE_CHECKING:
    from casemesh.client.session import OperatorSession
    from casemesh.local.platform import Addresses
    from casemesh.pki.authority import Pki

_SYSTEM = "cms"


@dataclass(frozen=True)
class AgencyPlan:
    """An agency to enrol: the short name it would like, what people read, its kind of organ, its officers' names."""

    code: str
    display_name: str
    organ: str
    officers: tuple[str, ...]


POLICE = AgencyPlan("beihu-police", "北湖市公安局(演示)", "GA", ("侦查员甲",))
PROCURATORATE = AgencyPlan("beihu-procuratorate", "北湖市人民检察院(演示)", "JCY", ("检察官甲", "检察官乙"))
COURT = AgencyPlan("beihu-court", "北湖市人民法院(演示)", "FY", ("审判员甲",))


@dataclass(frozen=True)
class EnrolledAgency:
    """An agency that takes part, with one profile for its system and one for each officer, in the plan's order."""

    name: str
    code: str
    display_name: str
    system: Profile
    officers: tuple[Profile, ...]


async def enrol(
    plan: AgencyPlan, pki: Pki, operator: OperatorSession, addresses: Addresses, signing_roots: Path
) -> EnrolledAgency:
    """Make the agency's CA and its system's certificate, and register agency, system and officers.

    Where its short name is taken, a number is added. Raises CaseMeshError, PkiError.
    """
    code = _free_code(pki, plan.code)
    await asyncio.to_thread(pki.add_agency, code)
    credential = await asyncio.to_thread(pki.issue_system, code, _SYSTEM)
    admin = operator.directory_admin
    agency = (
        await admin.CreateAgency(
            directory_admin_service_pb2.CreateAgencyRequest(
                request_id=new_id(), code=code, display_name=plan.display_name, organ=plan.organ
            )
        )
    ).agency
    await admin.CreateSystem(
        directory_admin_service_pb2.CreateSystemRequest(
            request_id=new_id(),
            parent=agency.name,
            display_name=f"{plan.display_name}办案系统",
            certificate_sha256=bytes.fromhex(credential.fingerprint),
        )
    )
    system = Profile(
        name=code,
        gateway=addresses.gateway,
        certificate=credential.files.certificate.parent,
        signing_roots=signing_roots,
        traces=addresses.traces,
    )
    officers = [await _officer(operator, system, agency.name, name) for name in plan.officers]
    return EnrolledAgency(agency.name, code, plan.display_name, system, tuple(officers))


def leave_profiles(agencies: Sequence[EnrolledAgency], folder: Path) -> list[str]:
    """Write a profile for each agency's system (`CODE`) and its officers (`CODE-officer-1` ...) and return their
    names."""
    left = []
    for agency in agencies:
        named = [(agency.code, agency.system)]
        named += [(f"{agency.code}-officer-{number}", one) for number, one in enumerate(agency.officers, start=1)]
        for name, profile in named:
            write_profile(folder, replace(profile, name=name), replace=True)
            left.append(name)
    return left


async def _officer(operator: OperatorSession, system: Profile, agency: str, display_name: str) -> Profile:
    request = directory_admin_service_pb2.CreateOfficerRequest(
        request_id=new_id(), parent=agency, display_name=display_name
    )
    officer = (await operator.directory_admin.CreateOfficer(request)).officer
    # Invented officers have no logins; an agency names its own check here.
    return replace(system, officer=officer.name, login_check="true", purpose="handling")


def _free_code(pki: Pki, wanted: str) -> str:
    taken = set(_agencies(pki))
    number, code = 1, wanted
    while code in taken:
        number += 1
        code = f"{wanted}-{number}"
    return code


def _agencies(pki: Pki) -> Sequence[str]:
    return [entry.partition("/")[2] for entry in pki.layout.authorities() if entry.startswith("agencies/")]
