"""A gRPC server that takes a stream and throws it away: the raw limit that uploads are held against.

Same TLS, same HTTP/2 settings and same path as the dossier service's upload, so that the same gateway leads to it; but
nothing is parsed, checked or kept. Prints its port and serves until its standard input closes.

    python -m bench.raw_sink CERTIFICATE_FOLDER
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from casemesh.runtime.config import ServerConfig
from casemesh.runtime.host import _options
from casemesh.runtime.tls import CertificateFolder

SERVICE, METHOD = "casemesh.dossier.v1.DossierService", "UploadDocuments"


async def take(messages: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
    """Answer the end of the stream with the number of bytes that came."""
    total = 0
    async for message in messages:
        total += len(message)
    yield total.to_bytes(8, "big")


async def serve(folder: Path) -> None:
    server = grpc.aio.server(options=_options(ServerConfig(listen="")))
    handler = grpc.stream_stream_rpc_method_handler(take)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler}),))
    port = server.add_secure_port("127.0.0.1:0", CertificateFolder(folder).server_credentials())
    await server.start()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(0)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
