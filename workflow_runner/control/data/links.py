"""Addresses that allow one thing for a while: a payload and a signature over it."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from connectory.errors import PermissionDeniedError

__all__ = ["Grant", "Links"]

_PATH = "/v1/data/"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What an address allows."""

    action: Literal["PUT", "GET"]
    url: str
    """The object, as the object store has it."""
    expires_at: float
    """Seconds since 1970 (UTC)."""
    md5: bytes = b""
    """Of the only content that may be put; empty: any."""


@dataclass(frozen=True)
class Links:
    """Makes addresses below `base`, and reads them. They are good for nothing once this process has ended."""

    base: str
    clock: Callable[[], float]
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def make(self, grant: Grant) -> str:
        """The address that allows this."""
        payload = msgspec.msgpack.encode(grant)
        return f"{self.base}{_PATH}{_text(payload)}.{_text(self._sign(payload))}"

    def read(self, target: str, action: str) -> Grant:
        """What the target of an HTTP request allows; PermissionDeniedError unless it allows this action now."""
        payload, _, signature = target.removeprefix(_PATH).partition(".")
        try:
            data, given = _data(payload), _data(signature)
        except (binascii.Error, ValueError):
            raise PermissionDeniedError("the address is not one that was given out") from None
        if not hmac.compare_digest(self._sign(data), given):
            raise PermissionDeniedError("the address is not one that was given out, or the server was restarted since")
        grant = msgspec.msgpack.decode(data, type=Grant)
        if grant.action != action:
            raise PermissionDeniedError(f"the address is for {grant.action}, not for {action}")
        if grant.expires_at < self.clock():
            raise PermissionDeniedError("the address has expired; ask for another one")
        return grant

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._secret, payload, hashlib.sha256)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _data(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
