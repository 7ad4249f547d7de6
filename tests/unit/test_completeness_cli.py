"""`casemesh dossier check` says in the user's language what was found, and by its exit code whether it blocks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from casemesh.cli.invocation import Invocation
from casemesh.cli.main import app
from casemesh.dossier.v1 import dossier_catalogue_service_pb2 as pb

DOCUMENT = "dossiers/d/documents/1"
MISSING = pb.Finding(kind=pb.FINDING_KIND_MISSING, type_code="A003", type_name="立案决定书", detail="not found")
NEVER = pb.Finding(
    kind=pb.FINDING_KIND_NEVER_CROSSES, blocking=True, document=DOCUMENT, type_code="G031", type_name="合议庭评议笔录"
)


class Catalogue:
    """Answers with what it was made with, and keeps what it was asked."""

    def __init__(self, *findings: pb.Finding) -> None:
        self.findings = findings
        self.asked: pb.CheckCompletenessRequest | None = None

    async def CheckCompleteness(self, request: pb.CheckCompletenessRequest) -> pb.CheckCompletenessResponse:
        self.asked = request
        return pb.CheckCompletenessResponse(
            findings=self.findings,
            finding_count=len(self.findings),
            blocking_count=sum(finding.blocking for finding in self.findings),
            required_count=3,
        )

    async def ListCatalogueEntries(self, request: pb.ListCatalogueEntriesRequest) -> pb.ListCatalogueEntriesResponse:
        entry = pb.CatalogueEntry(document=DOCUMENT, volume="副卷", file_name="评议.pdf")
        return pb.ListCatalogueEntriesResponse(entries=[entry])


def run(monkeypatch: pytest.MonkeyPatch, catalogue: Catalogue, *arguments: str) -> Result:
    @asynccontextmanager
    async def session(invocation: Invocation) -> AsyncIterator[SimpleNamespace]:
        yield SimpleNamespace(dossier_catalogue=catalogue)

    monkeypatch.setattr(Invocation, "session", session)
    return CliRunner().invoke(app, ["dossier", "check", *arguments])


def test_nothing_found_is_success(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue()
    done = run(monkeypatch, catalogue, "d", "--node", "QS001", "--party", "cases/c/parties/p", "--lang", "en")
    assert (0, "") == (done.exit_code, done.stdout)
    assert "nothing found" in done.stderr
    asked = pb.CheckCompletenessRequest(parent="dossiers/d", node="nodes/QS001", parties=["cases/c/parties/p"])
    assert asked == catalogue.asked


def test_warnings_alone_are_success(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, Catalogue(MISSING), "dossiers/d/versions/v", "--lang", "zh")
    assert (0, "提示\t缺少: 立案决定书\t\t\n") == (done.exit_code, done.stdout)


def test_what_blocks_has_an_exit_code_of_its_own_and_says_where_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, Catalogue(NEVER, MISSING), "d", "--lang", "en")
    assert 7 == done.exit_code
    assert "blocking\tmust never leave the agency: 合议庭评议笔录\t副卷/评议.pdf\t" == done.stdout.splitlines()[0]
    assert "2 findings, 1 of them blocking" in done.stderr


def test_programs_get_every_field(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, Catalogue(NEVER, MISSING), "d", "--json")
    assert 7 == done.exit_code
    answer = json.loads(done.stdout)
    assert [("NEVER_CROSSES", True), ("MISSING", False)] == [
        (finding["kind"], finding["blocking"]) for finding in answer["findings"]
    ]
    assert (2, 1, 3) == (answer["finding_count"], answer["blocking_count"], answer["required_count"])


@pytest.mark.parametrize("kind", [number for number in pb.FindingKind.values() if number])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_of_finding_has_a_sentence(monkeypatch: pytest.MonkeyPatch, kind: int, language: str) -> None:
    finding = pb.Finding(document=DOCUMENT, type_name="立案决定书", detail="only in English")
    finding.kind = kind  # type: ignore[assignment]
    done = run(monkeypatch, Catalogue(finding), "d", "--lang", language)
    assert 0 == done.exit_code
    assert "only in English" not in done.stdout
    assert done.stdout.strip()
