"""Whether other services and the gateway can be reached under this service's certificate, and prove who they are."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Final

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from casemesh.client.channel import Credentials, open_channel
from casemesh.local.doctor.findings import Finding, well, wrong

_SECONDS: Final = 3.0


async def examine_peer(service: str, peer: str, address: str, tls: Path) -> Finding:
    """Return whether `service` reaches `peer` over mTLS.

    What the peer answers does not matter: it refuses to tell services its health, and a refusal is an answer.
    """
    subject = f"{service} -> {peer} {address}"
    try:
        channel = open_channel(address, Credentials(tls), server_name=f"{peer}.casemesh.svc")
        try:
            await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=_SECONDS)
        finally:
            await channel.close()
    except grpc.aio.AioRpcError as error:
        if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            return wrong("peer", subject, _why(error.details() or ""), _mend(error.details() or "", peer))
    except OSError as error:
        return wrong("peer", subject, f"{tls}: {error.strerror}", "mend the certificate first  先修复证书")
    return well("peer", subject, "answers over mTLS")


async def examine_gateway(address: str, trust: Path) -> Finding:
    """Return whether the gateway listens and shows a certificate of the mesh."""
    host, _, port = address.rpartition(":")
    try:
        context = ssl.create_default_context(cafile=str(trust))
        # The name is the agencies' matter; here it matters that the mesh's CA issued the certificate.
        context.check_hostname = False
        async with asyncio.timeout(_SECONDS):
            _, writer = await asyncio.open_connection(host, int(port), ssl=context)
        writer.transport.abort()
    except ssl.SSLCertVerificationError as error:
        return wrong(
            "gateway", address, f"shows a certificate that the mesh did not issue ({error.verify_message})",
            "is it this platform's gateway? casemeshd pki renew mesh/gateway --dir PKI  更新网关证书",
        )  # fmt: skip
    except (OSError, TimeoutError) as error:
        return wrong(
            "gateway", address, f"does not answer ({type(error).__name__})",
            "is Envoy running, and may this machine reach it? see its log  检查网关进程与网络",
        )  # fmt: skip
    return well("gateway", address, "listens with a certificate of the mesh")


def _why(details: str) -> str:
    # gRPC tells a refused certificate, a refused connection and silence apart by words alone.
    if any(sign in details for sign in ("CERTIFICATE", "certificate", "Peer name", "SSL", "TLS")):
        return "is there, and the two do not accept each other's certificates"
    return "does not answer"


def _mend(details: str, peer: str) -> str:
    if "certificate" in _why(details):
        return f"do both have the same ca.pem, and does {peer}'s certificate name {peer}?  核对双方证书与 CA"
    return f"is {peer} running, and is its address in [peers] right?  检查对端进程与配置地址"
