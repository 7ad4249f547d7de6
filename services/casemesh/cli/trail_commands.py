"""`casemesh trail`: who did what in a case, when, under which right, and its proof."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.invocation import Failure, Invocation, PurposeOption, command

if TYPE_CHECKING:
    from datetime import datetime

    from casemesh.audit.v1.event_pb2 import LoggedEvent
    from casemesh.cli.output import Output
    from casemesh.client.session import Session
    from casemesh.client.trail import VerifiedTrail

app = typer.Typer(help="Who did what in a case, with proof.  全程留痕。", no_args_is_help=True)


@command(
    app, "show", example="casemesh trail show cases/0199e3f0-... --action exchange --since 2026-07-01T00:00:00+08:00"
)
async def show(
    run: Invocation,
    case: CaseName,
    action: Annotated[
        list[str] | None,
        typer.Option("--action", help="Only such, e.g. dossier.version; see `trail actions`.  按事项筛选。"),
    ] = None,
    agency: Annotated[str, typer.Option("--agency", help="Only by this agency.  按单位筛选。", metavar="NAME")] = "",
    officer: Annotated[str, typer.Option("--officer", help="Only by this officer.  按人员筛选。", metavar="NAME")] = "",
    since: Annotated[str, typer.Option("--since", help="From this time on.  起始时间。", metavar="TIME")] = "",
    until: Annotated[str, typer.Option("--until", help="Before this time.  截止时间。", metavar="TIME")] = "",
    limit: Annotated[int, typer.Option("--limit", min=0, help="The most to list; 0 for all.  最多条数。")] = 0,
    purpose: PurposeOption = "",
) -> None:
    """List the events of a case in order. Reading them is itself an event.  查看留痕,查看本身亦留痕。"""
    from casemesh.audit.v1 import audit_query_service_pb2
    from casemesh.client.paging import paged

    request = audit_query_service_pb2.ListCaseEventsRequest(
        case=case_name(case),
        page_size=min(limit or 1000, 1000),
        actions=action or [],
        agency=agency,
        officer=officer,
        start_time=_moment(since) if since else None,
        end_time=_moment(until) if until else None,
    )
    async with run.session(purpose=purpose) as session:
        logged = [event async for event in paged(session.audit.ListCaseEvents, request, "events", limit=limit)]
        events = [_shown(item) for item in logged]
        agencies = {} if run.output.as_json else await _display_names(session)
    rows = [_row(event, agencies, run.output) for event in events]
    run.output.table(events, ["#", "WHEN 时间", "WHAT 事项", "WHO 主体", "ON 对象", "RIGHT 依据", "TRACE 跟踪号"], rows)


@command(app, "actions", example="casemesh trail actions")
def actions(run: Invocation) -> None:
    """List what can stand in a trail.  列出留痕事项。"""
    from dataclasses import asdict

    from casemesh.data.event_actions import event_actions

    known = event_actions().values()
    run.output.table(
        [asdict(action) for action in known],
        ["ACTION 代码", "中文", "ENGLISH"],
        [(action.action, action.name_zh, action.name_en) for action in known],
    )


@command(app, "export", example="casemesh trail export cases/0199e3f0-... --out trail.json")
async def export(
    run: Invocation,
    case: CaseName,
    out: Annotated[Path, typer.Option("--out", help="The file to write.  输出文件。")],
    purpose: PurposeOption = "",
) -> None:
    """Export a case's trail as one file that verifies offline; the profile's key checks it at once.  导出留痕。"""
    from casemesh.client.trail_export import export_trail, verify_trail

    async with run.session(purpose=purpose) as session:
        bundle = await export_trail(session.audit, case_name(case))
    out.write_bytes(bundle)
    profile = run.profile()
    value: dict[str, Any] = {"file": str(out), "bytes": len(bundle), "verified": False}
    if profile.log_key or profile.signing_roots:
        verified = verify_trail(
            bundle, log_key=profile.verifier_key(), signing_roots=profile.trusted_roots(), case=case_name(case)
        )
        value |= {"verified": True, "events": len(verified.events)}
        run.output.result(value, run.output.text("trail.exported", path=out, events=len(verified.events)))
    else:
        run.output.result(value, run.output.text("trail.exported_unverified", path=out))


@command(app, "verify", example="casemesh trail verify trail.json --log-key 'casemesh.example/audit+...+...'")
def verify(
    run: Invocation,
    file: Annotated[Path, typer.Argument(help="A trail exported before.  导出的留痕文件。")],
    log_key: Annotated[str, typer.Option("--log-key", help="The log's key; else the profile's.  日志公钥。")] = "",
    signing_roots: Annotated[
        Path | None, typer.Option("--signing-roots", help="Roots of document signing, PEM.  签名根证书。")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option("--witness", help="A log witness's key; may be repeated.  见证方公钥。")
    ] = None,
    quorum: Annotated[
        int, typer.Option("--quorum", min=0, help="How many of them must have cosigned.  见证方最少数。")
    ] = 0,
) -> None:
    """Verify an exported trail. Needs no connection, only the log's public key.  离线验证留痕。"""
    from casemesh.client.cosignatures import WitnessKey
    from casemesh.client.notes import NoteError
    from casemesh.client.trail_export import verify_trail

    key, roots = _trusted(run, log_key, signing_roots)
    try:
        witnesses = [WitnessKey.parse(text) for text in witness or []]
    except NoteError as error:
        raise Failure(2, "usage.log_key", why=error) from None
    verified = verify_trail(file.read_bytes(), log_key=key, signing_roots=roots, witnesses=witnesses, quorum=quorum)
    _print_verified(run, verified)


@command(app, "verifier", example="casemesh trail verifier --out verify_trail.py")
def verifier(
    run: Invocation,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; else printed.  输出文件。")] = None,
) -> None:
    """Give out the script that verifies a trail with Python and `cryptography` alone.  取得独立验证程序。"""
    from importlib.resources import files

    script = files("casemesh.client").joinpath("verify_trail.py").read_text(encoding="utf-8")
    if out is None:
        sys.stdout.write(script)
        return
    out.write_text(script, encoding="utf-8")
    run.output.result({"file": str(out)}, run.output.text("trail.verifier", path=out))


def _trusted(run: Invocation, log_key: str, signing_roots: Path | None) -> tuple[Any, Any]:
    from casemesh.client.notes import NoteError, VerifierKey
    from casemesh.client.profile import read_roots

    if not log_key and signing_roots is None:
        profile = run.profile()
        return profile.verifier_key(), profile.trusted_roots()
    try:
        key = VerifierKey.parse(log_key) if log_key else None
    except NoteError as error:
        raise Failure(2, "usage.log_key", why=error) from None
    return key, read_roots(signing_roots) if signing_roots is not None else []


def _print_verified(run: Invocation, verified: VerifiedTrail) -> None:
    checkpoint = verified.checkpoint
    value = {
        "verified": True,
        "case": verified.case,
        "events": len(verified.events),
        "shredded": len(verified.shredded),
        "cosigned_by": list(verified.cosigned_by),
        "cosigned_size": verified.cosigned_size,
        "log": checkpoint.origin,
        "log_size": checkpoint.size,
        "log_root": checkpoint.root.hex(),
    }
    human = run.output.text(
        "trail.verified", case=verified.case, events=len(verified.events), log=checkpoint.origin, size=checkpoint.size
    )
    if verified.shredded:
        human += "\n" + run.output.text("trail.shredded", count=len(verified.shredded))
    run.output.result(value, human)


def _moment(text: str) -> datetime:
    """The instant typed; without an offset it is China's time, as all times are shown."""
    from datetime import datetime

    from casemesh.core.clock import CHINA

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(2, "trail.time", text=text) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=CHINA)


def _shown(logged: LoggedEvent) -> dict[str, Any]:
    if not logged.canonical_json:
        return {"case_sequence": logged.case_sequence, "log_index": logged.log_index, "shredded": True}
    return {**json.loads(logged.canonical_json), "log_index": logged.log_index}


async def _display_names(session: Session) -> dict[str, str]:
    """What people call the agencies; a reader of a trail need not know their identifiers."""
    from casemesh.client.paging import paged
    from casemesh.identity.v1 import directory_service_pb2

    request = directory_service_pb2.ListAgenciesRequest(page_size=1000)
    agencies = paged(session.directory.ListAgencies, request, "agencies")
    return {agency.name: agency.display_name async for agency in agencies}


def _row(event: dict[str, Any], agencies: Mapping[str, str], output: Output) -> tuple[object, ...]:
    from datetime import datetime

    from casemesh.cli.messages import Language
    from casemesh.core.clock import CHINA
    from casemesh.data.event_actions import event_actions

    if event.get("shredded"):
        return (event["case_sequence"], "", output.text("trail.text_shredded"), "", "", "", "")
    actor = event.get("actor") or {}
    agency = actor.get("agency", "")
    person = (actor.get("officer") or actor.get("system") or "").rpartition("/")[2]
    who = " ".join(part for part in (agencies.get(agency, agency), person) if part) or actor.get("peer", "")
    known, chinese = event_actions().get(event["action"]), output.language is Language.CHINESE
    what = event["action"] if known is None else known.name_zh if chinese else known.name_en
    when = datetime.fromisoformat(event["occur_time"]).astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    resource = event.get("resource", "")
    on = "" if resource == event.get("case") else resource
    return (event.get("case_sequence", ""), when, what, who, on, event.get("basis", ""), event.get("trace_id", ""))
