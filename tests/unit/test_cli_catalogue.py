"""The catalogue's commands: what they ask for, print and write."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from casemesh.cli.invocation import Invocation
from casemesh.cli.main import app
from casemesh.client.examining.process import examine
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb
from casemesh.dossier.v1 import dossier_pb2, dossier_read_service_pb2

DOCUMENT = "dossiers/0199e3f0-0000-7000-8000-000000000001/documents/0199e3f0-0000-7000-8000-000000000002"
RULE = "0199e3f0-0000-7000-8000-000000000003"


class Catalogue:
    """A platform's catalogue with two documents, in pages of one."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.entries = [
            pb.CatalogueEntry(
                document=DOCUMENT, volume="文书卷", file_name="起诉书.pdf", type_code="E023", type_name="起诉书",
                catalogue_volume="E", confidence=0.98, stated_page_count=5, found_page_count=5, examined=True,
            ),
            pb.CatalogueEntry(
                document=f"{DOCUMENT[:-1]}4", document_index=1, volume="文书卷", file_name="拘留证.pdf",
                type_code="A029", type_name="拘留证", catalogue_volume="A", confidence=0.6, stated_page_count=1,
            ),
        ]  # fmt: skip

    async def ListCatalogueEntries(self, request: pb.ListCatalogueEntriesRequest) -> pb.ListCatalogueEntriesResponse:
        self.asked.append(pb.ListCatalogueEntriesRequest.FromString(request.SerializeToString()))
        place = int(request.page_token or 0)
        return pb.ListCatalogueEntriesResponse(
            entries=[self.entries[place]], next_page_token="" if place else "1", waiting_count=1
        )

    async def CorrectDocument(self, request: pb.CorrectDocumentRequest) -> pb.CorrectDocumentResponse:
        self.asked.append(request)
        answer = pb.CorrectDocumentResponse(
            entry=pb.CatalogueEntry(file_name="起诉书.pdf", type_code=request.type_code, type_name="拘留通知书")
        )
        if not request.only_this:
            answer.rule.CopyFrom(pb.RecognitionRule(rule_id=RULE, title="审查表", type_code=request.type_code))
        return answer

    async def ListRecognitionRules(self, request: pb.ListRecognitionRulesRequest) -> pb.ListRecognitionRulesResponse:
        return pb.ListRecognitionRulesResponse(rules=[pb.RecognitionRule(rule_id=RULE, title="审查表")])

    async def ForgetRecognitionRule(self, request: pb.ForgetRecognitionRuleRequest) -> pb.ForgetRecognitionRuleResponse:
        self.asked.append(request)
        return pb.ForgetRecognitionRuleResponse(rule_id=request.rule_id)


class Reading:
    async def GetDossier(
        self, request: dossier_read_service_pb2.GetDossierRequest
    ) -> dossier_read_service_pb2.GetDossierResponse:
        return dossier_read_service_pb2.GetDossierResponse(
            dossier=dossier_pb2.Dossier(name=request.name, title="盗窃案卷宗", case="cases/c")
        )


class Session:
    def __init__(self, catalogue: Catalogue) -> None:
        self.dossier_catalogue = catalogue
        self.dossier_read = Reading()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *exception: object) -> None:
        return None


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    catalogue = Catalogue()
    monkeypatch.setattr(Invocation, "session", lambda run, *, as_system=False: Session(catalogue))
    return catalogue


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["dossier", *(str(word) for word in words)], env={"LANG": "C.UTF-8", "LC_ALL": ""})


def test_the_catalogue_lists_all_pages_with_what_still_waits(platform: Catalogue) -> None:
    shown = run("catalogue", DOCUMENT.split("/")[1])
    assert 0 == shown.exit_code, shown.output
    assert ["文书卷\t1\t起诉书\tE023\t1-5\t98%\t起诉书.pdf\t-", "文书卷\t2\t拘留证\tA029\t6\t60%\t拘留证.pdf\t-"] == (
        shown.stdout.splitlines()
    )
    assert "1 documents are not examined yet" in shown.stderr
    assert [DOCUMENT.rpartition("/documents/")[0]] * 2 == [request.parent for request in platform.asked]
    as_json = json.loads(run("catalogue", "dossiers/x", "--json").stdout)
    assert (2, 1) == (len(as_json["entries"]), as_json["waiting_count"])


def test_the_catalogue_is_written_as_csv_and_pdf(platform: Catalogue, tmp_path: Path) -> None:
    done = run("catalogue", "dossiers/x", "--csv", tmp_path / "a.csv", "--pdf", tmp_path / "a.pdf", "--by-type")
    assert (0, "") == (done.exit_code, done.stdout)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text(encoding="utf-8-sig"))))
    assert [("A 侦查卷(诉讼文书卷)", "拘留证"), ("E 检察卷(正卷)", "起诉书")] == [
        (row["卷 volume"], row["文书名称 document"]) for row in rows
    ]
    lines = [line.text for line in examine(str(tmp_path / "a.pdf")).lines]
    assert "卷 内 目 录" == lines[0]
    assert any("盗窃案卷宗" in line for line in lines)


def test_a_correction_names_its_rule_and_its_request_can_be_repeated(platform: Catalogue) -> None:
    done = run("correct", DOCUMENT, "A030", "--request-id", RULE)
    assert (0, "起诉书.pdf: A030 拘留通知书") == (done.exit_code, done.stdout.strip())
    assert RULE in done.stderr
    [request] = platform.asked
    assert (RULE, DOCUMENT, "A030", False) == (
        request.request_id, request.document, request.type_code, request.only_this,
    )  # fmt: skip
    assert "" == run("correct", DOCUMENT, "none", "--only-this").stderr
    assert ("", True) == (platform.asked[1].type_code, platform.asked[1].only_this)


def test_rules_are_listed_and_forgotten(platform: Catalogue) -> None:
    assert [RULE, "审查表", "-"] == run("rules").stdout.split("\t")[:3]
    assert 0 == run("forget", RULE).exit_code
    assert RULE == platform.asked[0].rule_id
