"""`connectory health`: ask a server for its health, for container probes and people."""

from dataclasses import dataclass
from pathlib import Path

import grpc
import typer
from grpc_health.v1 import health_pb2, health_pb2_grpc

from connectory.errors import SettingsError
from connectory_cli.options import AUTHORITIES

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


def _read(option: str, path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{option} {path} cannot be read: {error.strerror}") from error


def _channel(options: HealthOptions) -> grpc.Channel:
    if options.tls_ca is None or options.endpoint.startswith("unix:"):
        return grpc.insecure_channel(options.endpoint)
    credentials = grpc.ssl_channel_credentials(
        root_certificates=None if str(options.tls_ca) == AUTHORITIES else _read("--tls-ca", options.tls_ca),
        private_key=_read("--tls-key", options.tls_key),
        certificate_chain=_read("--tls-cert", options.tls_cert),
    )
    name = [("grpc.ssl_target_name_override", options.tls_name)] if options.tls_name else []
    return grpc.secure_channel(options.endpoint, credentials, options=name)


def health(options: HealthOptions) -> int:
    """Print the status; exit code 0 only when it is SERVING."""
    with _channel(options) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=options.service), timeout=options.timeout
            )
        except grpc.RpcError as error:
            typer.echo(f"{options.endpoint}: {error.code().name}: {error.details()}", err=True)
            return 1
    typer.echo(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
    return 0 if answer.status == health_pb2.HealthCheckResponse.SERVING else 1
