"""The commands as agencies use them, on a whole platform through its gateway."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from casemesh.cli.main import app
from casemesh.client.profile import write_profile
from casemesh.core.ids import new_id
from tests.support.platform import RunningPlatform

pytestmark = pytest.mark.timeout(300)
POLICE_THEFT = "police-case-categories:05000200"


class Casemesh:
    """Runs `casemesh` with profiles `police`, `police-system` and so on: in this process, which saves a second for each
    command, or started as one of its own."""

    def __init__(self, home: Path, data: Path) -> None:
        self.data = data
        self.environment = {
            **os.environ,
            "CASEMESH_CONFIG": str(home / "config"),
            "CASEMESH_STATE": str(home / "state"),
            "LANG": "C.UTF-8",
            "LC_ALL": "",
        }

    def run(self, profile: str, *arguments: str | Path) -> Result:
        return CliRunner().invoke(app, self._words(profile, arguments), env=self.environment)

    def start(self, profile: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "casemesh.cli.main", *self._words(profile, arguments)],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def json(self, profile: str, *arguments: str | Path) -> Any:
        finished = self.run(profile, *arguments, "--json")
        assert finished.exit_code == 0, finished.stderr
        return json.loads(finished.stdout)

    def refused(self, profile: str, *arguments: str | Path) -> dict[str, Any]:
        finished = self.run(profile, *arguments, "--json")
        assert finished.stdout == ""
        said: dict[str, Any] = json.loads(finished.stderr.splitlines()[-1])
        assert finished.exit_code == said["exit_code"]
        return said

    @staticmethod
    def _words(profile: str, arguments: tuple[str | Path, ...]) -> list[str]:
        return [*(str(argument) for argument in arguments), "--profile", profile]


@pytest.fixture(scope="module")
def casemesh(platform: RunningPlatform, tmp_path_factory: pytest.TempPathFactory) -> Casemesh:
    home = tmp_path_factory.mktemp("cli")
    for name, agency in platform.agencies.items():
        write_profile(home / "config", replace(agency.system, name=f"{name}-system"))
        for number, officer in enumerate(agency.officers):
            write_profile(home / "config", replace(officer, name=name + ("" if number == 0 else "-outsider")))
    return Casemesh(home, Path(platform.addresses.pki).parent)


@pytest.fixture(scope="module")
def case(casemesh: Casemesh) -> str:
    party = f"嫌疑人甲(虚构);charge={POLICE_THEFT};custody=detained@2026-03-01@某看守所"
    registered = casemesh.json("police", "case", "register", "虚构盗窃案", "--number", "A1", "--party", party)
    assert registered["parties"][0]["custody"] == {"state": "DETAINED", "since": "2026-03-01", "place": "某看守所"}
    return str(registered["name"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("source") / "卷宗"
    for volume, names in {"诉讼文书卷": ["1.jpg", "2.jpg"], "证据卷一": ["照片.jpg"]}.items():
        (root / volume).mkdir(parents=True)
        for name in names:
            (root / volume / name).write_bytes(os.urandom(700_000))
    return root


@pytest.fixture(scope="module")
def version(casemesh: Casemesh, case: str, folder: Path) -> str:
    sent = casemesh.json("police", "dossier", "send", folder, "--case", case)
    assert (sent["document_count"], sent["page_count"], sent["sent_bytes"]) == (3, 3, 2_100_000)
    return str(sent["name"])


@pytest.fixture(scope="module")
def exchange(casemesh: Casemesh, case: str, version: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Submitted, received and accepted."""
    submitted = casemesh.json(
        "police", "exchange", "submit", "--case", case, "--node", "QS001", "--to", "beihu-procuratorate",
        "--dossier", version, "--field", "opinion=移送", "--field", f"charge:code={POLICE_THEFT}",
    )  # fmt: skip
    assert submitted["translations"][0]["translation"]["targets"][0]["value"]["display"] == "盗窃罪"
    inbox = tmp_path_factory.mktemp("inbox")
    received = json.loads(
        casemesh.run("procuratorate-system", "receive", "--to", inbox, "--count", "1", "--json").stdout
    )
    delivery = json.loads(Path(received["file"]).read_text(encoding="utf-8"))
    assert delivery["exchange"]["name"] == submitted["name"]
    officer = casemesh.json("procuratorate", "agency", "whoami")["subject"]
    casemesh.json("procuratorate-system", "access", "assign", case, officer, "--reason", "承办")
    accepted = casemesh.json("procuratorate", "exchange", "accept", submitted["name"], "--number", "B1")
    assert accepted["state"] == "ACCEPTED"
    return str(submitted["name"])


def test_a_case_shows_and_lists(casemesh: Casemesh, case: str) -> None:
    assert casemesh.json("police", "case", "show", case)["local_numbers"][0]["number"] == "A1"
    assert case in [item["name"] for item in casemesh.json("police", "case", "list")]
    shown = casemesh.run("police", "case", "show", case.removeprefix("cases/"))
    assert "嫌疑人甲(虚构) · 05000200 盗窃案 · detained 某看守所" in shown.stdout


def test_a_case_can_be_registered_from_a_file_and_once_only(casemesh: Casemesh, tmp_path: Path) -> None:
    request = {"title": "t", "parties": [{"kind": "PARTY_KIND_PERSON", "display_name": "p"}], "request_id": new_id()}
    file = tmp_path / "case.json"
    file.write_text(json.dumps(request), encoding="utf-8")
    names = {casemesh.json("police", "case", "register", "--file", file)["name"] for _ in range(2)}
    assert len(names) == 1

    file.write_text('{"titel": "t"}', encoding="utf-8")
    assert casemesh.refused("police", "case", "register", "--file", file)["exit_code"] == 4


def test_nodes_agencies_officers_and_codes_can_be_looked_up(casemesh: Casemesh) -> None:
    node = casemesh.json("court", "node", "show", "QS001")
    assert (node["title_zh"], node["from_organ"], node["to_organ"]) == ("移送审查起诉", "GA", "JCY")
    assert "nodes/QS001" in [
        item["name"] for item in casemesh.json("court", "node", "list", "--from", "GA", "--to", "JCY")
    ]
    assert {"beihu-police", "beihu-court"} <= {item["code"] for item in casemesh.json("court", "agency", "list")}
    assert len(casemesh.json("procuratorate", "agency", "officers")) == 2
    [answer] = casemesh.json("court", "translate", POLICE_THEFT, "--to", "criminal-charges")
    assert answer["targets"][0]["value"]["code"] == "XZ221"


def test_a_dossier_sent_again_is_not_sent_again(casemesh: Casemesh, case: str, folder: Path, version: str) -> None:
    again = casemesh.json("police", "dossier", "send", folder, "--case", case)
    assert (again["name"], again["sent_bytes"]) == (version, 0)
    assert casemesh.json("police", "dossier", "status", version.split("/versions/")[0])["state"] == "FINAL"
    assert [item["version"] for item in casemesh.json("police", "dossier", "list", case)] == [version]


def test_a_sender_that_was_killed_goes_on(casemesh: Casemesh, case: str, tmp_path: Path) -> None:
    source = tmp_path / "大卷"
    (source / "证据卷").mkdir(parents=True)
    for number in range(12):
        (source / "证据卷" / f"{number}.jpg").write_bytes(os.urandom(10_000_000))
    size = 120_000_000
    sender = casemesh.start("police", "dossier", "send", source, "--case", case, "--json")
    journal_folder = Path(casemesh.environment["CASEMESH_STATE"]) / "sends"
    _await_journal(journal_folder, str(source))
    sender.send_signal(signal.SIGKILL)
    sender.wait()

    sent = casemesh.json("police", "dossier", "send", source, "--case", case)

    assert (sent["size_bytes"], sent["document_count"]) == (size, 12)
    assert sent["sent_bytes"] <= size
    assert casemesh.json("police", "dossier", "send", source, "--case", case)["name"] == sent["name"]
    dossiers = [item for item in casemesh.json("police", "dossier", "list", case) if item["title"] == "大卷"]
    assert len(dossiers) == 1


def _await_journal(folder: Path, source: str) -> None:
    """Wait until the sending of `source` has got its dossier."""
    while True:
        for journal in folder.glob("*.json"):
            content = json.loads(journal.read_text(encoding="utf-8"))
            if content["folder"] == source and content["dossier"]:
                return


def test_a_folder_that_changes_while_it_is_sent_is_not_mixed(casemesh: Casemesh, case: str, tmp_path: Path) -> None:
    source = tmp_path / "变动卷"
    (source / "卷").mkdir(parents=True)
    (source / "卷" / "a.jpg").write_bytes(b"first")
    stranger = casemesh.refused("court", "dossier", "send", source, "--case", case)
    assert stranger["error"] == "NOT_FOUND"
    (source / "卷" / "a.jpg").write_bytes(b"second")
    assert casemesh.refused("court", "dossier", "send", source, "--case", case)["error"] == "send.changed"


def test_the_recipient_downloads_and_proves_every_page(
    casemesh: Casemesh, exchange: str, version: str, folder: Path, tmp_path: Path
) -> None:
    target = tmp_path / "received"
    got = casemesh.json("procuratorate", "dossier", "get", version, "--to", target)
    assert (got["page_count"], got["verified"], got["received_bytes"]) == (3, True, 2_100_000)
    assert casemesh.json("procuratorate", "dossier", "get", version, "--to", target)["received_bytes"] == 0
    received = target / "documents" / "证据卷一" / "照片.jpg"
    assert received.read_bytes() == (folder / "证据卷一" / "照片.jpg").read_bytes()

    received.write_bytes(received.read_bytes()[:-1] + b"?")
    assert casemesh.refused("procuratorate", "dossier", "verify", target)["exit_code"] == 6


def test_an_exchange_is_answered_and_the_answer_pulled(
    casemesh: Casemesh, exchange: str, case: str, tmp_path: Path
) -> None:
    answer = casemesh.json("procuratorate", "exchange", "answer", exchange, "--node", "QS002", "--field", "result=受理")
    assert answer["answers"] == exchange
    assert exchange in [item["name"] for item in casemesh.json("police", "exchange", "list", case)]
    assert casemesh.json("police", "exchange", "show", exchange)["name"] == exchange
    pulled = casemesh.run("police-system", "receive", "--to", tmp_path, "--pull", "--json").stdout.splitlines()
    assert answer["name"] in "".join(pulled)
    assert casemesh.run("police-system", "receive", "--to", tmp_path, "--pull").stdout == ""


def test_a_command_told_to_stop_ends_in_order(casemesh: Casemesh, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    receiver = casemesh.start("court-system", "receive", "--to", inbox)
    while not inbox.exists():
        assert receiver.poll() is None
    receiver.terminate()
    assert receiver.wait(60) == 130


def test_an_officers_work_on_a_case_can_be_ended(casemesh: Casemesh, exchange: str, case: str) -> None:
    outsider = casemesh.json("procuratorate-outsider", "agency", "whoami")["subject"]
    casemesh.json("procuratorate-system", "access", "assign", case, outsider)
    assert outsider in [fact.get("officer") for fact in casemesh.json("procuratorate", "access", "list", case)]
    assert casemesh.run("procuratorate-outsider", "case", "show", case).exit_code == 0

    ended = casemesh.json("procuratorate-system", "access", "end", case, outsider, "--reason", "回避")

    assert ended["valid_until"]
    assert casemesh.run("procuratorate-outsider", "case", "show", case).exit_code == 3


def test_the_trail_is_exported_and_verifies_offline(
    casemesh: Casemesh, exchange: str, case: str, tmp_path: Path
) -> None:
    events = casemesh.json("police", "trail", "show", case)
    assert {"case.registered", "exchange.submitted", "exchange.accepted"} <= {event["action"] for event in events}
    bundle = tmp_path / "trail.json"
    exported = casemesh.json("police", "trail", "export", case, "--out", bundle)
    assert exported["verified"] is True
    assert casemesh.json("police", "trail", "verify", bundle)["events"] == exported["events"]

    bundle.write_bytes(bundle.read_bytes().replace(b"case.registered", b"case.forgotten.", 1))
    assert casemesh.refused("police", "trail", "verify", bundle)["exit_code"] == 6


def test_who_has_no_access_gets_one_answer_for_everything(
    casemesh: Casemesh, case: str, exchange: str, version: str
) -> None:
    for words, name in ((("case", "show"), case), (("exchange", "show"), exchange), (("trail", "show"), case)):
        kind = name.split("/")[0]
        real = casemesh.refused("court", *words, name)
        invented = casemesh.refused("court", *words, f"{kind}/{new_id()}")
        for said in (real, invented):
            del said["trace_id"]
        assert real == invented
        assert real["exit_code"] == 3


def test_a_failure_in_chinese_names_the_trace_and_the_trace_shows_what_happened(casemesh: Casemesh) -> None:
    failed = casemesh.run("court", "case", "show", f"cases/{new_id()}", "--lang", "zh")
    match = re.search("跟踪号: ([0-9a-f]{32})", failed.stderr)
    assert match is not None
    assert "不存在, 或无权查看 (NOT_FOUND)" in failed.stderr
    shown = _await_trace(casemesh, match[1])
    assert "casemesh.routing.v1.CaseService/GetCase" in shown
    assert "NOT_FOUND" in shown


def _await_trace(casemesh: Casemesh, trace: str) -> str:
    """Spans are sent in batches: ask until the routing service's has arrived."""
    for _ in range(60):
        shown = casemesh.run("court", "trace", "show", trace)
        if "CaseService/GetCase" in shown.stdout:
            return shown.stdout
    raise AssertionError(f"the trace did not arrive: {shown.stdout}{shown.stderr}")


def test_an_unknown_trace_and_an_unknown_agency_are_not_found(casemesh: Casemesh, case: str) -> None:
    assert casemesh.refused("court", "trace", "show", "0" * 32)["exit_code"] == 3
    words = ("exchange", "submit", "--case", case, "--node", "QS001", "--to", "nobody")
    assert casemesh.refused("police", *words)["error"] == "agency.unknown"


def test_the_demo_runs_on_a_platform_in_use_and_leaves_nothing_but_its_case(casemesh: Casemesh) -> None:
    arguments = ["demo", "--data", casemesh.data, "--pages", "12", "--bytes", "500000", "--json", "-"]
    finished = casemesh.run("police", *arguments)
    assert finished.exit_code == 0, finished.stderr
    figures = json.loads(finished.stdout)
    assert (figures["verified_pages"], figures["denied"], figures["trail_verified"]) == (12, True, True)
    assert "start" not in [step["step"] for step in figures["steps"]]
    assert list(casemesh.data.glob("casemesh-demo-*")) == []
    assert "beihu-court-2" in [item["code"] for item in casemesh.json("court", "agency", "list")]


def test_the_operator_finds_every_step_of_the_case_in_the_log(casemesh: Casemesh, exchange: str, case: str) -> None:
    reconcile = [sys.executable, "-m", "casemesh.cli.daemon", "audit", "reconcile", "--json", "--case", case]
    for _ in range(50):
        done = subprocess.run(
            [*reconcile, "--config-dir", str(casemesh.data / "config")], capture_output=True, text=True, check=False
        )
        found = json.loads(done.stdout)
        # What a service has committed reaches the log soon after; whatever else does not fit never will.
        if found["sound"]:
            break
    assert (0, []) == (done.returncode, found["findings"])
    assert found["facts"] >= 5
    sources = [sys.executable, "-m", "casemesh.cli.daemon", "audit", "sources", "--json", "--data", str(casemesh.data)]
    told = json.loads(subprocess.run(sources, capture_output=True, text=True, check=True).stdout)
    assert {"identity", "dossier", "routing"} <= {source["source"] for source in told}


def test_a_gateway_that_is_not_there_is_unavailable_and_can_be_tried_again(casemesh: Casemesh) -> None:
    config = Path(casemesh.environment["CASEMESH_CONFIG"])
    text = (config / "profiles" / "police.toml").read_text(encoding="utf-8")
    (config / "profiles" / "lost.toml").write_text(re.sub('gateway = "[^"]*"', 'gateway = "127.0.0.1:1"', text))
    finished = casemesh.run("lost", "case", "register", "t", "--party", "p")
    assert finished.exit_code == 5
    assert "--request-id" in finished.stderr
