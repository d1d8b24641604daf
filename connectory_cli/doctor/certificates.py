"""The certificates in files: their dates, their chain, their key, their names."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectory_cli.doctor.findings import Finding, fail, ok, warn
from connectory_cli.doctor.patient import Patient
from connectory_cli.doctor.pem import CertificateFacts, authorities, chain, served
from connectory_cli.options import AUTHORITIES

__all__ = ["certificates", "dates"]

_SOON = timedelta(days=14)


def certificates(patient: Patient) -> Iterator[Finding]:
    """The server's certificate, the authorities that settings name, and this user's own certificate."""
    settings = patient.settings
    if settings is not None and settings.tls_cert and settings.tls_key:
        yield from _of_server(settings.tls_cert, settings.tls_key, patient)
    if settings is not None and settings.tls_client_ca:
        yield from _of_authorities("tls_client_ca", settings.tls_client_ca)
    environ = patient.environ
    authority = environ.get("CONNECTORY_CLIENT_CA", "")
    if authority and authority != AUTHORITIES:
        yield from _of_authorities("CONNECTORY_CLIENT_CA", Path(authority))
    cert, key = environ.get("CONNECTORY_CLIENT_CERT"), environ.get("CONNECTORY_CLIENT_KEY")
    if cert and key:
        yield from _of_pair("CONNECTORY_CLIENT_CERT", Path(cert), Path(key))


def dates(about: str, facts: CertificateFacts, what: str = "the certificate") -> Finding:
    """Whether a certificate is good now, and for long enough to exchange it in peace."""
    now = datetime.now(UTC)
    left = facts.left(now)
    until = f"{facts.ends:%Y-%m-%d %H:%M} UTC"
    if left < timedelta(0):
        return fail(about, f"{what} ({facts.subject}) has expired: {until}", "issue a new one; servers read it again")
    if facts.begins > now:
        return fail(
            about,
            f"{what} ({facts.subject}) is good only from {facts.begins:%Y-%m-%d %H:%M} UTC on",
            "set this machine's clock, or issue another one",
        )
    if left < min(_SOON, (facts.ends - facts.begins) / 3):
        return warn(about, f"{what} ({facts.subject}) is good only until {until}", "issue a new one soon")
    return ok(about, f"{what} ({facts.subject}) is good until {until}")


def _of_server(cert: Path, key: Path, patient: Patient) -> Iterator[Finding]:
    yield from (found := list(_of_pair("tls_cert", cert, key)))
    authority = patient.environ.get("CONNECTORY_CLIENT_CA", "")
    if any(finding.level == "fail" for finding in found) or not authority or authority == AUTHORITIES:
        return
    try:
        served(cert, key, Path(authority).read_text())
    except ssl.SSLError as error:
        yield fail(
            "tls_cert",
            f"callers who trust {authority} refuse it: {_reason(error)}",
            "put the certificates between the two into tls_cert, behind the server's own; or trust its authority",
        )
    except OSError as error:
        yield fail("CONNECTORY_CLIENT_CA", f"{authority} cannot be read: {error.strerror}", "name a PEM file")


def _of_pair(about: str, cert: Path, key: Path) -> Iterator[Finding]:
    """A certificate with its key."""
    try:
        if not chain(cert):
            yield fail(about, f"{cert} holds no certificate", "name a file in PEM (-----BEGIN CERTIFICATE-----)")
            return
        facts = served(cert, key)
    except ssl.SSLError as error:
        yield fail(
            about,
            f"{cert} and {key} cannot be used together: {_reason(error)}",
            "put the server's own certificate first, then those that signed it; and give its key, without a password",
        )
        return
    except OSError as error:
        yield fail(about, f"{error.filename or cert} cannot be read: {error.strerror}", "name PEM files")
        return
    yield dates(about, facts)
    if about == "tls_cert" and not facts.names:
        yield warn(about, "it names no host in subjectAltName, so clients refuse it", "issue one with the names")
    elif about == "tls_cert":
        yield ok(about, f"the key fits; callers may use the names {', '.join(facts.names)}")


def _of_authorities(about: str, path: Path) -> Iterator[Finding]:
    try:
        found = authorities(path)
    except ssl.SSLError as error:
        yield fail(about, f"{path} holds no certificates: {_reason(error)}", "name a file in PEM")
        return
    except OSError as error:
        yield fail(about, f"{path} cannot be read: {error.strerror}", "name a PEM file")
        return
    if not found:
        yield warn(about, f"{path} holds no certificate of an authority", "give the one that signs, not one it signed")
    for facts in found:
        yield dates(about, facts, "the authority")


def _reason(error: ssl.SSLError) -> str:
    verified = getattr(error, "verify_message", "")
    return str(verified or error.reason or error).replace("_", " ").lower()
