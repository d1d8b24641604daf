"""TLS credentials that follow their files: a rotated certificate serves the next connection, without a restart."""

import logging
import ssl
from pathlib import Path
from typing import Any, Final

import grpc

from connectory.errors import SettingsError

__all__ = ["server_credentials"]

_BEGIN: Final = b"-----BEGIN "
_log = logging.getLogger("connectory.server.tls")


class _CertificateFiles:
    """The PEM files, read again when any of them changed."""

    def __init__(self, key: Path, cert: Path, client_ca: Path | None) -> None:
        self._files = (key, cert) if client_ca is None else (key, cert, client_ca)
        self._state = self._refused = self._look()

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        stats = [path.stat() for path in self._files]
        return tuple((stat.st_ino, stat.st_mtime_ns, stat.st_size) for stat in stats)

    def read(self) -> grpc.ServerCertificateConfiguration:
        """What they hold. What cannot be used together is a `SettingsError` that names the file."""
        _check(*self._files)
        key, cert, *client_ca = (path.read_bytes() for path in self._files)
        return grpc.ssl_server_certificate_configuration([(key, cert)], client_ca[0] if client_ca else None)

    def changed(self) -> Any:
        """The new configuration if the files changed and can be read; None: go on with the last one."""
        try:
            state = self._look()
            if state in (self._state, self._refused):
                return None
            configuration = self.read()
        except SettingsError as error:
            self._refused = state
            _log.error("the TLS files changed and cannot be used, the last ones stay in use: %s", error)
            return None
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


def _check(key: Path, cert: Path, client_ca: Path | None = None) -> None:
    if _BEGIN not in cert.read_bytes():
        raise SettingsError(f"tls_cert={str(cert)!r} holds no certificate; name a file in PEM")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password=lambda: "")
    except ssl.SSLError as error:
        raise SettingsError(
            f"tls_key={str(key)!r} cannot be used with tls_cert={str(cert)!r}: {_reason(error)}; give the server's own"
            " certificate first, then those that signed it, and its key without a password, both in PEM"
        ) from None
    if client_ca is None:
        return
    try:
        context.load_verify_locations(client_ca)
    except ssl.SSLError as error:
        raise SettingsError(
            f"tls_client_ca={str(client_ca)!r} holds no certificates: {_reason(error)}; name a file in PEM"
        ) from None


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
