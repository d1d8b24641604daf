"""Network addresses as settings write them: HOST:PORT, with brackets around an IPv6 host."""

import ipaddress
from dataclasses import dataclass

__all__ = ["Address", "parse_address"]


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to listen on; port 0: any free one."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Read HOST:PORT; a `ValueError` says what is wrong."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not colon or not host:
        raise ValueError(f"{text!r} is not HOST:PORT")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{port!r} in {text!r} is not a port between 0 and 65535")
    return Address(host, int(port))
