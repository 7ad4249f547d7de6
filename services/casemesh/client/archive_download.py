"""Receives a dossier version as one ZIP file, from where it broke off."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import grpc
import grpc.aio

from casemesh.client.durable_files import sync_names
from casemesh.dossier.v1 import dossier_read_service_pb2 as pb
from casemesh.errors import CaseMeshError, Unavailable, from_rpc_error

if TYPE_CHECKING:
    from casemesh.dossier.v1.dossier_read_service_pb2_grpc import DossierReadServiceAsyncStub

_LONGEST_PAUSE_SECONDS: Final = 5.0


async def download_archive(
    dossier_read: DossierReadServiceAsyncStub,
    version: str,
    target: Path,
    *,
    progress: Callable[[int], None] | None = None,
    patience_seconds: float = 120.0,
) -> int:
    """Fetch a version's ZIP file into ``target``, durably; returns its size in bytes.

    What is missing is written behind what is there, which must be a part of the same archive: nothing of it is checked
    here, and a ZIP file's checksums are no signature. For that fetch the version with `dossier_download`. While it is
    not whole it has the name with `.part` behind it. Breaks are repaired for as long as no ``patience_seconds`` pass
    without a byte. Raises CaseMeshError, OSError.
    """
    if await asyncio.to_thread(target.exists):
        return os.stat(target).st_size
    part = target.with_name(f"{target.name}.part")
    pause, deadline, best = 0.2, time.monotonic() + patience_seconds, -1
    with await asyncio.to_thread(part.open, "ab") as file:
        while True:
            try:
                size = await _receive(dossier_read, version, file, progress)
                break
            except CaseMeshError as error:
                if file.tell() > best:
                    pause, deadline, best = 0.2, time.monotonic() + patience_seconds, file.tell()
                if not isinstance(error, Unavailable) or time.monotonic() + pause > deadline:
                    raise
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - spreads load, guards nothing
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        await asyncio.to_thread(os.fsync, file.fileno())
    os.replace(part, target)
    sync_names(target.parent)
    return size


async def _receive(
    dossier_read: DossierReadServiceAsyncStub, version: str, file: BinaryIO, progress: Callable[[int], None] | None
) -> int:
    size = -1
    request = pb.DownloadArchiveRequest(version=version, first_offset_bytes=file.tell())
    stream = dossier_read.DownloadArchive(request)
    try:
        async for message in stream:
            if size < 0:
                size = message.size_bytes
            await asyncio.to_thread(file.write, message.data)
            if progress is not None:
                progress(file.tell())
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
    finally:
        stream.cancel()
        file.flush()
    if file.tell() != size:
        raise Unavailable("UNKNOWN", "the stream ended before the archive did")
    return size
