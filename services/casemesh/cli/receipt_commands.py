"""`casemesh receipt`: signed evidence of what became of an exchange."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from casemesh.cli.exchange_commands import ExchangeName, exchange_name
from casemesh.cli.invocation import Failure, Invocation, command

if TYPE_CHECKING:
    from casemesh.client.receipts import VerifiedReceipt

app = typer.Typer(help="Receipts of an exchange, and their proof.  回执。", no_args_is_help=True)


@command(app, "list", example="casemesh receipt list exchanges/0199e3f0-...")
async def list_receipts(run: Invocation, exchange: ExchangeName) -> None:
    """List the receipts of an exchange, oldest first.  列出回执。"""
    from casemesh.cli.message_json import enum_name, plain
    from casemesh.client.paging import paged
    from casemesh.routing.v1 import receipt_pb2, receipt_service_pb2

    request = receipt_service_pb2.ListReceiptsRequest(exchange=exchange_name(exchange), page_size=1000)
    async with run.session() as session:
        found = [item async for item in paged(session.receipts.ListReceipts, request, "receipts")]
    run.output.table(
        [{key: value for key, value in plain(item).items() if key != "statement"} for item in found],
        ["RECEIPT 回执", "KIND 类型", "WHEN 时间", "AGENCY 单位"],
        [
            (
                item.name,
                enum_name(receipt_pb2.ReceiptKind.DESCRIPTOR, item.kind),
                item.issue_time.ToJsonString(),
                item.agency,
            )
            for item in found
        ],
    )


@command(app, "get", example="casemesh receipt get exchanges/../receipts/.. --out ./receipt.json")
async def get(
    run: Invocation,
    receipt: Annotated[str, typer.Argument(help="The receipt's name.  回执名称。", metavar="RECEIPT")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.  输出文件。", metavar="FILE")],
    log_place: Annotated[
        bool, typer.Option("--log/--no-log", help="Add the proof of its place in the audit log.  附审计日志证明。")
    ] = True,
) -> None:
    """Save a receipt as a file that verifies offline; checks it at once where the profile can.  保存回执。"""
    from casemesh.client.receipt_export import export_receipt

    async with run.session() as session:
        file = await export_receipt(session.receipts, session.audit, receipt, with_log=log_place)
    out.write_bytes(file)
    profile = run.profile()
    value: dict[str, Any] = {"file": str(out), "verified": False}
    roots = profile.trusted_roots()
    if not roots:
        run.output.result(value, run.output.text("receipt.saved_unverified", path=out))
        return
    from casemesh.client.receipts import verify as verify_file

    verified = verify_file(file, roots, log_key=profile.verifier_key())
    value |= {"verified": True, "log_index": verified.log_index}
    key = "receipt.saved" if verified.log_index is not None else "receipt.saved_without_log"
    run.output.result(value, run.output.text(key, path=out))


@command(app, "verify", example="casemesh receipt verify ./receipt.json --signing-roots ./signing-ca.pem")
def verify(
    run: Invocation,
    file: Annotated[Path, typer.Argument(help="A receipt saved before.  回执文件。", metavar="FILE")],
    signing_roots: Annotated[
        Path | None, typer.Option("--signing-roots", help="Roots of document signing, PEM.  签名根证书。")
    ] = None,
    log_key: Annotated[str, typer.Option("--log-key", help="The log's key; else the profile's.  日志公钥。")] = "",
    delivery: Annotated[
        Path | None,
        typer.Option("--delivery", help="A file of `casemesh receive`, to compare.  待核对的送达件。", metavar="FILE"),
    ] = None,
    require_log: Annotated[
        bool, typer.Option("--require-log", help="Fail unless its place in the log is proved.  须有日志证明。")
    ] = False,
) -> None:
    """Verify a receipt. Needs no connection, public keys alone.  离线验证回执。"""
    from casemesh.client.notes import NoteError, VerifierKey
    from casemesh.client.profile import read_roots
    from casemesh.client.receipts import ReceiptError
    from casemesh.client.receipts import verify as verify_file

    digest = _digest_in(delivery) if delivery is not None else None
    try:
        key = VerifierKey.parse(log_key) if log_key else None
    except NoteError as error:
        raise Failure(2, "usage.log_key", why=error) from None
    if signing_roots is not None:
        roots = read_roots(signing_roots)
    else:
        roots, key = run.profile().trusted_roots(), key or run.profile().verifier_key()
    verified = verify_file(file.read_bytes(), roots, log_key=key, exchange_sha256=digest)
    if require_log and verified.log_index is None:
        raise ReceiptError("the file carries no proof of the receipt's place in the audit log")
    _print_verified(run, verified)


def _digest_in(delivery: Path) -> bytes:
    try:
        return bytes.fromhex(json.loads(delivery.read_bytes())["exchange_sha256"])
    except (ValueError, TypeError, KeyError):
        raise Failure(4, "receipt.no_delivery", path=delivery) from None


def _print_verified(run: Invocation, verified: VerifiedReceipt) -> None:
    from casemesh.client.receipts import payload

    stated = {name: value for name, value in payload(verified.receipt).items() if name != "format"}
    checkpoint = verified.checkpoint
    value = {
        "verified": True,
        **stated,
        "log_index": verified.log_index,
        "log": checkpoint.origin if checkpoint is not None else None,
        "log_size": checkpoint.size if checkpoint is not None else None,
    }
    key = "receipt.holds" if checkpoint is not None else "receipt.holds_without_log"
    human = run.output.text(
        key,
        kind=verified.receipt.kind,
        exchange=verified.receipt.exchange,
        by=verified.receipt.by,
        time=verified.receipt.time,
        digest=verified.receipt.exchange_sha256.hex(),
        log=checkpoint.origin if checkpoint is not None else "",
        index=verified.log_index if checkpoint is not None else "",
    )
    run.output.result(value, human)
