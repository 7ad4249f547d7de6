"""`casemesh log-witness`: an agency watches over the audit log and cosigns what it has verified."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from casemesh.cli.invocation import Failure, Invocation, command

if TYPE_CHECKING:
    from casemesh.client.log_witness.watching import LogWitness, Look
    from casemesh.client.notes import Checkpoint, VerifierKey

app = typer.Typer(help="Watch over the audit log and cosign it.  审计日志见证。", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--dir", help="The witness's folder.  见证目录。", metavar="DIR")]


@command(app, "init", example="casemesh log-witness init --dir ./witness --name beihu-court.example/log-witness")
def init(
    run: Invocation,
    directory: Folder,
    name: Annotated[str, typer.Option("--name", help="What it cosigns as: no spaces, no plus.  见证方名称。")],
) -> None:
    """Make a witness's key and print its public half, which the log's operator needs.  生成见证密钥。"""
    from casemesh.client.log_witness.folder import WitnessFolder
    from casemesh.client.notes import NoteError

    with _folder_errors():
        try:
            key = str(WitnessFolder.create(directory, name).verifier_key())
        except NoteError as error:
            raise Failure(2, "witness.name", why=error) from None
    run.output.result({"dir": str(directory), "verifier_key": key}, key)


@command(app, "run", example="casemesh log-witness run --dir ./witness")
async def watch(
    run: Invocation,
    directory: Folder,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between looks.  间隔秒数。")] = 15.0,
    looks: Annotated[int, typer.Option("--looks", min=0, help="End after so many; 0 goes on.  次数。")] = 0,
) -> None:
    """Verify and cosign until Ctrl-C. Ends with 6 when the log is not what it was, with evidence.  持续见证。"""
    import asyncio

    from casemesh.errors import DeadlineExceeded, Unavailable

    done = 0
    async with _witness(run, directory) as witness:
        while True:
            try:
                _tell(run, await witness.look())
            except (Unavailable, DeadlineExceeded) as error:
                # The log away for a while is no alarm; what it shows afterwards will be held against what was seen.
                run.output.notice("witness.away", why=error.message)
            done += 1
            if done == looks:
                return
            await asyncio.sleep(every)


@command(app, "check", example="casemesh log-witness check --dir ./witness --against ./from-another-agency")
async def check(
    run: Invocation,
    directory: Folder,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="FILE", help="A checkpoint another was shown.  他方收到的检查点。"),
    ] = None,
) -> None:
    """Verify the log once and cosign nothing. Ends with 6 when it is not what it was.  核验一次。"""
    async with _witness(run, directory) as witness:
        if against is not None:
            await witness.compare(against.read_text(encoding="utf-8"))
        checkpoint = await witness.verify()
    run.output.result(_plain(checkpoint), run.output.text("witness.holds", log=checkpoint.origin, size=checkpoint.size))


@command(app, "show", example="casemesh log-witness show --dir ./witness --json")
def show(run: Invocation, directory: Folder) -> None:
    """Show the witness's key and what it has seen and cosigned. Needs no connection.  查看见证状态。"""
    from casemesh.client.log_witness.folder import WitnessFolder

    folder, log_key = WitnessFolder(directory), _log_key(run)
    with _folder_errors():
        key, seen, cosigned = folder.verifier_key(), folder.seen(log_key), folder.cosigned(log_key)
        evidence = sorted(path.name for path in directory.glob("evidence-*"))
    run.output.fields(
        {
            "verifier_key": str(key),
            "seen": _plain(seen) if seen is not None else None,
            "cosigned": _plain(cosigned) if cosigned is not None else None,
            "evidence": evidence,
        },
        [
            ("KEY 公钥", key),
            ("SEEN 已见", seen.size if seen is not None else "-"),
            ("COSIGNED 已签", cosigned.size if cosigned is not None else "-"),
            ("EVIDENCE 证据", ", ".join(evidence)),
        ],
    )


@command(app, "prove", example="casemesh log-witness prove 4711 --out ./entry-4711.tlog-proof")
async def prove(
    run: Invocation,
    index: Annotated[int, typer.Argument(min=0, help="The entry's place in the log, `log_index`.  日志位置。")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.  输出文件。", metavar="FILE")],
) -> None:
    """Write the proof that an entry is in the log, as a file that other tools check.  生成日志位置证明文件。"""
    from casemesh.audit.v1 import audit_query_service_pb2, log_witness_service_pb2
    from casemesh.client.notes import open_checkpoint
    from casemesh.client.tlog_proof import encode_proof, verify_proof_file

    log_key = _log_key(run)
    async with run.session() as session:
        answer = await session.log_witness.GetCosignedCheckpoint(log_witness_service_pb2.GetCosignedCheckpointRequest())
        note, cosigned = answer.note, bool(answer.note)
        if not cosigned or open_checkpoint(note, log_key).size <= index:
            cosigned = False
            note = (await session.audit.GetCheckpoint(audit_query_service_pb2.GetCheckpointRequest())).note
        size = open_checkpoint(note, log_key).size
        proof = await session.audit.GetInclusionProof(
            audit_query_service_pb2.GetInclusionProofRequest(log_index=index, tree_size=size)
        )
    text = encode_proof(index, list(proof.hashes), note)
    verify_proof_file(text, proof.leaf_hash, log_key)
    out.write_text(text, encoding="utf-8")
    run.output.result(
        {"file": str(out), "log_index": index, "log_size": size, "cosigned": cosigned},
        run.output.text("witness.proof", path=out, index=index, size=size),
    )


@asynccontextmanager
async def _witness(run: Invocation, directory: Path) -> AsyncIterator[LogWitness]:
    from casemesh.client.log_witness.folder import WitnessFolder
    from casemesh.client.log_witness.watching import LogAlarm, LogWitness, RemoteLog
    from casemesh.core.clock import SystemClock

    folder, log_key = WitnessFolder(directory), _log_key(run)
    with _folder_errors():
        folder.verifier_key()
        with folder.held():
            async with run.session(as_system=True) as session:
                try:
                    yield LogWitness(RemoteLog(session), folder, log_key, SystemClock())
                except LogAlarm as alarm:
                    raise Failure(
                        6,
                        "witness.alarm",
                        alarm=alarm.alarm.value,
                        detail=alarm.detail,
                        evidence=", ".join(str(path) for path in alarm.evidence) or "-",
                    ) from alarm


@contextmanager
def _folder_errors() -> Iterator[None]:
    from casemesh.client.log_witness.folder import WitnessFolderError

    try:
        yield
    except WitnessFolderError as error:
        raise Failure(4, "witness.folder", why=error) from error


def _log_key(run: Invocation) -> VerifierKey:
    key = run.profile().verifier_key()
    if key is None:
        raise Failure(2, "witness.no_log_key")
    return key


def _tell(run: Invocation, look: Look) -> None:
    cosigned = look.cosigned.size if look.cosigned is not None else None
    if run.output.as_json:
        run.output.event({"seen": look.seen.size, "cosigned": cosigned})
    elif cosigned is not None:
        run.output.notice("witness.cosigned", seen=look.seen.size, cosigned=cosigned)


def _plain(checkpoint: Checkpoint) -> dict[str, object]:
    return {"log": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}
