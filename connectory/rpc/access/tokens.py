"""Bearer tokens that a file lists: read again when the file changes, so that tokens come and go without a restart."""

import hashlib
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
import yaml

from connectory.errors import SettingsError, UnauthenticatedError
from connectory.rpc.access.operations import KNOWN_OPERATIONS
from connectory.rpc.access.reasons import TOKEN_REFUSED
from connectory.rpc.access.scopes import Caller, parse_scope
from connectory.rpc.watched_file import WatchedFile

__all__ = ["TokenFile"]

_SHORTEST: Final = 16
_log = logging.getLogger("connectory.access")


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    scopes: list[str]
    token: str = ""
    sha256: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    callers: list[_Entry]


class TokenFile:
    """The callers of a YAML or JSON file.

    The file is {"callers": [{"name": ..., "scopes": ["sql:*", ...], "token": ...}]}; instead of `token` an entry may
    have `sha256`, the token's digest in hexadecimal, so that the file itself opens nothing. One that cannot be used is
    a `SettingsError` at the start; later the last good one stays, and the log says why.
    """

    def __init__(self, path: Path, *, check_every: float = 1.0) -> None:
        """Looks for a change of the file at most every `check_every` seconds."""
        self._callers = WatchedFile(path, _read, _complain, check_every=check_every)
        self._listed: Mapping[bytes, Caller] = {}
        self._known: dict[str, Caller] = {}

    def caller(self, token: str) -> Caller:
        """Whose token it is, or an `UnauthenticatedError`.

        Tokens are found by digests and hashes, never compared letter by letter, so timing tells nothing. Good ones
        are kept until the file changes.
        """
        callers = self._callers.content()
        if callers is not self._listed:
            self._listed, self._known = callers, {}
        caller = self._known.get(token)
        if caller is not None:
            return caller
        caller = callers.get(hashlib.sha256(token.encode()).digest())
        if caller is None:
            raise UnauthenticatedError(
                "the bearer token is not known here; ask whoever runs this server for one", reason=TOKEN_REFUSED
            )
        self._known[token] = caller
        return caller


def _complain(error: OSError | SettingsError) -> None:
    _log.error("the file of tokens changed and is not used, the tokens of before are: %s", error)


def _read(path: Path) -> Mapping[bytes, Caller]:
    try:
        data = yaml.safe_load(path.read_bytes())
        file = msgspec.convert(data, _File)
    except (OSError, yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise _unusable(path, str(error).splitlines()[0]) from None
    callers: dict[bytes, Caller] = {}
    for entry in file.callers:
        digest = _digest(path, entry)
        if digest in callers:
            raise _unusable(path, f"callers {callers[digest].name!r} and {entry.name!r} have the same token")
        try:
            callers[digest] = Caller(entry.name, frozenset(map(parse_scope, entry.scopes)))
        except ValueError as error:
            raise _unusable(path, f"caller {entry.name!r}: {error}") from None
    _warn_of_unknown_operations(path, callers.values())
    return callers


def _warn_of_unknown_operations(path: Path, callers: Iterable[Caller]) -> None:
    """They are most likely misspelt, and allow nothing; a later release may know them, so they are no error."""
    known = ", ".join(sorted(KNOWN_OPERATIONS))
    for caller in callers:
        for scope in sorted(caller.scopes):
            if scope.operation not in KNOWN_OPERATIONS:
                _log.warning(
                    "tokens=%r: the scope %s of caller %r allows nothing, its operation is none of %s",
                    str(path),
                    scope,
                    caller.name,
                    known,
                )


def _digest(path: Path, entry: _Entry) -> bytes:
    if bool(entry.token) == bool(entry.sha256):
        raise _unusable(path, f"caller {entry.name!r} needs either `token` or `sha256`")
    if entry.token:
        if len(entry.token) < _SHORTEST:
            raise _unusable(path, f"the token of caller {entry.name!r} has fewer than {_SHORTEST} characters")
        return hashlib.sha256(entry.token.encode()).digest()
    try:
        digest = bytes.fromhex(entry.sha256)
    except ValueError:
        digest = b""
    if len(digest) != hashlib.sha256().digest_size:
        raise _unusable(path, f"sha256 of caller {entry.name!r} is not 64 hexadecimal digits")
    return digest


def _unusable(path: Path, sentence: str) -> SettingsError:
    return SettingsError(
        f"tokens={str(path)!r} cannot be used: {sentence}; write a YAML file such as"
        ' {callers: [{name: engine, scopes: ["sql:*"], token: OF-AT-LEAST-16-CHARACTERS}]}'
    )
