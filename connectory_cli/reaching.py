"""How the command line reaches services: by TLS and with a token, as the environment or options say."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc.aio

from connectory.client.channel import ClientTls, open_channel
from connectory.client.connector import ConnectorClient
from connectory.client.control import ControlClient
from connectory.client.jobs import JobClient
from connectory.client.operations import OperationsClient
from connectory.client.tokens import BearerToken
from connectory.errors import SettingsError
from connectory_cli.options import AUTHORITIES

__all__ = ["Reach", "client_tls", "reach_from"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """What every client of this process is given. Unix sockets have no TLS: only their owner reaches them."""

    tls: ClientTls | None = None
    token: BearerToken | None = None

    def connectors(self, target: str, *, inside: bool = False) -> ConnectorClient:
        """A client of a connector server, which may be one inside of this process."""
        return ConnectorClient(target, tls=self._tls_to(target), token=self.token, inside=inside)

    def control(self, target: str) -> ControlClient:
        """A client of a runner's control API."""
        return ControlClient(target, tls=self._tls_to(target), token=self.token)

    def jobs(self, target: str, *, timeout: float = 60.0) -> JobClient:
        """A client of a connector server's job service; `timeout` in seconds."""
        return JobClient(target, tls=self._tls_to(target), token=self.token, timeout=timeout)

    def operations(self, target: str, *, timeout: float = 60.0) -> OperationsClient:
        """A client of a connector server's operations service; `timeout` in seconds."""
        return OperationsClient(target, tls=self._tls_to(target), token=self.token, timeout=timeout)

    def channel(self, target: str) -> grpc.aio.Channel:
        """A channel for what needs no token; see `open_channel`."""
        return open_channel(target, tls=self._tls_to(target))

    def _tls_to(self, target: str) -> ClientTls | None:
        return None if target.startswith("unix:") else self.tls


def reach_from(
    environ: Mapping[str, str] | None = None,
    *,
    ca: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    server_name: str = "",
) -> Reach:
    """What CONNECTORY_TOKEN_FILE, CONNECTORY_TOKEN, CONNECTORY_TOKEN_PLAIN_TEXT and CONNECTORY_CLIENT_CA, _CERT, _KEY
    and _SERVER_NAME say in `environ` (None: this process's); options come before them.
    """
    said = os.environ if environ is None else environ
    return Reach(
        tls=client_tls(
            ca or _path(said, "CONNECTORY_CLIENT_CA"),
            certificate or _path(said, "CONNECTORY_CLIENT_CERT"),
            key or _path(said, "CONNECTORY_CLIENT_KEY"),
            server_name or said.get("CONNECTORY_CLIENT_SERVER_NAME", ""),
        ),
        token=_token(said),
    )


def client_tls(ca: Path | None, certificate: Path | None, key: Path | None, server_name: str = "") -> ClientTls | None:
    """How to speak TLS with these files; None: not at all. Files that cannot be used are a `SettingsError`."""
    if (certificate is None) != (key is None):
        raise SettingsError(
            "a client certificate and its key belong together; give CONNECTORY_CLIENT_CERT and CONNECTORY_CLIENT_KEY"
            " (--tls-cert and --tls-key), or neither"
        )
    if ca is None and certificate is None:
        return None
    trusted = None if ca is None or str(ca) == AUTHORITIES else ca
    for path in (trusted, certificate, key):
        if path is not None and not os.access(path, os.R_OK):
            raise SettingsError(f"{path} cannot be read; name a PEM file")
    return ClientTls(root_certificate=trusted, certificate=certificate, key=key, server_name=server_name)


def _token(said: Mapping[str, str]) -> BearerToken | None:
    plain_text = said.get("CONNECTORY_TOKEN_PLAIN_TEXT", "").lower() in ("1", "true", "yes")
    if file := said.get("CONNECTORY_TOKEN_FILE"):
        return BearerToken.in_file(Path(file), plain_text=plain_text)
    if token := said.get("CONNECTORY_TOKEN"):
        return BearerToken.of(token, plain_text=plain_text)
    return None


def _path(said: Mapping[str, str], name: str) -> Path | None:
    return Path(said[name]) if said.get(name) else None
