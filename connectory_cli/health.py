"""`connectory health`: ask a server for its health, for container probes and people."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from connectory_cli.reaching import Reach, client_tls

__all__ = ["HealthOptions", "health"]


@dataclass(frozen=True, kw_only=True)
class HealthOptions:
    """What to ask, and how to connect."""

    endpoint: str
    service: str
    timeout: float
    """Seconds."""
    tls_ca: Path | None
    tls_cert: Path | None
    tls_key: Path | None
    tls_name: str

    @property
    def reach(self) -> Reach:
        """How the server is reached: without a token, which health does not need."""
        return Reach(tls=client_tls(self.tls_ca, self.tls_cert, self.tls_key, self.tls_name))


async def _answer(options: HealthOptions) -> health_pb2.HealthCheckResponse:
    async with options.reach.channel(options.endpoint) as channel:
        request = health_pb2.HealthCheckRequest(service=options.service)
        answer: health_pb2.HealthCheckResponse = await health_pb2_grpc.HealthStub(channel).Check(
            request, timeout=options.timeout
        )
        return answer


def health(options: HealthOptions) -> int:
    """Print the status; exit code 0 only when it is SERVING."""
    try:
        answer = asyncio.run(_answer(options))
    except grpc.aio.AioRpcError as error:
        typer.echo(f"{options.endpoint}: {error.code().name}: {error.details()}", err=True)
        return 1
    typer.echo(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
    return 0 if answer.status == health_pb2.HealthCheckResponse.SERVING else 1
