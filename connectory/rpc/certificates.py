"""TLS credentials that follow their files: a rotated certificate serves the next connection, without a restart."""

import logging
from pathlib import Path
from typing import Any

import grpc

from connectory.errors import SettingsError

__all__ = ["server_credentials"]

_log = logging.getLogger("connectory.server.tls")


class _CertificateFiles:
    """The PEM files, read again when any of them changed."""

    def __init__(self, key: Path, cert: Path, client_ca: Path | None) -> None:
        self._files = (key, cert) if client_ca is None else (key, cert, client_ca)
        self._state = self._look()

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        stats = [path.stat() for path in self._files]
        return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in stats)

    def read(self) -> grpc.ServerCertificateConfiguration:
        key, cert, *client_ca = (path.read_bytes() for path in self._files)
        return grpc.ssl_server_certificate_configuration([(key, cert)], client_ca[0] if client_ca else None)

    def changed(self) -> Any:
        """The new configuration if the files changed and can be read; None: go on with the last one."""
        try:
            state = self._look()
            if state == self._state:
                return None
            configuration = self.read()
        except OSError as error:
            _log.error("the TLS files cannot be read, the last ones stay in use: %s", error)
            return None
        self._state = state
        _log.info("TLS files changed and were read again")
        return configuration


def server_credentials(
    cert: Path | None, key: Path | None, client_ca: Path | None = None
) -> grpc.ServerCredentials | None:
    """The credentials of these PEM files; None: plain text. With `client_ca`, clients must show a certificate."""
    if cert is None or key is None:
        return None
    files = _CertificateFiles(key, cert, client_ca)
    try:
        first = files.read()
    except OSError as error:
        raise SettingsError(f"tls_cert={str(cert)!r} cannot be used: {error}; name PEM files") from None
    return grpc.dynamic_ssl_server_credentials(
        first, files.changed, require_client_authentication=client_ca is not None
    )
