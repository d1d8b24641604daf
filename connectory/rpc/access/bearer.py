"""Who calls, by the bearer token in a call's metadata."""

from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeAlias

from connectory.errors import PermissionDeniedError, UnauthenticatedError
from connectory.rpc.access.reasons import NO_TOKEN, SCOPE_MISSING
from connectory.rpc.access.scopes import Caller
from connectory.rpc.access.tokens import TokenFile
from connectory.rpc.handlers import Metadata

__all__ = ["Access", "Lookup"]

Lookup: TypeAlias = Callable[[str], Awaitable[Caller]]
"""Finds the caller of a signed token; an `UnauthenticatedError` when it is not good."""


class Access:
    """Lets in whoever brings a token that `file` lists or `signed` accepts, and no one else."""

    def __init__(self, *, file: TokenFile | None = None, signed: Lookup | None = None) -> None:
        self._file = file
        self._signed = signed

    def caller(self, metadata: Metadata) -> Caller | Awaitable[Caller]:
        """Who calls, at once when nothing has to be waited for, or an `UnauthenticatedError`."""
        token = _token(metadata)
        if self._signed is not None and (self._file is None or token.count(".") == 2):
            return self._signed(token)
        if self._file is None:
            raise UnauthenticatedError("nobody is let in: neither a file of tokens nor an issuer is set")
        return self._file.caller(token)

    def refuse(self, caller: Caller, operation: str, task_type: str) -> NoReturn:
        """Tell a caller that none of its scopes allows this; task type "*" means all of them."""
        raise PermissionDeniedError(
            f"{caller.name} may not {operation} tasks of type {task_type!r}; its scopes: {caller.described()};"
            f" it needs {task_type}:{operation}",
            reason=SCOPE_MISSING,
        )


def _token(metadata: Metadata) -> str:
    for key, value in metadata:
        if key == "authorization":
            scheme, _, token = (value.decode(errors="replace") if isinstance(value, bytes) else value).partition(" ")
            if scheme.lower() == "bearer" and token:
                return token.strip()
            sentence = "the call's `authorization` is no bearer token; send `Bearer TOKEN`"
            raise UnauthenticatedError(sentence, reason=NO_TOKEN)
    raise UnauthenticatedError("the call brings no token; send metadata `authorization: Bearer TOKEN`", reason=NO_TOKEN)
