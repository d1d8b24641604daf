"""Which hosts requests may go to, as the operator says, and which addresses a name may lead to."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from connectory.errors import PermissionDeniedError, SettingsError

__all__ = ["SETTING", "HostPolicy"]

SETTING: Final = "CONNECTORY_HTTP_ALLOW_HOSTS"
"""Host patterns separated by commas or spaces; unset or empty: requests may go anywhere."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class _Pattern:
    host: str
    port: int | None

    def matches(self, host: str, port: int) -> bool:
        return fnmatchcase(host, self.host) and self.port in (None, port)

    @property
    def is_exact(self) -> bool:
        return not any(sign in self.host for sign in "*?[")


class HostPolicy:
    """The hosts that are allowed: `api.example.com`, `*.example.com`, `*`, each with `:PORT` when only that port is.

    A name that leads to an address inside (private, loopback, link-local or otherwise not of the public internet) is
    refused unless the name itself, without wildcards, is in the list. Without patterns everything is allowed.
    """

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._patterns = [_parse(pattern) for pattern in patterns]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "HostPolicy":
        """The policy that the server's environment asks for."""
        return cls(environ.get(SETTING, "").replace(",", " ").split())

    @property
    def is_restricted(self) -> bool:
        """Whether there is anything to check."""
        return bool(self._patterns)

    def check(self, host: str, port: int) -> None:
        """Raise a `PermissionDeniedError` when no pattern allows the host."""
        if self.is_restricted and not any(pattern.matches(_normal(host), port) for pattern in self._patterns):
            text = f"requests to {host}:{port} are not allowed here; the operator can add the host to {SETTING}"
            raise PermissionDeniedError(text, reason="HOST_NOT_ALLOWED")

    def reachable(self, host: str, port: int, addresses: Sequence[str]) -> Sequence[str]:
        """Those of the host's addresses that may be connected to; a `PermissionDeniedError` when there is none."""
        if not self.is_restricted or self._is_listed(host, port):
            return addresses
        public = [address for address in addresses if _is_public(ipaddress.ip_address(address.partition("%")[0]))]
        if addresses and not public:
            text = f"{host}:{port} leads to an internal address; only a host that {SETTING} names in full may do so"
            raise PermissionDeniedError(text, reason="INTERNAL_ADDRESS")
        return public

    def _is_listed(self, host: str, port: int) -> bool:
        return any(pattern.is_exact and pattern.matches(_normal(host), port) for pattern in self._patterns)


def _parse(text: str) -> _Pattern:
    host, port = text, None
    if text.startswith("["):
        inner, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise SettingsError(f"{SETTING}: {text!r} is not a host pattern; write [ADDRESS] or [ADDRESS]:PORT")
        host, port = inner, rest[1:] or None
        return _Pattern(_normal(host), _port(text, port))
    if text.count(":") == 1:
        host, _, port = text.partition(":")
    if "/" in host or not host:
        raise SettingsError(
            f"{SETTING}: {text!r} is not a host pattern; write HOST or HOST:PORT, nothing before or after"
        )
    return _Pattern(_normal(host), _port(text, port))


def _port(text: str, port: str | None) -> int | None:
    if port is None:
        return None
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise SettingsError(f"{SETTING}: {port!r} in {text!r} is not a port")
    return int(port)


def _normal(host: str) -> str:
    return host.lower().rstrip(".")


def _is_public(address: _Address) -> bool:
    embedded = _embedded(address)
    if embedded is not None:
        return _is_public(embedded)
    return address.is_global and not address.is_multicast


def _embedded(address: _Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
