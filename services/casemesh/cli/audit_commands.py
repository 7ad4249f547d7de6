"""`casemesh audit`: the trail of a case, and its proof."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.case_commands import CaseName, case_name
from casemesh.cli.invocation import Failure, Invocation, PurposeOption, command

if TYPE_CHECKING:
    from casemesh.client.trail import VerifiedTrail

app = typer.Typer(help="Who did what in a case, with proof.  全程留痕。", no_args_is_help=True)


@command(app, "trail", example="casemesh audit trail cases/0199e3f0-...")
async def trail(
    run: Invocation,
    case: CaseName,
    limit: Annotated[int, typer.Option("--limit", min=0, help="The most to list; 0 for all.  最多条数。")] = 0,
    purpose: PurposeOption = "",
) -> None:
    """List the events of a case in order. Reading them is itself an event.  查看留痕。"""
    from casemesh.audit.v1 import audit_query_service_pb2
    from casemesh.client.paging import paged

    request = audit_query_service_pb2.ListCaseEventsRequest(case=case_name(case), page_size=min(limit or 1000, 1000))
    async with run.session(purpose=purpose) as session:
        logged = [event async for event in paged(session.audit.ListCaseEvents, request, "events", limit=limit)]
    events = [{**json.loads(item.canonical_json), "log_index": item.log_index} for item in logged]
    run.output.table(events, ["#", "WHEN 时间", "WHAT 事项", "WHO 主体", "ON 对象"], [_row(event) for event in events])


@command(app, "export", example="casemesh audit export cases/0199e3f0-... --out trail.json")
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


@command(app, "verify", example="casemesh audit verify trail.json --log-key 'casemesh.example/audit+...+...'")
def verify(
    run: Invocation,
    file: Annotated[Path, typer.Argument(help="A trail exported before.  导出的留痕文件。")],
    log_key: Annotated[str, typer.Option("--log-key", help="The log's key; else the profile's.  日志公钥。")] = "",
    signing_roots: Annotated[
        Path | None, typer.Option("--signing-roots", help="Roots of document signing, PEM.  签名根证书。")
    ] = None,
) -> None:
    """Verify an exported trail. Needs no connection, only the log's public key.  离线验证留痕。"""
    from casemesh.client.trail_export import verify_trail

    key, roots = _trusted(run, log_key, signing_roots)
    _print_verified(run, verify_trail(file.read_bytes(), log_key=key, signing_roots=roots))


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
        "log": checkpoint.origin,
        "log_size": checkpoint.size,
        "log_root": checkpoint.root.hex(),
    }
    human = run.output.text(
        "trail.verified", case=verified.case, events=len(verified.events), log=checkpoint.origin, size=checkpoint.size
    )
    run.output.result(value, human)


def _row(event: dict[str, Any]) -> tuple[object, ...]:
    actor = event.get("actor") or {}
    who = actor.get("officer") or actor.get("system") or actor.get("peer") or ""
    return (
        event.get("case_sequence", ""),
        event.get("occur_time", ""),
        event.get("action", ""),
        who,
        event.get("resource", ""),
    )
