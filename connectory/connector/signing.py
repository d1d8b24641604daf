"""Signed handles: only the service that made a handle can make one that it takes back."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from connectory.errors import InvalidTaskError, SettingsError

__all__ = ["HandleSigner", "signer_from"]

_BEFORE: Final = b',"sig":"'
_AFTER: Final = b'"}'
_DIGITS: Final = 43
_LENGTH: Final = len(_BEFORE) + _DIGITS + len(_AFTER)
_SHORTEST: Final = 32


class HandleSigner:
    """Signs handles by HMAC-SHA256 with the first of the keys, and takes those signed with any of them.

    The signature is one more field of the handle's JSON, its last, over all that comes before.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def signed(self, handle: bytes) -> bytes:
        """The handle with its signature."""
        return handle[:-1] + _BEFORE + _signature(self._keys[0], handle) + _AFTER

    def opened(self, handle: bytes) -> bytes:
        """The handle without its signature; an `InvalidTaskError` when it is none of ours."""
        body, end = handle[:-_LENGTH] + b"}", handle[-_LENGTH:]
        if end.startswith(_BEFORE) and end.endswith(_AFTER):
            given = end[len(_BEFORE) : -len(_AFTER)]
            if any(hmac.compare_digest(given, _signature(key, body)) for key in self._keys):
                return body
        sentence = "it is not signed by this service"
        raise InvalidTaskError(
            f"the handle cannot be used: {sentence}", reason="FOREIGN_HANDLE", fields={"resource_meta": sentence}
        )


def signer_from(path: Path) -> HandleSigner:
    """The signer with the keys of a file: one on each line, the newest first."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise SettingsError(
            f"handle_keys={str(path)!r} cannot be read: {error.strerror}; name a file with a key on each line"
        ) from None
    keys = [line.strip() for line in lines if line.strip()]
    if not keys or any(len(key) < _SHORTEST for key in keys):
        raise SettingsError(
            f"handle_keys={str(path)!r} needs a key of at least {_SHORTEST} characters on each line, the newest first;"
            " make one with `openssl rand -hex 32`"
        )
    return HandleSigner(keys)


def _signature(key: bytes, data: bytes) -> bytes:
    return base64.urlsafe_b64encode(hmac.digest(key, data, hashlib.sha256)).rstrip(b"=")
