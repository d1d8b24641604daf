"""How a connector service is reached: one channel, with the limits and waits that suit a workflow engine."""

from dataclasses import dataclass
from pathlib import Path

import grpc.aio

__all__ = ["DEFAULT_MESSAGE_BYTES", "ClientTls", "open_channel"]

DEFAULT_MESSAGE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientTls:
    """How to trust the service, and how to prove who is asking. Files are in PEM."""

    root_certificate: Path | None = None
    """Whom to trust; None: the system's authorities."""
    certificate: Path | None = None
    """The client's own certificate, for services that ask for one; needs `key`."""
    key: Path | None = None
    server_name: str = ""
    """The name to expect in the service's certificate; empty: the one in the target."""


def open_channel(
    target: str, *, tls: ClientTls | None = None, max_message_bytes: int = DEFAULT_MESSAGE_BYTES
) -> grpc.aio.Channel:
    """A channel to `unix:/path` or `host:port`. It connects on the first call; needs a running event loop."""
    options: list[tuple[str, int | str]] = [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", 300_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 10_000),  # how long a connection may take to be made
        ("grpc.max_reconnect_backoff_ms", 2_000),
    ]
    if target.startswith("unix:"):
        options.append(("grpc.default_authority", "localhost"))
    if tls is None:
        return grpc.aio.insecure_channel(target, options=options)
    if tls.server_name:
        options.append(("grpc.ssl_target_name_override", tls.server_name))
    credentials = grpc.ssl_channel_credentials(
        root_certificates=_read(tls.root_certificate),
        private_key=_read(tls.key),
        certificate_chain=_read(tls.certificate),
    )
    return grpc.aio.secure_channel(target, credentials, options=options)


def _read(path: Path | None) -> bytes | None:
    return path.read_bytes() if path is not None else None
