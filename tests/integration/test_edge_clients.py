"""Clients that are not ours at the real gateway, in front of the real services: Node from the descriptor set alone, and
curl.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from casemesh.core.ids import new_id
from tests.support.gateway import Gateway, running_gateway
from tests.support.mesh import Agency
from tests.support.node import node_program
from tests.support.routing import ThreeOrgans

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 90.0
DOCUMENT = "讯问笔录,内容为虚构。".encode() * 1000


@pytest.fixture
async def gateway(three_organs_with_dossiers: ThreeOrgans, tmp_path: Path) -> AsyncIterator[Gateway]:
    mesh = three_organs_with_dossiers.mesh
    with running_gateway(mesh.pki, mesh.addresses, tmp_path / "gateway") as running:
        yield running


async def run(*command: str, cwd: Path | None = None) -> tuple[int, str, str]:
    """Run a program while the services go on in this process."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # fmt: skip
    async with asyncio.timeout(TIMEOUT):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def files_of(agency: Agency) -> dict[str, str]:
    directory = agency.credentials.directory
    return {
        "certificate": str(directory / "tls.pem"),
        "key": str(directory / "tls.key"),
        "trust": str(directory / "ca.pem"),
    }


async def test_node_walks_a_case_from_the_descriptor_set_alone(
    node_client: Path, three_organs_with_dossiers: ThreeOrgans, gateway: Gateway, tmp_path: Path
) -> None:
    organs = three_organs_with_dossiers
    descriptors = tmp_path / "casemesh.binpb"
    generate = [sys.executable, str(ROOT / "protos" / "generate.py"), "--descriptor-set", str(descriptors)]
    assert 0 == (await run(*generate))[0]
    setting = {
        "gateway": gateway.address,
        "descriptors": str(descriptors),
        "node": "nodes/LA001",
        "police": {**files_of(organs.police), "officer": organs.police.officers["lin"]},
        "procuratorate": {
            **files_of(organs.procuratorate),
            "agency": organs.procuratorate.name,
            "officer": organs.procuratorate.officers["lin"],
        },
    }
    (tmp_path / "setting.json").write_text(json.dumps(setting))
    node = node_program("node")
    assert node is not None
    code, output, errors = await run(*node, "walk.mjs", str(tmp_path / "setting.json"), cwd=node_client)
    assert (0, "") == (code, errors)
    walked = json.loads(output)
    assert walked["submitted"] == walked["delivered"]
    assert ("EXCHANGE_STATE_ACCEPTED", 3) == (walked["state"], walked["verified_documents"])
    events = await organs.sql("SELECT count(*) AS events FROM outbox")
    assert events[0]["events"] > 0


class Curl:
    """curl with an agency's certificate and, once it has one, its token."""

    def __init__(self, gateway: Gateway, agency: Agency) -> None:
        self._base = f"https://{gateway.address}/v1"
        self._files = files_of(agency)
        self.token = ""

    async def __call__(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """GET, or POST where there is a body; returns the HTTP status and the answer."""
        command = [
            "curl", "--silent", "--show-error", "--max-time", "30", "--write-out", "\n%{http_code}",
            "--cert", self._files["certificate"], "--key", self._files["key"], "--cacert", self._files["trust"],
        ]  # fmt: skip
        if self.token:
            command += ["--header", f"authorization: Bearer {self.token}", "--header", "casemesh-purpose: handling"]
        if body is not None:
            command += ["--header", "content-type: application/json", "--data", json.dumps(body)]
        code, output, errors = await run(*command, f"{self._base}/{path}")
        assert (0, "") == (code, errors)
        answer, _, status = output.rpartition("\n")
        return int(status), json.loads(answer)

    async def change(self, path: str, **fields: Any) -> Any:
        """A change that must succeed."""
        status, answer = await self(path, {"requestId": new_id(), **fields})
        assert 200 == status, answer
        return answer

    async def read(self, path: str) -> Any:
        """A reading call that must succeed."""
        status, answer = await self(path)
        assert 200 == status, answer
        return answer


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_curl_with_a_certificate_takes_a_case_from_one_agency_to_another(
    three_organs_with_dossiers: ThreeOrgans, gateway: Gateway
) -> None:
    organs = three_organs_with_dossiers
    police, procuratorate = Curl(gateway, organs.police), Curl(gateway, organs.procuratorate)
    assertion = organs.mesh.assertion(organs.police.credentials, organs.police.officers["lin"])
    police.token = (await police.change("tokens", assertion=assertion))["accessToken"]
    case = (
        await police.change("cases", title="某甲盗窃案", parties=[{"kind": "PARTY_KIND_PERSON", "displayName": "某甲"}])
    )["case"]
    assert case["name"] == (await police.read(case["name"]))["case"]["name"]
    assert [case["name"]] == [listed["name"] for listed in (await police.read("cases?pageSize=5"))["cases"]]

    dossier = (await police.change(f"{case['name']}/dossiers", title="盗窃案卷宗"))["dossier"]["name"]
    digest = hashlib.sha256(DOCUMENT).digest()
    head = {
        "documentIndex": 0, "volume": "证据卷一", "fileName": "讯问笔录.pdf", "mediaType": "application/pdf",
        "pageCount": 1, "sizeBytes": str(len(DOCUMENT)),
    }  # fmt: skip
    finish = {"documentIndex": 0, "sizeBytes": str(len(DOCUMENT)), "sha256": b64encode(digest).decode()}
    root = hashlib.sha256(b"\0" + digest).digest()
    await police.change(
        f"{dossier}:uploadDocument",
        uploadId=new_id(),
        header=head,
        data=b64encode(DOCUMENT).decode(),
        finish=finish,
        finishUpload={
            "documentCount": 1, "sizeBytes": str(len(DOCUMENT)), "treeHash": b64encode(root).decode(),
        },
    )  # fmt: skip
    version = (await police.change(f"{dossier}:finalize", documentCount=1, pageCount=1, sizeBytes=str(len(DOCUMENT))))[
        "version"
    ]["name"]
    sent = await police.change(
        f"{case['name']}/exchanges",
        node="nodes/LA001",
        recipient=organs.procuratorate.name,
        parties=[party["name"] for party in case["parties"]],
        dossierVersion=version,
    )

    procuratorate.token = (await procuratorate("tokens", {}))[1]["accessToken"]
    status, pulled = await procuratorate("deliveries:pull", {"maxDeliveries": 5})
    (delivery,) = pulled["deliveries"]
    assert (200, sent["exchange"]["name"]) == (status, delivery["exchange"]["name"])
    await procuratorate.change("deliveries:acknowledge", delivery=delivery["name"])
    await procuratorate.change(f"{case['name']}:assignOfficer", officer=organs.procuratorate.officers["lin"])
    stated = organs.mesh.assertion(organs.procuratorate.credentials, organs.procuratorate.officers["lin"])
    procuratorate.token = (await procuratorate("tokens", {"assertion": stated}))[1]["accessToken"]
    accepted = await procuratorate.change(f"{sent['exchange']['name']}:accept")
    assert "EXCHANGE_STATE_ACCEPTED" == accepted["exchange"]["state"]
    listed = await procuratorate.read(f"{version}/documents")
    read = await procuratorate.read(f"{version}/documents/0:read?lengthBytes={len(DOCUMENT)}")
    assert 1 == len(listed["documents"])
    assert DOCUMENT == b64decode(read["data"])


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
async def test_what_services_refuse_arrives_as_a_status_with_its_reason(
    three_organs_with_dossiers: ThreeOrgans, gateway: Gateway
) -> None:
    organs = three_organs_with_dossiers
    police = Curl(gateway, organs.police)
    status, answer = await police("cases")
    assert (401, 16) == (status, answer["code"])
    police.token = (await police("tokens", {}))[1]["accessToken"]
    status, answer = await police(f"cases/{new_id()}")
    info = answer["details"][0]
    assert (404, 5, "NOT_FOUND", "casemesh") == (status, answer["code"], info["reason"], info["domain"])
    stated = organs.mesh.assertion(organs.police.credentials, organs.police.officers["lin"])
    police.token = (await police("tokens", {"assertion": stated}))[1]["accessToken"]
    status, answer = await police("cases", {"requestId": "not a uuid", "title": "x"})
    violations = [detail for detail in answer["details"] if detail["@type"].endswith("google.rpc.BadRequest")]
    assert (400, 3) == (status, answer["code"])
    assert "request_id" in {violation["field"] for violation in violations[0]["fieldViolations"]}
    # A token alone is worth nothing: it is bound to another certificate.
    court = Curl(gateway, organs.court)
    court.token = police.token
    status, answer = await court("cases")
    assert (401, "TOKEN_CERTIFICATE_MISMATCH") == (status, answer["details"][0]["reason"])
