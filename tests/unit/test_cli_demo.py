"""The demo's claims: nothing is called denied that could be told apart, nothing measured that was not done."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from casemesh.cli.demo_case import JUDGMENT, PROSECUTION, TRANSFER, node_titled, police_code
from casemesh.cli.demo_denial import Resources, try_to_see
from casemesh.cli.demo_report import DemoReport, compare_with_report, print_report
from casemesh.cli.demo_scratch import folder_bytes, require_space, scratch_folder
from casemesh.cli.disk_limit import seconds_to_write
from casemesh.cli.invocation import Failure
from casemesh.cli.messages import Language
from casemesh.cli.output import Output
from casemesh.cli.receive_command import store_delivery
from casemesh.errors import CaseMeshError, NotFound, PermissionDenied, not_found
from casemesh.routing.v1.case_pb2 import Case
from casemesh.routing.v1.case_service_pb2 import ListCasesResponse
from casemesh.routing.v1.exchange_pb2 import Delivery

REAL = Resources.invented()


class FakePlatform:
    """Answers every call with NOT_FOUND, but for one method, whose answer to real names is given."""

    def __init__(self, method: str = "", answer: Callable[[], Any] = not_found, listed: tuple[str, ...] = ()) -> None:
        self.method = method
        self.answer = answer
        self.listed = listed
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name in ("cases", "exchanges", "dossier_read", "audit"):
            return self
        self.asked.add(name)
        if name == "ListCases":
            return self.list_cases
        stream = name.startswith(("Download", "Export"))
        return lambda request: self.stream(name, request) if stream else self.unary(name, request)

    async def list_cases(self, request: Any) -> ListCasesResponse:
        return ListCasesResponse(cases=[Case(name=name) for name in self.listed])

    async def unary(self, name: str, request: Any) -> Any:
        real = any(getattr(REAL, field) in str(request) for field in ("case", "dossier", "version", "exchange"))
        outcome = self.answer() if name == self.method and real else not_found()
        if isinstance(outcome, CaseMeshError):
            raise outcome
        return outcome

    async def stream(self, name: str, request: Any) -> AsyncIterator[Any]:
        yield await self.unary(name, request)


async def test_the_same_answer_for_all_names_teaches_nothing() -> None:
    platform = FakePlatform()
    denial = await try_to_see(platform, REAL)  # type: ignore[arg-type]
    assert denial.learned_nothing
    assert set(denial.attempts.values()) == {"NOT_FOUND"}
    assert {
        "GetCase",
        "GetDossier",
        "GetDossierVersion",
        "GetExchange",
        "ListCaseEvents",
        "ExportTrail",
    } <= platform.asked


@pytest.mark.parametrize(
    "answer",
    [
        lambda: SimpleNamespace(),
        lambda: PermissionDenied("PERMISSION_MISSING", "you may not"),
        lambda: NotFound("NOT_FOUND", "no such case"),
        lambda: NotFound("NOT_FOUND", not_found().message, {"case": "sealed"}),
    ],
)
@pytest.mark.parametrize("method", ["GetCase", "GetExchange", "GetDossierVersion", "DownloadDocuments", "ExportTrail"])
async def test_any_difference_is_noticed(method: str, answer: Callable[[], Any]) -> None:
    assert not (await try_to_see(FakePlatform(method, answer), REAL)).learned_nothing  # type: ignore[arg-type]


async def test_a_case_in_the_list_is_noticed() -> None:
    assert not (await try_to_see(FakePlatform(listed=(REAL.case,)), REAL)).learned_nothing  # type: ignore[arg-type]


def test_the_nodes_and_codes_are_those_of_the_shipped_catalogue() -> None:
    assert [node_titled(title) for title in (TRANSFER, PROSECUTION, JUDGMENT)] == [
        "nodes/QS001",
        "nodes/YS001",
        "nodes/YS037",
    ]
    assert police_code("盗窃案").code == "05000200"
    with pytest.raises(LookupError):
        police_code("没有这个案由")


def test_the_disk_is_given_the_same_bytes_and_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [tmp_path / name for name in ("a", "b", "c")]
    for number, source in enumerate(sources):
        source.write_bytes(bytes([number]) * (number * 1_500_000))
    written: list[bytes] = []
    synced: list[int] = []
    write, fsync = __import__("os").write, __import__("os").fsync
    monkeypatch.setattr(
        "casemesh.cli.disk_limit.os.write", lambda fd, data: written.append(bytes(data)) or write(fd, data)
    )
    monkeypatch.setattr("casemesh.cli.disk_limit.os.fsync", lambda fd: synced.append(fd) or fsync(fd))

    assert seconds_to_write(sources, tmp_path / "copy") > 0

    assert b"".join(written) == b"".join(source.read_bytes() for source in sources)
    assert len(synced) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_a_step_that_fails_is_not_reported_as_done() -> None:
    report, told = DemoReport(), []
    with pytest.raises(RuntimeError), report.step("upload", told.append):
        raise RuntimeError
    with report.step("upload", told.append) as step:
        step.detail = "x"
    assert [item.key for item in report.steps] == ["upload"]
    assert told == report.steps
    assert report.seconds("upload", "download") == report.steps[0].seconds


def test_the_comparison_is_by_bytes_a_second() -> None:
    assert compare_with_report(1_200_000_000, 36) == pytest.approx(10)
    assert compare_with_report(600_000_000, 36) == pytest.approx(5)


@pytest.mark.parametrize("language", Language)
def test_the_table_prints_in_both_languages(language: Language) -> None:
    stdout = io.StringIO()
    report = DemoReport()
    with report.step("upload", lambda step: None) as step:
        step.size_bytes, step.detail = 1000, "[bold]not markup[/bold]"
    report.figures = {
        "pages": 1, "bytes": 1000, "upload_seconds": 1.0, "disk_seconds": 0.5, "denied": True, "trail_verified": True,
        "trail_events": 3, "trace_id": "t" * 32, "end_to_end_seconds": 2.0, "times_faster_than_reported": 3.0,
    }  # fmt: skip
    output = Output(as_json=False, language=language, stdout=stdout)
    print_report(report, output)
    assert "[bold]not markup[/bold]" in stdout.getvalue()
    assert "t" * 32 in stdout.getvalue()
    assert report.as_json(output)["steps"][0]["bytes"] == 1000


def test_the_scratch_folder_goes_unless_it_is_to_be_kept(tmp_path: Path) -> None:
    output = Output(as_json=True, language=Language.ENGLISH, stderr=io.StringIO())

    def fail() -> None:
        with scratch_folder(tmp_path / "data", output, keep=False) as path:
            (path / "file").write_bytes(b"123")
            assert folder_bytes(tmp_path) == 3
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list((tmp_path / "data").iterdir()) == []
    with scratch_folder(tmp_path / "data", output, keep=True) as path:
        pass
    assert path.is_dir()


def test_a_disk_without_room_is_said_before_anything_is_made(tmp_path: Path) -> None:
    require_space(tmp_path, 0)
    with pytest.raises(Failure) as failure:
        require_space(tmp_path, 1 << 60)
    assert failure.value.code == 4


def test_a_delivery_that_comes_again_is_stored_once(tmp_path: Path) -> None:
    delivery = Delivery(name="exchanges/1/deliveries/2", delivery_sequence=1)
    first = store_delivery(tmp_path, delivery)
    assert store_delivery(tmp_path, delivery) == first
    assert list(tmp_path.iterdir()) == [first]
