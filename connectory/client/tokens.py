"""The bearer token that a client brings with every call."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeAlias

from connectory.errors import SettingsError
from connectory.rpc.addresses import parse_address
from connectory.rpc.watched_file import WatchedFile

__all__ = ["BearerToken", "Metadata", "metadata_for"]

Metadata: TypeAlias = tuple[tuple[str, str], ...]

_SCHEMES = ("dns:///", "dns:", "ipv4:", "ipv6:")
_log = logging.getLogger("connectory.client")


class BearerToken:
    """A token, fixed or in a file, which is read again when it changes: whoever rotates it restarts nothing.

    It is sent over TLS, to unix sockets and to this machine; with `plain_text` also to others, where it can be read on
    the way. A file that cannot be used is a `SettingsError` at the start; later the last good token stays in use.
    """

    def __init__(self, read: Callable[[], str], *, plain_text: bool = False) -> None:
        """See `of` and `in_file`."""
        self._read = read
        self.plain_text = plain_text

    @classmethod
    def of(cls, token: str, *, plain_text: bool = False) -> Self:
        """This token."""
        checked = _checked(token, "the bearer token")
        return cls(lambda: checked, plain_text=plain_text)

    @classmethod
    def in_file(cls, path: Path, *, plain_text: bool = False) -> Self:
        """Whatever token the file holds when a call is made; white space around it is no part of it."""
        return cls(_file(path).content, plain_text=plain_text)

    def metadata(self) -> Metadata:
        """What the next call brings."""
        return (("authorization", f"Bearer {self._read()}"),)

    def __repr__(self) -> str:
        return "BearerToken(***)"


def metadata_for(target: str, token: BearerToken | None, *, tls: bool) -> Callable[[], Metadata | None]:
    """What gives the metadata of each call to a target; a `SettingsError` when others could read the token."""
    if token is None:
        return lambda: None
    if not (tls or token.plain_text or _stays_here(target)):
        raise SettingsError(
            f"a token would go to {target} in plain text, where it can be read on the way; use TLS"
            " (CONNECTORY_CLIENT_CA names the authority's certificate), or accept the risk with"
            " CONNECTORY_TOKEN_PLAIN_TEXT=true"
        )
    return token.metadata


def _file(path: Path) -> WatchedFile[str]:
    try:
        return WatchedFile(path, _token_of, _complain)
    except OSError as error:
        raise SettingsError(f"token file {str(path)!r} cannot be read: {error.strerror}") from None


def _token_of(path: Path) -> str:
    return _checked(path.read_text(errors="replace"), f"token file {str(path)!r}")


def _complain(error: OSError | SettingsError) -> None:
    _log.error("the token file changed and cannot be used, the token of before is: %s", error)


def _checked(token: str, what: str) -> str:
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError(f"{what} holds no token; a token is one word of printable ASCII characters")
    return token


def _stays_here(target: str) -> bool:
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    for scheme in _SCHEMES:
        target = target.removeprefix(scheme)
    try:
        return parse_address(target).is_loopback
    except ValueError:
        return False
