"""What certificates in PEM files say, found by a handshake in memory: Python itself offers no other reader."""

import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

__all__ = ["CertificateFacts", "authorities", "chain", "facts_of", "served"]

_ONE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_NO_CHECK_TIME: Final = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which Python has no name for
_ROUNDS: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateFacts:
    """What matters of a certificate."""

    subject: str
    names: tuple[str, ...]
    """The hosts that it is for."""
    begins: datetime
    ends: datetime

    def left(self, now: datetime) -> timedelta:
        """How long it is still good for; negative: how long it has expired."""
        return self.ends - now


def chain(path: Path) -> Sequence[str]:
    """The certificates of a file, each in PEM. An OSError when it cannot be read."""
    return _ONE.findall(path.read_text(encoding="ascii", errors="replace"))


def facts_of(decoded: Mapping[str, Any]) -> CertificateFacts:
    """From what `ssl` gives."""
    subject = ", ".join(f"{key}={value}" for group in decoded.get("subject", ()) for key, value in group)
    return CertificateFacts(
        subject=subject or "no name",
        names=tuple(value for _, value in decoded.get("subjectAltName", ())),
        begins=_moment(decoded["notBefore"]),
        ends=_moment(decoded["notAfter"]),
    )


def authorities(path: Path) -> Sequence[CertificateFacts]:
    """The certificates of authorities in a file. An `ssl.SSLError` or OSError when there are none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=path)
    return [facts_of(decoded) for decoded in context.get_ca_certs()]


def served(cert: Path, key: Path, trusted: str = "") -> CertificateFacts:
    """The certificate that callers see.

    An `ssl.SSLError` says what is wrong: the key does not belong to it, or, `trusted` (PEM; without it the last one of
    the file) did not sign it by way of the others. Times are not looked at.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key, password=lambda: "")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME | ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN)
    client.load_verify_locations(cadata=trusted or chain(cert)[-1])
    return facts_of(_shaken(server, client))


def _shaken(server: ssl.SSLContext, client: ssl.SSLContext) -> Mapping[str, Any]:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(incoming=back, outgoing=there)
    answerer = server.wrap_bio(incoming=there, outgoing=back, server_side=True)
    for _ in range(_ROUNDS):
        for side in (caller, answerer):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return caller.getpeercert() or {}


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
